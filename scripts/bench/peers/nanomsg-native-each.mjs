/** This package, with messages sent and received one by one. */
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const { Pull, Push } = require('../../../dist/index.js')

export { once, transports, version } from './nanomsg-native.mjs'

export async function push(address, body) {
  const socket = new Push()
  socket.connect(address)
  while (true) await socket.send(body)
}

export async function pull(address, meter) {
  const socket = new Pull({ maxMessageSize: -1 })
  meter.listensAt(socket.bind(address).address)
  for await (const message of socket) meter.message(message)
}
