/** Requests and replies that are values, by the option codec. */
import { type Codec, Rep, Req } from 'nanomsg-native'
import { describe, expect, test, vi } from 'vitest'
import { connectAll, failureOf, runProgram } from './support.js'

interface Question {
  id: number
  tags: string[]
}

const text: Codec<string, string> = {
  encode: (value) => {
    if (value === 'unwritable') throw new RangeError('not this one')
    return Buffer.from(value.toUpperCase())
  },
  decode: (body) => {
    if (String(body) === 'UNREADABLE') throw new RangeError('nor that one')
    return String(body).toLowerCase()
  },
}

describe('a codec', () => {
  test.each(['json', 'msgpack'] as const)('%s carries values to and fro', async (codec) => {
    await using rep = new Rep<Question, { sum: number; given: Question }>({ codec })
    await using req = new Req<{ sum: number; given: Question }, Question>({ codec })
    connectAll('tcp://127.0.0.1:0', rep, req)
    void rep.serve((given) => ({ sum: given.id + given.tags.length, given }))
    const question = { id: 7, tags: ['a', 'ü'] }
    expect(await req.request(question)).toEqual({ sum: 9, given: question })
    expect([req.codec, rep.codec, rep.stats().codecFailures]).toEqual([codec, codec, 0])
  })

  test('msgpack reads values of all forms', async () => {
    await using rep = new Rep<unknown, unknown>({ codec: 'msgpack' })
    await using req = new Req<unknown, unknown>({ codec: 'msgpack' })
    connectAll('tcp://127.0.0.1:0', rep, req)
    void rep.serve((given) => given)
    const long = (length: number) => Array.from({ length }, (_, i) => i % 3)
    const record = (length: number) => Object.fromEntries(long(length).map((value, i) => [`key${i}`, value]))
    for (const value of [
      [null, true, false, -1, -33, -129, -32769, -(2 ** 31) - 1, 1, 200, 300, 70_000, 2 ** 33, 1.5],
      ['', 'short', 'x'.repeat(40), 'x'.repeat(300), 'x'.repeat(70_000)],
      [Buffer.alloc(10), Buffer.alloc(300), Buffer.alloc(70_000)],
      [[], long(15), long(16), long(70_000)],
      [{}, record(15), record(16), record(70_000)],
      [new Date(0), new Date(2 ** 33 * 1000), new Date(-1)],
    ]) {
      expect(await req.request(value)).toEqual(value)
    }
  })

  test.each([
    ['arrays', 0xdd],
    ['maps', 0xdf],
  ])('msgpack takes no memory for %s that say they are longer than they are', async (_, first) => {
    const lie = Buffer.from([first, 0x01, 0xff, 0xff, 0x00])
    const { exitCode, stdout } = await runProgram(`
      const { Rep, Req } = require('nanomsg-native')
      const rep = new Rep({ codec: 'msgpack' })
      const [req, liar] = [new Req({ codec: 'msgpack' }), new Req()]
      void rep.serve((value) => value, { onError: (error) => error.code })
      for (const socket of [req, liar]) socket.connect(rep.bind('tcp://127.0.0.1:0').address)
      const lie = Buffer.from('${lie.toString('hex')}', 'hex')
      liar.request(Buffer.concat(Array.from({ length: 1000 }, () => lie))).then(async (reply) => {
        console.log(String(reply), await req.request('next'))
        for (const socket of [rep, req, liar]) socket.close()
      })`)
    expect(stdout).toBe('EBADMSG next\n')
    expect(exitCode).toBe(0)
  })

  test('of the program is used, also with options of the request', async () => {
    await using rep = new Rep({ codec: text })
    await using req = new Req({ codec: text })
    connectAll('tcp://127.0.0.1:0', rep, req)
    const seen: string[] = []
    void rep.serve(
      async (value) => {
        seen.push(value)
        return `${value} too`
      },
      { replyErrors: true },
    )
    expect(await req.request('one', { timeout: 5000, expectErrors: true })).toBe('one too')
    expect(seen).toEqual(['one'])
  })

  test('that cannot write a request sends nothing, and is counted', async () => {
    await using req = new Req({ codec: text })
    const error = await failureOf(() => req.request('unwritable'))
    expect(error).toMatchObject({ code: 'EINVAL', syscall: 'request', cause: new RangeError('not this one') })
    expect(error.message).toContain('No body can be made of the request, request (not this one)')
    const { codecFailures, messagesSent } = req.stats()
    expect([codecFailures, messagesSent]).toEqual([1, 0])
    await using json = new Req<unknown, unknown>({ codec: 'json' })
    expect((await failureOf(() => json.request(undefined))).code).toBe('EINVAL')
    await json.close()
    expect(json.stats().codecFailures).toBe(1)
  })

  test('that throws what cannot be shown fails with an error of this package', async () => {
    const encode = () => {
      throw Object.assign(new Error(), { message: Symbol('message') })
    }
    await using req = new Req({ codec: { encode, decode: String } })
    expect(await failureOf(() => req.request('x'))).toMatchObject({ name: 'NanomsgError', code: 'EINVAL' })
  })

  test('that cannot read a reply fails with EBADMSG, and is counted', async () => {
    await using rep = new Rep()
    await using req = new Req<unknown, unknown>({ codec: 'json' })
    connectAll('tcp://127.0.0.1:0', rep, req)
    void rep.serve(() => 'no JSON')
    const error = await failureOf(() => req.request({}))
    expect(error).toMatchObject({ code: 'EBADMSG', syscall: 'request' })
    expect(error.cause).toBeInstanceOf(SyntaxError)
    expect(req.stats().codecFailures).toBe(1)
  })

  test('that cannot read a request, or write an answer, fails that request as a handler does', async () => {
    await using rep = new Rep({ codec: text })
    await using req = new Req()
    connectAll('tcp://127.0.0.1:0', rep, req)
    const onError = vi.fn((error: unknown) => String((error as Error).message))
    void rep.serve((value) => value, { onError })
    expect(String(await req.request('UNREADABLE'))).toMatch(/^EBADMSG: The codec cannot read .* \(nor that one\)/)
    expect(String(await req.request('UNWRITABLE'))).toMatch(/^EINVAL: No body can be made of the answer/)
    expect(String(await req.request('FINE'))).toBe('FINE')
    expect([onError.mock.calls.length, rep.stats().codecFailures]).toEqual([2, 2])
  })

  test.each(['xml', 5, null, {}, { encode: () => '' }])('is none of another kind: %j', async (codec) => {
    const error = await failureOf(() => new Req({ codec: codec as never }))
    expect(error.message).toContain("codec must be 'json', 'msgpack', or an object with encode() and decode()")
  })

  test('leaves send() and receive() as they are, and can be taken back', async () => {
    await using rep = new Rep({ codec: 'json' as never })
    await using req = new Req<unknown, unknown>({ codec: 'json' })
    connectAll('tcp://127.0.0.1:0', rep, req)
    await req.send('raw')
    expect(String(await rep.receive())).toBe('raw')
    await rep.send('answer')
    expect(String(await req.receive())).toBe('answer')
    req.codec = undefined
    rep.codec = undefined
    void rep.serve((body) => body)
    expect(await req.request('bytes')).toEqual(Buffer.from('bytes'))
  })
})
