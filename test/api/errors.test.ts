import { constants } from 'node:os'
import { inspect } from 'node:util'
import { NanomsgError, Pair, Pull, Push, Req } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { failureOf } from './support.js'

describe('an error', () => {
  test('has the code, the number and the call, as those of Node.js have, and says what to do', async () => {
    await using pull = new Pull()
    const error = await failureOf(() => pull.bind('tcp://127.0.0.1:80x'))
    expect(error).toBeInstanceOf(Error)
    expect(error.name).toBe('NanomsgError')
    expect(error.code).toBe('EINVAL')
    expect(error.errno).toBe(constants.errno.EINVAL)
    expect(error.syscall).toBe('bind')
    expect(error.message).toMatch(/^EINVAL: .*"tcp:\/\/127\.0\.0\.1:80x"\. Write addresses as tcp:/)
  })

  test('of a protocol has a code that only protocols know', async () => {
    await using req = new Req()
    const error = await failureOf(() => req.receive())
    expect(error.code).toBe('EFSM')
    expect(error.message).toContain('Send a request')
  })

  test('has a stack that leads to the caller', async () => {
    await using pull = new Pull()
    expect((await failureOf(() => pull.bind('?'))).stack).toContain('errors.test.ts')
  })

  test('shows its code where it is printed', async () => {
    await using pull = new Pull()
    const printed = inspect(await failureOf(() => pull.receive({ timeout: 0 })))
    expect(printed).toMatch(/^NanomsgError: ETIMEDOUT: /)
    for (const property of ["code: 'ETIMEDOUT'", `errno: ${constants.errno.ETIMEDOUT}`, "syscall: 'receive'"]) {
      expect(printed).toContain(property)
    }
  })

  test.each<[string, string, (pair: Pair) => unknown]>([
    ['EPROTONOSUPPORT', 'bind', (pair) => pair.bind('http://x')],
    ['EINVAL', 'connect', (pair) => pair.connect('tcp://x')],
    ['ENAMETOOLONG', 'connect', (pair) => pair.connect(`tcp://${'x'.repeat(200)}:1`)],
    ['EADDRNOTAVAIL', 'bind', (pair) => pair.bind('tcp://192.0.2.1:5555')],
    ['EADDRINUSE', 'bind', (pair) => pair.bind(pair.bind('tcp://127.0.0.1:0').address)],
    ['ETIMEDOUT', 'send', (pair) => pair.send('x', { timeout: 1 })],
    ['ETIMEDOUT', 'receive', (pair) => pair.receive({ timeout: 1 })],
    ['EINVAL', 'setsockopt', (pair) => Reflect.set(pair, 'maxTtl', 0)],
    ['EINVAL', 'socket', () => new Pair({ nonsense: 1 } as never)],
    ['EINVAL', 'socket', () => new Pair('linger' as never)],
    ['EINVAL', 'setsockopt', (pair) => pair.close({ linger: -2 })],
  ])('is %s of %s, with the number of this system', async (code, syscall, call) => {
    await using pair = new Pair()
    const error = await failureOf(() => call(pair))
    expect([error.code, error.syscall]).toEqual([code, syscall])
    expect(error.errno).toBe(constants.errno[code as keyof typeof constants.errno])
    expect(error.message.startsWith(`${code}: `)).toBe(true)
    expect(pair.closed).toBe(false)
  })

  test('can be told from others by its class', () => {
    expect(() => new Pair({ linger: -2 })).toThrow(NanomsgError)
  })
})

describe('a body', () => {
  test.each([
    ['a number', 7],
    ['null', null],
    ['undefined', undefined],
    ['a plain object', { length: 3 }],
    ['an ArrayBuffer', new ArrayBuffer(3)],
    ['a DataView', new DataView(new ArrayBuffer(3))],
    ['a wider typed array', new Uint16Array(3)],
  ])('cannot be %s', async (_, body) => {
    await using push = new Push()
    for (const call of [() => push.send(body as never), () => push.trySend(body as never)]) {
      const error = await failureOf(call)
      expect(error.code).toBe('EINVAL')
      expect(error.message).toContain('the body must be a Buffer, a Uint8Array or a string')
    }
  })

  test.each([[[1]], [['a', null]], [[['nested']]]])('cannot have parts that are no bytes: %j', async (body) => {
    await using push = new Push()
    const error = await failureOf(() => push.send(body as never))
    expect(error.code).toBe('EINVAL')
    expect(error.message).toMatch(/the body\[\d\] must be a Buffer/)
  })
})

describe('what waiting calls are given', () => {
  test.each([
    ['a timeout below -1', { timeout: -2 }, 'timeout'],
    ['a timeout that is no number', { timeout: '1' }, 'timeout'],
    ['NaN', { timeout: Number.NaN }, 'timeout'],
    ['a signal of another kind', { signal: {} }, 'signal'],
    ['no object', 5, 'options'],
    ['null', null, 'options'],
  ])('is checked: %s', async (_, options, name) => {
    await using pair = new Pair()
    for (const call of [() => pair.send('x', options as never), () => pair.receive(options as never)]) {
      const error = await failureOf(call)
      expect(error.code).toBe('EINVAL')
      expect(error.message).toContain(`${name} must be`)
    }
  })
})

describe('a closed socket', () => {
  test('refuses every call with EBADF', async () => {
    const pair = new Pair()
    await pair.close()
    const calls = [
      () => pair.bind('tcp://127.0.0.1:0'),
      () => pair.connect('tcp://127.0.0.1:1'),
      () => pair.send('x'),
      () => pair.trySend('x'),
      () => pair.receive(),
      () => pair.tryReceive(),
      () => {
        pair.linger = 1
      },
      () => {
        pair.name = 'late'
      },
    ]
    for (const call of calls) expect((await failureOf(call)).code).toBe('EBADF')
    expect(pair.closed).toBe(true)
  })
})
