/** The WebSocket of browsers, as Node.js has it, in conversation with our sockets. */
import { expect, test } from 'vitest'
import { runProgram } from '../api/support.js'

/** Node.js 20 has it behind a switch, later ones have it anyway. */
const args = ['--experimental-websocket', '--no-warnings']

test('a browser talks to a Pair in text and in bytes, and to a Rep', async () => {
  const { stdout, stderr } = await runProgram(
    `
    const { Pair, Rep } = require('nanomsg-native')
    const message = (ws) => new Promise((resolve) => ws.addEventListener('message', (event) => resolve(event.data), { once: true }))
    const open = (ws) => new Promise((resolve) => ws.addEventListener('open', resolve, { once: true }))
    async function main() {
      const pair = new Pair({ textFrames: true })
      const ws = new WebSocket(pair.bind('ws://127.0.0.1:0/chat').address, 'pair.sp.nanomsg.org')
      ws.binaryType = 'arraybuffer'
      await open(ws)
      console.log(ws.protocol)
      ws.send('Grüße')
      console.log((await pair.receive()).toString())
      let next = message(ws)
      await pair.send('text')
      console.log(typeof (await next))
      pair.textFrames = false
      ws.send(new Uint8Array([1, 2, 3]))
      console.log([...(await pair.receive())].join())
      ws.close(3000, 'bye')
      await new Promise((resolve) => ws.addEventListener('close', (event) => resolve(console.log(event.code, event.wasClean))))
      await pair.close()

      const rep = new Rep()
      const asking = new WebSocket(rep.bind('ws://127.0.0.1:0').address, 'rep.sp.nanomsg.org')
      asking.binaryType = 'arraybuffer'
      await open(asking)
      asking.send(new Uint8Array([0x80, 0, 0, 1, 65]))
      next = message(asking)
      await rep.send(Buffer.concat([await rep.receive(), Buffer.from('B')]))
      console.log(Buffer.from(await next).toString('hex'))
      const closed = new Promise((resolve) => asking.addEventListener('close', (event) => resolve(event.code)))
      await rep.close()
      console.log(await closed)
    }
    main()`,
    { args },
  )
  expect(stderr).toBe('')
  expect(stdout.split('\n')).toEqual([
    'pair.sp.nanomsg.org',
    'Grüße',
    'string',
    '1,2,3',
    '3000 true',
    '800000014142',
    '1000',
    '',
  ])
})
