/** This package between workers, with messages that change hands instead of being copied. */
import { createRequire } from 'node:module'
import { fill } from './filled.mjs'
import { BALLS, touch } from './to-and-fro.mjs'

const require = createRequire(import.meta.url)
const { allocMessage, Pair, Push } = require('../../../dist/index.js')

export { pull, version } from './nanomsg-native.mjs'

export const transports = ['worker']

export async function throws(address, body, meter) {
  const socket = new Pair()
  meter.listensAt(socket.bind(address).address)
  for (let i = 0; i < BALLS; i++) {
    const message = allocMessage(body.length)
    body.copy(message)
    await socket.send(message, { transfer: true })
  }
  for await (const message of socket) {
    meter.message(message)
    await socket.send(touch(message, body), { transfer: true })
  }
}

export async function throwsBack(address, body) {
  const socket = new Pair()
  socket.connect(address)
  for await (const message of socket) await socket.send(touch(message, body), { transfer: true })
}

export async function push(address, body) {
  const socket = new Push()
  socket.connect(address)
  while (true) {
    const message = allocMessage(body.length)
    fill(message, body)
    await socket.send(message, { transfer: true })
  }
}
