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
