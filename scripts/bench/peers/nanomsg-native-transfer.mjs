/** This package between workers, with messages that change hands instead of being copied. */
import { createRequire } from 'node:module'
import { fill } from './filled.mjs'

const require = createRequire(import.meta.url)
const { allocMessage, Push } = require('../../../dist/index.js')

export { pull, version } from './nanomsg-native.mjs'

export const transports = ['worker']

export async function push(address, body) {
  const socket = new Push()
  socket.connect(address)
  while (true) {
    const message = allocMessage(body.length)
    fill(message, body)
    await socket.send(message, { transfer: true })
  }
}
