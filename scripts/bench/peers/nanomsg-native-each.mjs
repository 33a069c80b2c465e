/** This package, with messages received one by one. */
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const { Pull } = require('../../../dist/index.js')

export { once, push, transports, version } from './nanomsg-native.mjs'

export async function pull(address, meter) {
  const socket = new Pull({ maxMessageSize: -1 })
  meter.listensAt(socket.bind(address).address)
  for await (const message of socket) meter.message(message)
}
