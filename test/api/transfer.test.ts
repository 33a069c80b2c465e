import { allocMessage, Pair, Pub, Pull, Push, Rep, Sub } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { connectAll, failureOf } from './support.js'

const LENGTH = 1_000_000

function filled(length: number, value: number): Buffer {
  return allocMessage(length).fill(value)
}

describe('a message that is handed over', () => {
  test.each(['inproc://handed-over', 'tcp://127.0.0.1:0', 'ws://127.0.0.1:0'])(
    'arrives, and its Buffer has no bytes any more, over %s',
    async (address) => {
      await using push = new Push()
      await using pull = new Pull()
      connectAll(address, pull, push)
      for (const length of [0, 1, 10_000, LENGTH]) {
        const message = filled(length, 7)
        await push.send(message, { transfer: true })
        expect(message.buffer.byteLength).toBe(0)
        expect(message.length).toBe(0)
        expect((await pull.receive()).equals(Buffer.alloc(length, 7))).toBe(true)
      }
    },
  )

  test('keeps its place among messages that are copied', async () => {
    await using pair = new Pair()
    await using peer = new Pair()
    connectAll('inproc://in-order', pair, peer)
    const sending = [pair.send('1'), pair.send('2'), pair.send(filled(1, 0x33), { transfer: true }), pair.send('4')]
    await Promise.all(sending)
    const received = []
    for (let i = 0; i < 4; i++) received.push(String(await peer.receive()))
    expect(received).toEqual(['1', '2', '3', '4'])
  })

  test('waits for a peer with all of its bytes', async () => {
    await using push = new Push()
    await using pull = new Pull()
    const message = filled(LENGTH, 9)
    const sending = push.send(message, { transfer: true })
    expect(message.length).toBe(LENGTH)
    connectAll('inproc://later', pull, push)
    await sending
    expect(message.length).toBe(0)
    expect((await pull.receive()).equals(Buffer.alloc(LENGTH, 9))).toBe(true)
  })

  test('that is not sent keeps its bytes, and can be sent again', async () => {
    await using push = new Push()
    await using pull = new Pull()
    await using rep = new Rep()
    const message = filled(100, 5)
    expect((await failureOf(() => push.send(message, { transfer: true, timeout: 5 }))).code).toBe('ETIMEDOUT')
    expect((await failureOf(() => rep.send(message, { transfer: true }))).code).toBe('EFSM')
    expect(message.equals(Buffer.alloc(100, 5))).toBe(true)
    connectAll('inproc://again', pull, push)
    await push.send(message, { transfer: true })
    expect((await pull.receive()).equals(Buffer.alloc(100, 5))).toBe(true)
  })
})

describe('a received message can be handed on', () => {
  const inTransit = async (address: string, lengths: number[], check: (message: Buffer, length: number) => void) => {
    await using push = new Push()
    await using incoming = new Pull()
    await using outgoing = new Push()
    await using pull = new Pull()
    connectAll(address, incoming, push)
    connectAll('inproc://onwards', pull, outgoing)
    for (const length of lengths) {
      await push.send(Buffer.alloc(length, 7))
      const message = await incoming.receive()
      await outgoing.send(message, { transfer: true })
      check(message, length)
      expect((await pull.receive()).equals(Buffer.alloc(length, 7))).toBe(true)
    }
  }

  test.each(['inproc://transit', 'tcp://127.0.0.1:0', 'ws://127.0.0.1:0'])(
    'whatever its length is, over %s',
    async (address) => {
      await inTransit(address, [0, 1, 100, 5000, 20_000, 300_000, LENGTH], (message, length) => {
        expect([0, length]).toContain(message.length)
      })
    },
  )

  test('without a copy when it has memory of its own', async () => {
    await inTransit('inproc://without-copy', [5000, LENGTH], (message) => {
      expect(message.length).toBe(0)
      expect(message.buffer.byteLength).toBe(0)
    })
  })

  test('to and fro, again and again', async () => {
    await using one = new Pair()
    await using other = new Pair()
    connectAll('inproc://to-and-fro', one, other)
    await one.send(filled(LENGTH, 3), { transfer: true })
    for (let i = 0; i < 100; i++) {
      await other.send(await other.receive(), { transfer: true })
      await one.send(await one.receive(), { transfer: true })
    }
    expect((await other.receive()).equals(Buffer.alloc(LENGTH, 3))).toBe(true)
  })

  test('by each of its receivers, and the others keep theirs', async () => {
    await using pub = new Pub()
    await using first = new Sub()
    await using second = new Sub()
    await using push = new Push()
    await using pull = new Pull()
    for (const sub of [first, second]) sub.subscribe('')
    connectAll('inproc://several', pub, first, second)
    connectAll('inproc://collected', pull, push)
    await pub.ready({ peers: 2 })
    await pub.send(Buffer.alloc(LENGTH, 6))
    const messages = await Promise.all([first.receive(), second.receive()])
    for (const message of messages) {
      await push.send(message, { transfer: true })
      expect((await pull.receive()).equals(Buffer.alloc(LENGTH, 6))).toBe(true)
    }
  })

  test('even when it was short and has been copied', async () => {
    await using pair = new Pair()
    await using peer = new Pair()
    connectAll('inproc://short', pair, peer)
    const body = Buffer.from('short')
    await pair.send(body, { transfer: true })
    expect(String(body)).toBe('short')
    expect(String(await peer.receive())).toBe('short')
  })

  test('once: not a second time, and not in part', async () => {
    await using pair = new Pair()
    await using peer = new Pair()
    connectAll('inproc://once', pair, peer)
    await pair.send(Buffer.alloc(LENGTH, 1))
    const message = await peer.receive()
    expect((await failureOf(() => peer.send(message.subarray(1), { transfer: true }))).code).toBe('EINVAL')
    await peer.send(message, { transfer: true })
    expect((await failureOf(() => peer.send(message, { transfer: true }))).code).toBe('EINVAL')
    expect((await pair.receive()).length).toBe(LENGTH)
  })
})

describe('handing over is refused', () => {
  test('for memory that is not of allocMessage(), for parts of it, and the second time', async () => {
    await using push = new Push()
    await using pull = new Pull()
    connectAll('inproc://refused', pull, push)
    const message = filled(5000, 1)
    for (const body of [Buffer.alloc(5000), message.subarray(1), message.subarray(0, 4999), 'text', [message]]) {
      const error = await failureOf(() => push.send(body, { transfer: true }))
      expect([error.code, error.syscall]).toEqual(['EINVAL', 'send'])
      expect(error.message).toContain('allocMessage()')
    }
    expect(message.length).toBe(5000)
    await push.send(message, { transfer: true })
    expect((await failureOf(() => push.send(message, { transfer: true }))).code).toBe('EINVAL')
    await push.send('next')
    expect((await pull.receive()).length).toBe(5000)
    expect(String(await pull.receive())).toBe('next')
  })

  test('for an option that is neither true nor false', async () => {
    await using push = new Push()
    const error = await failureOf(() => push.send('x', { transfer: 'yes' as never }))
    expect(error.code).toBe('EINVAL')
  })

  test('for sizes that no message has', () => {
    for (const size of [-1, 1.5, Number.NaN, 2 ** 60, '1' as never]) {
      expect(() => allocMessage(size)).toThrow(/a number of bytes/)
    }
  })
})
