/** Bodies that look like bytes and are none, and bytes of another realm. */
import { createContext, runInContext } from 'node:vm'
import { type Body, Pair, Pull, Push, Rep, Req, Surveyor } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { failureOf, turn } from './support.js'

const realm = createContext({})
const strange = {
  'an object that inherits from Buffer': Object.create(Buffer.prototype),
  'an object that inherits from Uint8Array': Object.create(Uint8Array.prototype),
  'a Proxy of a Buffer': new Proxy(Buffer.from('abc'), {}),
  'a Proxy in parts': [Buffer.from('a'), new Proxy(Buffer.from('abc'), {})],
} as Record<string, Body>

describe.each(Object.entries(strange))('%s', (_, body) => {
  test('is refused by every function that takes a body', async () => {
    await using push = new Push()
    await using pair = new Pair()
    await using req = new Req()
    await using surveyor = new Surveyor()
    const calls = [
      () => push.send(body),
      () => push.trySend(body),
      () => push.sendBatch([body]),
      () => pair.send(body),
      () => req.request(body),
      () => req.send(body),
      () => surveyor.survey(body),
    ]
    for (const call of calls) {
      const { code, syscall, message } = await failureOf(call)
      expect([code, typeof syscall]).toEqual(['EINVAL', 'string'])
      expect(message).toContain('a Buffer, a Uint8Array or a string')
    }
  })
})

test('bytes of another realm are sent as any others', async () => {
  await using push = new Push()
  await using pull = new Pull()
  await using rep = new Rep()
  await using req = new Req()
  push.connect(pull.bind('inproc://realms').address)
  req.connect(rep.bind('inproc://realm').address)
  const body = runInContext('Uint8Array.of(104, 105)', realm) as Uint8Array
  await push.send(body)
  await push.send([body, 'gh'])
  await push.sendBatch([body])
  expect([await pull.receive(), await pull.receive(), await pull.receive()].map(String)).toEqual(['hi', 'high', 'hi'])
  const serving = rep.serve(() => body)
  expect(String(await req.request(body))).toBe('hi')
  await turn()
  await rep.close()
  await serving
})

describe('bytes that lose their memory while a send waits', () => {
  /** Newer than the library that the types are of. */
  const Resizable = ArrayBuffer as unknown as {
    new (length: number, options: { maxByteLength: number }): ArrayBuffer & { resize(length: number): void }
  }
  const detach = (array: Uint8Array) => structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] })
  /** Of two lengths: short ones are copied before the engine gets them, long ones are sent from where they are. */
  const lengths = [100, 100_000]

  test.each(lengths)('fail alone: others of %i bytes before and behind them are sent in order', async (length) => {
    await using push = new Push()
    await using pull = new Pull()
    const [gone, part, batched] = [new Uint8Array(length), new Uint8Array(length), new Uint8Array(length)]
    const cut = new Resizable(length, { maxByteLength: length })
    const failures = [
      failureOf(() => push.send(gone)),
      failureOf(() => push.send(['before ', part])),
      failureOf(() => push.send(new Uint8Array(cut, 0, length))),
    ]
    const sends = [push.send('1'), push.send('2')]
    failures.push(failureOf(() => push.sendBatch(['3', '4', batched, 'never'])))
    for (const array of [gone, part, batched]) detach(array)
    cut.resize(0)
    push.connect(pull.bind('tcp://127.0.0.1:0').address)
    for (const { code, errno, syscall, message } of await Promise.all(failures)) {
      expect([['EINVAL', 'EFAULT'].includes(code), typeof errno, syscall, message.length > 20]).toEqual([
        true,
        'number',
        'send',
        true,
      ])
    }
    await Promise.all(sends)
    await push.send('5')
    const received: string[] = []
    while (received.at(-1) !== '5') received.push(String(await pull.receive()))
    expect(received).toEqual(['1', '2', '3', '4', '5'])
  })
})
