/** Sockets as streams of messages. */
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Pair, Pull, Push } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { connectAll, failureOf, transports, turn } from './support.js'

const numbers = Array.from({ length: 500 }, (_, i) => `message ${i}`)

describe.each(transports)('over $scheme', ({ address }) => {
  test("messages pass through Node's streams, one chunk each", async () => {
    await using push = new Push()
    await using pull = new Pull()
    connectAll(address(), pull, push)
    const writing = pipeline(Readable.from(numbers), push.writable())
    const received: string[] = []
    for await (const message of pull.readable()) if (received.push(String(message)) === numbers.length) break
    await writing
    expect(received).toEqual(numbers)
  })

  test('messages pass through streams of the web', async () => {
    await using push = new Push()
    await using pull = new Pull()
    connectAll(address(), pull, push)
    const writing = new ReadableStream<string>({
      start(controller) {
        for (const number of numbers) controller.enqueue(number)
        controller.close()
      },
    }).pipeTo(push.writable({ type: 'web' }) as WritableStream<string>)
    const received: string[] = []
    for await (const message of pull.readable({ type: 'web' })) {
      if (received.push(String(message)) === numbers.length) break
    }
    await writing
    expect(received).toEqual(numbers)
  })
})

test('a stream that is not read slows the sender down', async () => {
  await using push = new Push()
  await using pull = new Pull()
  connectAll('tcp://127.0.0.1:0', pull, push)
  const body = Buffer.alloc(64 * 1024)
  const readable = pull.readable()
  const writable = push.writable().on('error', () => {}) // it is closed in the middle
  let written = 0
  const write = () => {
    writable.write(body, (error) => {
      if (error) return
      written++
      write()
    })
  }
  write()
  expect((await readable[Symbol.asyncIterator]().next()).value).toEqual(body)
  for (let quiet = 0, last = written; quiet < 200; quiet++) {
    await turn()
    if (written !== last) quiet = 0
    last = written
    expect(written).toBeLessThan(1000)
  }
})

test('a stream ends when the socket is closed, and leaves it open when it is destroyed', async () => {
  const pull = new Pull()
  pull.bind('inproc://ending')
  const left = pull.readable()
  left.destroy()
  expect(pull.closed).toBe(false)
  const ending = pull.readable()
  const ended = (async () => {
    for await (const _message of ending);
    return true
  })()
  await pull.close()
  expect(await ended).toBe(true)
})

test('a write to a socket that is closed fails the stream', async () => {
  const push = new Push()
  const writable = push.writable()
  await push.close()
  const failed = new Promise((resolve) => writable.once('error', resolve))
  writable.write('x')
  expect(await failed).toMatchObject({ code: 'EBADF', syscall: 'send' })
})

test('sockets that do both have both', async () => {
  await using left = new Pair()
  await using right = new Pair()
  connectAll('inproc://both', left, right)
  void pipeline(right.readable(), right.writable()).catch(() => {}) // an echo
  expect(left.readable()).toBeInstanceOf(Readable)
  expect(left.writable()).toBeInstanceOf(Writable)
  await left.send('echo')
  expect(String(await left.receive())).toBe('echo')
})

test('what is no kind of stream is refused', async () => {
  await using pair = new Pair()
  expect((await failureOf(() => pair.readable({ type: 'other' } as never))).code).toBe('EINVAL')
  expect((await failureOf(() => pair.writable({ type: 'other' } as never))).code).toBe('EINVAL')
})
