/** The bar without a messaging library: Node.js' own sockets and a length of 8 bytes before each message. */
import net from 'node:net'

export const version = process.versions.node
export const transports = ['tcp', 'ipc']
/** How a peer greets that then is idle. */
export const greets = 'none'

const HEADER_BYTES = 8
const GREETING = Buffer.alloc(8)
const BURST = 256

function frameInto(bytes, at, body) {
  bytes.writeBigUInt64BE(BigInt(body.length), at)
  bytes.set(body, at + HEADER_BYTES)
}

function frame(body) {
  const framed = Buffer.allocUnsafe(HEADER_BYTES + body.length)
  frameInto(framed, 0, body)
  return framed
}

const target = (address) => {
  const path = address.match(/^ipc:\/\/(.*)/)
  if (path) return { path: path[1] }
  const { hostname, port } = new URL(address.replace('tcp:', 'http:'))
  return { host: hostname, port: Number(port) }
}

const addressOf = (server, address) =>
  address.startsWith('ipc:') ? address : `tcp://127.0.0.1:${server.address().port}`

/** Calls back with each message that a stream brings. */
function onBodies(stream, onBody) {
  let rest = Buffer.alloc(0)
  stream.on('data', (data) => {
    const bytes = rest.length > 0 ? Buffer.concat([rest, data]) : data
    let at = 0
    while (bytes.length - at >= HEADER_BYTES) {
      const end = at + HEADER_BYTES + bytes.readUInt32BE(at + 4)
      if (end > bytes.length) break
      onBody(bytes.subarray(at + HEADER_BYTES, end))
      at = end
    }
    rest = bytes.subarray(at)
  })
}

export async function push(address, body) {
  const socket = net.connect({ ...target(address), noDelay: true })
  const frameBytes = HEADER_BYTES + body.length
  const burst = Math.max(1, Math.min(BURST, Math.floor(65_536 / frameBytes)))
  const sendMore = () => {
    let isWritable = true
    while (isWritable) {
      const framed = Buffer.allocUnsafeSlow(burst * frameBytes)
      for (let at = 0; at < framed.length; at += frameBytes) frameInto(framed, at, body)
      isWritable = socket.write(framed)
    }
    socket.once('drain', sendMore)
  }
  socket.on('connect', sendMore)
}

export async function once(address, body) {
  const socket = net.connect({ ...target(address), noDelay: true })
  socket.on('connect', () => socket.write(frame(body)))
}

export async function pull(address, meter) {
  const server = net.createServer((socket) => onBodies(socket, (message) => meter.message(message)))
  server.listen(target(address), () => meter.listensAt(addressOf(server, address)))
}

/** What a server of one of the protocols does with a connection first: it greets. */
export async function accept(address, meter) {
  const server = net.createServer((socket) => {
    socket.resume()
    socket.on('error', () => {})
    socket.write(GREETING)
  })
  server.listen(target(address), () => meter.listensAt(addressOf(server, address)))
}

export async function req(address, body, meter) {
  const socket = net.connect({ ...target(address), noDelay: true })
  onBodies(socket, (reply) => {
    meter.message(reply)
    socket.write(frame(body))
  })
  socket.on('connect', () => socket.write(frame(body)))
}

export async function rep(address, meter) {
  const server = net.createServer({ noDelay: true }, (socket) => onBodies(socket, (body) => socket.write(frame(body))))
  server.listen(target(address), () => meter.listensAt(addressOf(server, address)))
}

export async function pub(address, listensAt) {
  const subscribers = new Set()
  const server = net.createServer({ noDelay: true }, (socket) => {
    subscribers.add(socket)
    socket.on('error', () => subscribers.delete(socket))
  })
  server.listen({ ...target(address), backlog: 4096 }, () => listensAt(addressOf(server, address)))
  return (body) => {
    const framed = frame(body)
    for (const subscriber of subscribers) subscriber.write(framed)
  }
}

export async function sub(address, onMessage) {
  onBodies(net.connect(target(address)), onMessage)
}

/** Replies come in the order of the requests: nobody has to number them. */
export async function requests(address, body, count, meter) {
  const socket = net.connect({ ...target(address), noDelay: true })
  onBodies(socket, (reply) => {
    meter.message(reply)
    socket.write(frame(body))
  })
  socket.on('connect', () => {
    for (let i = 0; i < count; i++) socket.write(frame(body))
  })
}

export const service = rep
