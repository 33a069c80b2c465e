/** npm's zeromq: a binding to libzmq. */
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const { context, Dealer, Publisher, Pull, Push, Reply, Request, Router, Subscriber } = require('zeromq')

export const version = require('zeromq/package.json').version
export const transports = ['tcp', 'ipc', 'inproc']
/** How a peer handshake that then is idle. */
export const handshake = 'zmtp'

async function bind(socket, address, listensAt) {
  await socket.bind(address.replace(/:0$/, ':*'))
  listensAt(socket.lastEndpoint)
}

export async function push(address, body) {
  const socket = new Push()
  socket.connect(address)
  while (true) await socket.send(body)
}

export async function once(address, body) {
  const socket = new Push()
  socket.connect(address)
  await socket.send(body)
}

export async function pull(address, meter) {
  const socket = new Pull()
  await bind(socket, address, meter.listensAt)
  for await (const [message] of socket) meter.message(message)
}

export async function req(address, body, meter) {
  const socket = new Request()
  socket.connect(address)
  while (true) {
    await socket.send(body)
    const [reply] = await socket.receive()
    meter.message(reply)
  }
}

export async function rep(address, meter) {
  const socket = new Reply()
  await bind(socket, address, meter.listensAt)
  for await (const [request] of socket) await socket.send(request)
}

export async function pub(address, listensAt) {
  const socket = new Publisher({ sendHighWaterMark: 0, backlog: 4096 })
  await bind(socket, address, listensAt)
  return (body) => socket.send(body)
}

export async function filter(address, topics, onMessage) {
  // Of themselves a context has room for 1,023.
  if (context.maxSockets < 4096) context.maxSockets = 4096
  const socket = new Subscriber()
  for (const topic of topics) socket.subscribe(topic)
  socket.connect(address)
  for await (const [message] of socket) onMessage(message)
}

export const sub = (address, onMessage) => filter(address, [''], onMessage)

/** Requests side by side: its Request has one at a time, so they are numbered by hand. Only one call may send at a
 * time, so what is to be sent waits in a line. */
export async function requests(address, body, count, meter) {
  const socket = new Dealer({ sendHighWaterMark: 0, receiveHighWaterMark: 0 })
  socket.connect(address)
  const pending = new Map()
  let number = 0
  let line = Promise.resolve()
  const request = () =>
    new Promise((resolve) => {
      const id = String(number++)
      pending.set(id, resolve)
      line = line.then(() => socket.send([id, body]))
    })
  const ask = async () => {
    while (true) meter.message(await request())
  }
  for (let i = 0; i < count; i++) void ask()
  for await (const [id, reply] of socket) {
    const key = id.toString()
    const resolve = pending.get(key)
    pending.delete(key)
    resolve(reply)
  }
}

export async function service(address, meter) {
  const socket = new Router({ sendHighWaterMark: 0, receiveHighWaterMark: 0 })
  await bind(socket, address, meter.listensAt)
  for await (const frames of socket) await socket.send(frames)
}
