/** npm's zeromq: a binding to libzmq. */
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const { Pull, Push, Reply, Request } = require('zeromq')

export const version = require('zeromq/package.json').version

export async function push(address, body) {
  const socket = new Push()
  socket.connect(address)
  while (true) await socket.send(body)
}

export async function pull(address, onMessages) {
  const socket = new Pull()
  await socket.bind(address.replace(/:0$/, ':*'))
  onMessages.listensAt(socket.lastEndpoint)
  for await (const _message of socket) onMessages(1)
}

export async function req(address, body, onReply) {
  const socket = new Request()
  socket.connect(address)
  while (true) {
    await socket.send(body)
    await socket.receive()
    onReply()
  }
}

export async function rep(address, onMessages) {
  const socket = new Reply()
  await socket.bind(address.replace(/:0$/, ':*'))
  onMessages.listensAt(socket.lastEndpoint)
  for await (const [request] of socket) await socket.send(request)
}
