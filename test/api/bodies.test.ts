import { Pair } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { connectAll, failureOf, transports } from './support.js'

const allBytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
const wide = new Uint8Array(new ArrayBuffer(64)).map((_, i) => i)

/** TypeScript does not know these yet. */
function growing(): ArrayBuffer {
  return new (ArrayBuffer as new (length: number, options: object) => ArrayBuffer)(8, { maxByteLength: 100 })
}

const bodies: [string, Uint8Array | string, Uint8Array][] = [
  ['nothing', '', Buffer.alloc(0)],
  ['an empty Buffer', Buffer.alloc(0), Buffer.alloc(0)],
  ['one byte', Buffer.from([0]), Buffer.from([0])],
  ['all byte values', allBytes, allBytes],
  ['a string of many scripts', 'aé世🜚\0', Buffer.from('aé世🜚\0')],
  ['a lone surrogate', '\ud800', Buffer.from('\ufffd')],
  ['a Uint8Array', wide, wide],
  ['a view with an offset', wide.subarray(7, 30), wide.subarray(7, 30)],
  ['shared memory', new Uint8Array(new SharedArrayBuffer(3)).fill(9), Buffer.from([9, 9, 9])],
  ['8 KiB', Buffer.alloc(8192, 'k'), Buffer.alloc(8192, 'k')],
  ['8 KiB and a byte', Buffer.alloc(8193, 'k'), Buffer.alloc(8193, 'k')],
  ['a string of 100 kB', 'ü'.repeat(50_000), Buffer.from('ü'.repeat(50_000))],
  ['1 MiB less a byte', Buffer.alloc(2 ** 20 - 1, 'm'), Buffer.alloc(2 ** 20 - 1, 'm')],
  ['a view of shared memory', new Uint8Array(new SharedArrayBuffer(9), 3, 4).fill(5), Buffer.alloc(4, 5)],
  ['a view of memory that can grow', new Uint8Array(growing(), 2).fill(6), Buffer.alloc(6, 6)],
  ['1 MiB, the longest by default', Buffer.alloc(2 ** 20, 'm'), Buffer.alloc(2 ** 20, 'm')],
]

describe.each(transports)('over $scheme', ({ address }) => {
  test.each(bodies)('%s arrives as it was', async (_, body, expected) => {
    await using left = new Pair()
    await using right = new Pair()
    connectAll(address(), left, right)
    const received = right.receive()
    await left.send(body)
    expect((await received).equals(expected)).toBe(true)
  })

  test('16 MiB arrive where they are allowed', async () => {
    await using left = new Pair({ linger: -1 })
    await using right = new Pair({ maxMessageSize: -1 })
    connectAll(address(), left, right)
    const body = Buffer.alloc(2 ** 24)
    for (let at = 0; at < body.length; at += 4096) body.writeUInt32LE(at, at)
    await left.send(body)
    expect((await right.receive()).equals(body)).toBe(true)
  })

  test('messages of all lengths arrive in order', async () => {
    await using left = new Pair()
    await using right = new Pair({ maxMessageSize: -1 })
    connectAll(address(), left, right)
    const lengths = Array.from({ length: 400 }, (_, i) => (i * 7919) % 70_001)
    void (async () => {
      for (const [i, length] of lengths.entries()) await left.send(Buffer.alloc(length, i))
    })()
    for (const [i, length] of lengths.entries()) {
      const message = await right.receive()
      expect(message.length).toBe(length)
      expect(message.every((byte) => byte === i % 256)).toBe(true)
    }
  })

  test('parts arrive as one message', async () => {
    await using left = new Pair()
    await using right = new Pair()
    connectAll(address(), left, right)
    const long = Buffer.alloc(100_000, 'long')
    const bodies = [[], ['a'], ['Grüße', Buffer.from([0, 1]), ''], [new Uint8Array(5), 'x', long, long, 'end']]
    for (const body of bodies) {
      void left.send(body)
      void left.send(body) // is gathered behind the first
      const expected = Buffer.concat(body.map((part) => Buffer.from(part as Buffer)))
      expect((await right.receive()).equals(expected)).toBe(true)
      expect((await right.receive()).equals(expected)).toBe(true)
    }
  })

  test('a Buffer may be changed once it is sent', async () => {
    await using left = new Pair()
    await using right = new Pair()
    connectAll(address(), left, right)
    for (const length of [10, 5000, 20_000, 300_000]) {
      const body = Buffer.alloc(length, 'a')
      await left.send(body)
      body.fill('b')
      expect((await right.receive()).equals(Buffer.alloc(length, 'a'))).toBe(true)
    }
  })
})

test('a received Buffer is a Buffer of its own: changing it changes no other', async () => {
  await using left = new Pair()
  await using right = new Pair()
  connectAll('tcp://127.0.0.1:0', left, right)
  await Promise.all([left.send('aaaa'), left.send('bbbb'), left.send('')])
  const [a, b, empty] = [await right.receive(), await right.receive(), await right.receive()]
  a.fill('x')
  expect([String(a), String(b), String(empty)]).toEqual(['xxxx', 'bbbb', ''])
  expect(Object.getPrototypeOf(a)).toBe(Buffer.prototype)
  expect(a.readUInt32BE(0)).toBe(0x78787878)
})

test('a body whose memory was given away is refused', async () => {
  await using pair = new Pair()
  const body = new Uint8Array(100)
  structuredClone(body, { transfer: [body.buffer] })
  const error = await failureOf(() => pair.send(body))
  expect(error.code).toBe('EINVAL')
  expect(error.message).toContain('whose memory was transferred')
})

test('a view that its memory no longer covers is refused', async () => {
  await using pair = new Pair()
  const memory = growing()
  const body = new Uint8Array(memory, 4)
  ;(memory as unknown as { resize(length: number): void }).resize(2)
  expect((await failureOf(() => pair.send(body))).code).toBe('EINVAL')
})

test('the memory of a message cannot be given away: other messages lie there, too', async () => {
  await using left = new Pair()
  await using right = new Pair()
  connectAll('tcp://127.0.0.1:0', left, right)
  for (const length of [10, 3000, 20_000]) {
    await left.send(Buffer.alloc(length, 'a'))
    const message = await right.receive()
    const next = right.receive()
    try {
      structuredClone(message, { transfer: [message.buffer as ArrayBuffer] })
    } catch (error) {
      expect((error as Error).name).toBe('DataCloneError')
    }
    expect(message.equals(Buffer.alloc(length, 'a'))).toBe(true)
    await left.send('b')
    expect(String(await next)).toBe('b')
  }
})

test('a message that is longer than the receiver allows costs its sender the connection', async () => {
  await using left = new Pair({ reconnectInterval: 5 })
  await using right = new Pair({ maxMessageSize: 1000 })
  connectAll('tcp://127.0.0.1:0', right, left)
  await left.send(Buffer.alloc(1000, 'a'))
  expect((await right.receive()).length).toBe(1000)
  await left.send(Buffer.alloc(1001, 'b'))
  const error = await failureOf(() => right.receive({ timeout: 50 }))
  expect(error.code).toBe('ETIMEDOUT')
  await left.send('c')
  expect(String(await right.receive())).toBe('c')
})
