/** This package, as built in the working tree. */
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const { Pub, Pull, Push, Rep, Req, Sub } = require('../../../dist/index.js')

export const version = require('../../../package.json').version
export const transports = ['tcp', 'ipc', 'inproc', 'ws']
/** How a peer handshake that then is idle. */
export const handshake = 'sp'

/** Messages of 4 MiB are longer than what is accepted from strangers. */
const anySize = { maxMessageSize: -1 }

/** How many short messages are sent at a time; long ones fill a batch by themselves. */
const BATCH = 256
const BATCH_BYTES = 64 * 1024

export async function push(address, body) {
  const socket = new Push()
  socket.connect(address)
  const bodies = new Array(Math.max(1, Math.min(BATCH, Math.floor(BATCH_BYTES / body.length)))).fill(body)
  while (true) await socket.sendBatch(bodies)
}

export async function once(address, body) {
  const socket = new Push()
  socket.connect(address)
  await socket.send(body)
}

export async function pull(address, meter) {
  const socket = new Pull(anySize)
  meter.listensAt(socket.bind(address).address)
  for await (const messages of socket.batches()) meter.batch(messages)
}

export async function req(address, body, meter) {
  const socket = new Req(anySize)
  socket.connect(address)
  while (true) {
    await socket.send(body)
    meter.message(await socket.receive())
  }
}

export async function rep(address, meter) {
  const socket = new Rep(anySize)
  meter.listensAt(socket.bind(address).address)
  for await (const request of socket) await socket.send(request)
}

export async function pub(address, listensAt) {
  const socket = new Pub({ sendBuffer: 1024 * 1024 })
  listensAt(socket.bind(address).address)
  return (body) => socket.send(body)
}

export async function filter(address, topics, onMessage) {
  const socket = new Sub()
  for (const topic of topics) socket.subscribe(topic)
  socket.connect(address)
  for await (const messages of socket.batches()) for (const message of messages) onMessage(message)
}

export const sub = (address, onMessage) => filter(address, [''], onMessage)

export async function requests(address, body, count, meter) {
  const socket = new Req()
  socket.connect(address)
  const ask = async () => {
    while (true) meter.message(await socket.request(body))
  }
  for (let i = 0; i < count; i++) void ask()
}

export async function service(address, meter) {
  const socket = new Rep()
  meter.listensAt(socket.bind(address).address)
  await socket.serve((request) => request, { concurrency: 100_000 })
}
