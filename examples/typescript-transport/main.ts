/** Starts a worker, and asks it something: `node main.js`, when the three files are compiled to CommonJS. */
import { Req } from 'nanomsg-native'
import './command.js'

async function main(): Promise<void> {
  const req = new Req()
  req.connect('command://node worker.js')
  console.log(String(await req.request('hello')))
  console.log(String(await req.request('once more')))
  await req.close()
}

void main()
