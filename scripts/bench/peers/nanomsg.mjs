/** npm's nanomsg: a binding to the C library. */
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const nanomsg = require('nanomsg')

export const version = require('nanomsg/package.json').version

/** It does not tell which port the system chose. */
export const needsFreePort = true

const BURST = 1000

export async function push(address, body) {
  const socket = nanomsg.socket('push', { tcpnodelay: true })
  socket.connect(address)
  const sendMore = () => {
    if (socket.queue.length === 0) for (let i = 0; i < BURST; i++) socket.send(body)
    setImmediate(sendMore)
  }
  sendMore()
}

export async function pull(address, onMessages) {
  const socket = nanomsg.socket('pull')
  socket.on('data', () => onMessages(1))
  socket.bind(address)
  onMessages.listensAt(address)
}

export async function req(address, body, onReply) {
  const socket = nanomsg.socket('req', { tcpnodelay: true })
  socket.on('data', () => {
    onReply()
    socket.send(body)
  })
  socket.connect(address)
  socket.send(body)
}

export async function rep(address, onMessages) {
  const socket = nanomsg.socket('rep', { tcpnodelay: true })
  socket.on('data', (request) => socket.send(request))
  socket.bind(address)
  onMessages.listensAt(address)
}
