/** This package, as built in the working tree. */
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const { Pull, Push, Rep, Req } = require('../../../dist/index.js')

export const version = require('../../../package.json').version

export async function push(address, body) {
  const socket = new Push()
  socket.connect(address)
  while (true) await socket.send(body)
}

export async function pull(address, onMessages) {
  const socket = new Pull()
  onMessages.listensAt(socket.bind(address).address)
  for await (const messages of socket.batches()) onMessages(messages.length)
}

export async function req(address, body, onReply) {
  const socket = new Req()
  socket.connect(address)
  while (true) {
    await socket.send(body)
    await socket.receive()
    onReply()
  }
}

export async function rep(address, onMessages) {
  const socket = new Rep()
  onMessages.listensAt(socket.bind(address).address)
  for await (const request of socket) await socket.send(request)
}
