/** npm's ws, as the WebSocket library that most programs have. */
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const { WebSocket, WebSocketServer } = require('ws')

export const version = require('ws/package.json').version
export const transports = ['ws']

const BURST = 256
const BURST_BYTES = 65_536
const options = { perMessageDeflate: false }

function serve(address, listensAt, onSocket) {
  const { pathname } = new URL(address)
  const server = new WebSocketServer({ ...options, host: '127.0.0.1', port: 0, path: pathname, backlog: 4096 })
  server.on('connection', onSocket)
  server.on('listening', () => listensAt(`ws://127.0.0.1:${server.address().port}${pathname}`))
}

function connect(address) {
  return new WebSocket(address, options)
}

/** A burst leaves in one call; the next follows when it has left. */
export async function push(address, body) {
  const socket = connect(address)
  const burst = Math.max(1, Math.min(BURST, Math.floor(BURST_BYTES / body.length)))
  const sendMore = () => {
    socket._socket.cork()
    for (let i = 1; i < burst; i++) socket.send(body)
    socket.send(body, sendMore)
    socket._socket.uncork()
  }
  socket.on('open', sendMore)
}

export async function once(address, body) {
  const socket = connect(address)
  socket.on('open', () => socket.send(body))
}

export async function pull(address, meter) {
  serve(address, meter.listensAt, (socket) => socket.on('message', (message) => meter.message(message)))
}

export async function req(address, body, meter) {
  const socket = connect(address)
  socket.on('message', (reply) => {
    meter.message(reply)
    socket.send(body)
  })
  socket.on('open', () => socket.send(body))
}

export async function rep(address, meter) {
  serve(address, meter.listensAt, (socket) => socket.on('message', (request) => socket.send(request)))
}

export async function pub(address, listensAt) {
  const subscribers = new Set()
  serve(address, listensAt, (socket) => subscribers.add(socket))
  return (body) => {
    for (const subscriber of subscribers) subscriber.send(body)
  }
}

export async function sub(address, onMessage) {
  connect(address).on('message', (message) => onMessage(message))
}
