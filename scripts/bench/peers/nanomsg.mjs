/** npm's nanomsg: a binding to the C library. */
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const nanomsg = require('nanomsg')

export const version = require('nanomsg/package.json').version

/** It does not tell which port the system chose. */
export const needsFreePort = true
/** No inproc: its send blocks the thread when the peer is full, which within one thread then never reads. */
export const transports = ['tcp', 'ipc', 'ws']
/** How a peer handshake that then is idle. */
export const handshake = 'sp'

/** How many sockets of libnanomsg a process can have. */
export const mostSockets = 512

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

export async function once(address, body) {
  const socket = nanomsg.socket('push', { tcpnodelay: true })
  socket.connect(address)
  socket.send(body)
}

export async function pull(address, meter) {
  const socket = nanomsg.socket('pull', { rcvmaxsize: -1 })
  socket.on('data', (message) => meter.message(message))
  socket.bind(address)
  meter.listensAt(address)
}

export async function req(address, body, meter) {
  const socket = nanomsg.socket('req', { tcpnodelay: true, rcvmaxsize: -1 })
  socket.on('data', (reply) => {
    meter.message(reply)
    socket.send(body)
  })
  socket.connect(address)
  socket.send(body)
}

export async function rep(address, meter) {
  const socket = nanomsg.socket('rep', { tcpnodelay: true, rcvmaxsize: -1 })
  socket.on('data', (request) => socket.send(request))
  socket.bind(address)
  meter.listensAt(address)
}
