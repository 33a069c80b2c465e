/** The bar without a messaging library: Node.js' own sockets and a length of 8 bytes before each message. */
import net from 'node:net'

export const version = process.versions.node
export const transports = ['tcp', 'ipc']
/** How a peer handshake that then is idle. */
export const handshake = 'none'

const HEADER_BYTES = 8
const HANDSHAKE = Buffer.alloc(8)
const BURST = 256
const BURST_BYTES = 65_536
/** A longer body is written from where it is: that is faster from here on. */
const MAX_JOINED_BYTES = BURST_BYTES

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
  // What has arrived of a frame that is not complete: it is joined once, when it is.
  let parts = []
  let heldBytes = 0
  let neededBytes = HEADER_BYTES
  stream.on('data', (data) => {
    parts.push(data)
    heldBytes += data.length
    if (heldBytes < neededBytes) return
    const bytes = parts.length > 1 ? Buffer.concat(parts, heldBytes) : data
    let at = 0
    neededBytes = HEADER_BYTES
    while (bytes.length - at >= HEADER_BYTES) {
      neededBytes = HEADER_BYTES + bytes.readUInt32BE(at + 4)
      const end = at + neededBytes
      if (end > bytes.length) break
      onBody(bytes.subarray(at + HEADER_BYTES, end))
      at = end
      neededBytes = HEADER_BYTES
    }
    parts = at < bytes.length ? [bytes.subarray(at)] : []
    heldBytes = bytes.length - at
  })
}

/** A short body is joined with its header; a long one leaves from where it is, in the same call. */
function write(socket, body) {
  if (body.length <= MAX_JOINED_BYTES) return socket.write(frame(body))
  const header = Buffer.allocUnsafe(HEADER_BYTES)
  header.writeBigUInt64BE(BigInt(body.length))
  socket.cork()
  socket.write(header)
  const isWritable = socket.write(body)
  socket.uncork()
  return isWritable
}

export async function push(address, body) {
  const socket = net.connect({ ...target(address), noDelay: true })
  const frameBytes = HEADER_BYTES + body.length
  const burst = Math.max(1, Math.min(BURST, Math.floor(BURST_BYTES / frameBytes)))
  const writeBurst = () => {
    if (body.length > MAX_JOINED_BYTES) return write(socket, body)
    const framed = Buffer.allocUnsafeSlow(burst * frameBytes)
    for (let at = 0; at < framed.length; at += frameBytes) frameInto(framed, at, body)
    return socket.write(framed)
  }
  const sendMore = () => {
    while (writeBurst());
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

/** What a server of one of the protocols does with a connection first: it handshake. */
export async function accept(address, meter) {
  const server = net.createServer((socket) => {
    socket.resume()
    socket.on('error', () => {})
    socket.write(HANDSHAKE)
  })
  server.listen(target(address), () => meter.listensAt(addressOf(server, address)))
}

export async function req(address, body, meter) {
  const socket = net.connect({ ...target(address), noDelay: true })
  onBodies(socket, (reply) => {
    meter.message(reply)
    write(socket, body)
  })
  socket.on('connect', () => write(socket, body))
}

export async function rep(address, meter) {
  const server = net.createServer({ noDelay: true }, (socket) => onBodies(socket, (body) => write(socket, body)))
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

/** Replies come in the order of the requests: they need no numbers. */
export async function requests(address, body, count, meter) {
  const socket = net.connect({ ...target(address), noDelay: true })
  onBodies(socket, (reply) => {
    meter.message(reply)
    write(socket, body)
  })
  socket.on('connect', () => {
    for (let i = 0; i < count; i++) write(socket, body)
  })
}

export const service = rep
