/**
 * How peers can be a burden. Each attack is what one peer does again and again, and how many peers do it at a time;
 * `act` resolves when the peer has nothing more to do, or never: it ends when the server has had enough.
 */
import { randomBytes } from 'node:crypto'
import { clientHello } from './transports.mjs'

const KiB = 1024
const never = new Promise(() => {})
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** Resolves when the kernel has taken it, or the connection is no more. */
const write = (stream, bytes) => new Promise((resolve) => stream.write(bytes, () => resolve()))

/** Writes the same again and again, as fast as it is taken. */
async function pour(stream, bytes) {
  while (!stream.destroyed) await write(stream, bytes)
}

async function drip(stream, bytes, intervalMs = 20) {
  for (let i = 0; !stream.destroyed; i++) {
    stream.write(bytes.subarray(i % bytes.length, (i % bytes.length) + 1))
    await pause(intervalMs)
  }
}

const hello = await clientHello()

/** The first half of what a peer says first: of its greeting, its request to upgrade, or its hello. */
function halfOfFirstWord(target) {
  const word = target.transport.isTls ? hello : target.greeting('req')
  return word.subarray(0, word.length / 2)
}

/** Requests have an id before the body. */
const request = (target, bytes) =>
  Buffer.concat([target.prefix(4 + bytes), Buffer.from([0x80, 0, 0, 1]), Buffer.alloc(bytes)])

const everywhere = [
  {
    name: 'connect and say nothing',
    peers: 400,
    act: async (target) => {
      await target.openPlain()
      await never
    },
  },
  {
    name: 'say half of their first word',
    peers: 400,
    act: async (target) => {
      const stream = await target.openPlain()
      stream.write(halfOfFirstWord(target))
      await never
    },
  },
  {
    name: 'drip their first word',
    peers: 200,
    act: async (target) => drip(await target.openPlain(), halfOfFirstWord(target)),
  },
  {
    name: 'stop in a message',
    peers: 200,
    act: async (target) => {
      const stream = await target.openAdmitted('req')
      stream.write(request(target, 900 * KiB).subarray(0, 64 * KiB))
      await never
    },
  },
  {
    name: 'drip messages',
    peers: 200,
    act: async (target) => drip(await target.openAdmitted('req'), request(target, 100)),
  },
  {
    name: 'announce huge messages',
    peers: 20,
    act: async (target) => {
      const stream = await target.openAdmitted('req')
      await write(stream, target.prefix(2n ** 62n))
      await pause(5)
    },
  },
  {
    name: 'are of a wrong type',
    peers: 20,
    act: async (target) => {
      await target.openAdmitted('sub')
      await pause(5)
    },
  },
  {
    name: 'connect and are reset',
    peers: 50,
    act: async (target) => {
      const stream = await target.openPlain()
      if (!target.transport.isLocal) stream.resetAndDestroy()
    },
  },
  {
    name: 'do all but speak, and leave',
    peers: 20,
    act: (target) => target.openAdmitted('req'),
  },
  {
    name: 'say anything',
    peers: 50,
    act: async (target) => {
      await write(await target.openPlain(), randomBytes(300))
      await pause(2)
    },
  },
  {
    name: 'ask and never read',
    peers: 20,
    act: async (target) => {
      const stream = await target.openAdmitted('req')
      stream.pause()
      await pour(stream, request(target, 64 * KiB))
    },
  },
  {
    name: 'ask without a pause',
    peers: 10,
    act: async (target) => {
      const stream = await target.openAdmitted('req')
      await pour(stream, Buffer.concat(Array.from({ length: 500 }, () => request(target, 20))))
    },
  },
  {
    name: 'send empty messages',
    peers: 10,
    act: async (target) => {
      const stream = await target.openAdmitted('req')
      await pour(stream, Buffer.concat(Array.from({ length: 2000 }, () => target.prefix(0))))
    },
  },
]

/** A frame of WebSocket from a client, masked with zeros. */
const frame = (opcode, bytes) => Buffer.concat([Buffer.from([opcode, 0x80 | bytes]), Buffer.alloc(4 + bytes)])
const PING = 0x89
const [FIRST_FRAGMENT, FRAGMENT] = [0x02, 0x00]

const withWebSocket = [
  {
    name: 'send headers without end',
    peers: 20,
    act: async (target) => {
      const stream = await target.open()
      stream.write('GET /stress HTTP/1.1\r\n')
      await pour(stream, Buffer.from('X-Stress: stress\r\n'.repeat(100)))
    },
  },
  {
    name: 'ping without a pause',
    peers: 10,
    act: async (target) => {
      const stream = await target.openAdmitted('req')
      await pour(stream, Buffer.concat(Array.from({ length: 1000 }, () => frame(PING, 20))))
    },
  },
  {
    name: 'send fragments without end',
    peers: 10,
    act: async (target) => {
      const stream = await target.openAdmitted('req')
      stream.write(frame(FIRST_FRAGMENT, 0))
      await pour(stream, Buffer.concat(Array.from({ length: 2000 }, () => frame(FRAGMENT, 0))))
    },
  },
]

/** A record of TLS that holds a part of a handshake. */
const record = (content) => Buffer.concat([Buffer.from([22, 3, 1, content.length >> 8, content.length & 255]), content])

const withTls = [
  {
    name: 'say hello and leave',
    peers: 20,
    act: async (target) => {
      const stream = await target.openPlain()
      stream.write(hello)
      await new Promise((resolve) => stream.once('data', resolve).once('close', resolve))
    },
  },
  {
    name: 'say a hello without end',
    peers: 20,
    act: async (target) => {
      const stream = await target.openPlain()
      stream.write(record(Buffer.from([1, 0xff, 0xff, 0xff])))
      await pour(stream, record(Buffer.alloc(16 * KiB)))
    },
  },
  {
    name: 'say a hello of tiny records',
    peers: 20,
    act: async (target) => {
      const stream = await target.openPlain()
      stream.write(record(Buffer.from([1, 1, 0xff, 0xff])))
      await pour(stream, Buffer.concat(Array.from({ length: 1000 }, () => record(Buffer.alloc(1)))))
    },
  },
]

/** The attacks that a transport can meet. */
export const attacksOn = ({ isWebSocket, isTls }) => [
  ...everywhere,
  ...(isWebSocket ? withWebSocket : []),
  ...(isTls ? withTls : []),
]

/** Attackers that hold connections, and memory of the server where they can: they say nothing, half a word, or the
 * greater part of a message. `arrived` is called when this is done. */
export const strangers = [
  async (target, arrived) => {
    await target.openPlain()
    arrived()
    await never
  },
  async (target, arrived) => {
    const stream = await target.openPlain()
    await write(stream, halfOfFirstWord(target))
    arrived()
    await never
  },
  async (target, arrived) => {
    const stream = await target.openAdmitted('push')
    await write(stream, Buffer.concat([target.prefix(1000 * KiB), Buffer.alloc(60 * KiB)]))
    arrived()
    await drip(stream, Buffer.alloc(1), 1000)
  },
]
