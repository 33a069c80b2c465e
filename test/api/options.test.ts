import { Bus, Pair, Pub, Pull, Push, Rep, Req, Respondent, Sub, Surveyor } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { failureOf } from './support.js'

const classes = { Pair, Bus, Push, Pull, Pub, Sub, Req, Rep, Surveyor, Respondent }

const defaults = {
  linger: 1000,
  sendBuffer: 131_072,
  receiveBuffer: 131_072,
  sendTimeout: -1,
  receiveTimeout: -1,
  reconnectInterval: 100,
  reconnectIntervalMax: 5000,
  sendPriority: 8,
  receivePriority: 8,
  ipv6: true,
  maxMessageSize: 1_048_576,
  maxTtl: 8,
  maxUnfinishedBytes: 268_435_456,
  maxConnections: -1,
  maxConnectionsPerEndpoint: -1,
  maxConnectionsPerAddress: -1,
  maxHandshakes: 1024,
  tcpNoDelay: true,
  textFrames: false,
} as const

const others = {
  linger: 10,
  sendBuffer: 1,
  receiveBuffer: 2 ** 31 - 1,
  sendTimeout: 0,
  receiveTimeout: 2 ** 31 - 1,
  reconnectInterval: 1,
  reconnectIntervalMax: 60_000,
  sendPriority: 1,
  receivePriority: 16,
  ipv6: false,
  maxMessageSize: -1,
  maxTtl: 255,
  maxUnfinishedBytes: -1,
  maxConnections: 3,
  maxConnectionsPerEndpoint: 4,
  maxConnectionsPerAddress: 5,
  maxHandshakes: 6,
  tcpNoDelay: false,
  textFrames: true,
} as const

/** Types whose messages begin with binary headers send no text frames. */
const othersOf = (type: string) => ({ ...others, textFrames: !/^(Req|Rep|Surveyor|Respondent)$/i.test(type) })

describe.each(Object.entries(classes))('%s', (type, Class) => {
  const others = othersOf(type)

  test('has the documented defaults', async () => {
    await using socket = new Class()
    for (const [name, value] of Object.entries(defaults))
      expect([name, Reflect.get(socket, name)]).toEqual([name, value])
  })

  test('takes options in its constructor', async () => {
    await using socket = new Class(others)
    for (const [name, value] of Object.entries(others)) expect([name, Reflect.get(socket, name)]).toEqual([name, value])
  })

  test('takes options as properties', async () => {
    await using socket = new Class()
    Object.assign(socket, others)
    for (const [name, value] of Object.entries(others)) expect([name, Reflect.get(socket, name)]).toEqual([name, value])
  })
})

const wrongValues: [keyof typeof defaults, unknown, string][] = [
  ['linger', -2, 'or -1'],
  ['linger', 1.5, 'a whole number'],
  ['sendBuffer', 0, 'at least 1'],
  ['receiveBuffer', 2 ** 31, 'a whole number'],
  ['sendTimeout', '100', 'a whole number'],
  ['receiveTimeout', Number.NaN, 'a whole number'],
  ['reconnectInterval', -1, 'a whole number'],
  ['reconnectIntervalMax', null, 'a whole number'],
  ['sendPriority', 0, 'from 1 (highest) to 16'],
  ['sendPriority', 17, 'from 1 (highest) to 16'],
  ['receivePriority', 0, 'from 1 (highest) to 16'],
  ['ipv6', 1, 'true or false'],
  ['maxMessageSize', -2, 'or -1'],
  ['maxTtl', 0, 'from 1 to 255'],
  ['maxTtl', 256, 'from 1 to 255'],
  ['tcpNoDelay', 'yes', 'true or false'],
  ['textFrames', 1, 'true or false'],
]

describe('a value out of range', () => {
  test.each(wrongValues)('of %s is refused: %s', async (name, value, expectation) => {
    await using pair = new Pair()
    const error = await failureOf(() => Reflect.set(pair, name, value))
    expect(error.code).toBe('EINVAL')
    expect(error.syscall).toBe('setsockopt')
    expect(error.message).toContain(name)
    expect(error.message).toContain(expectation)
    expect(Reflect.get(pair, name)).toBe(defaults[name])
    expect((await failureOf(() => new Pair({ [name]: value }))).code).toBe('EINVAL')
  })
})

test('an option that the class does not have is refused, and those that it has are named', async () => {
  const error = await failureOf(() => new Push({ resendInterval: 1 } as never))
  expect(error.code).toBe('EINVAL')
  expect(error.message).toMatch(/linger.*not "resendInterval"/)
})

test('options that are undefined stay at their defaults', async () => {
  await using pair = new Pair({ linger: undefined } as never)
  expect(pair.linger).toBe(1000)
})

test('a Req has a resend interval, a Surveyor a deadline', async () => {
  await using req = new Req({ resendInterval: 50 })
  await using surveyor = new Surveyor({ deadline: 20 })
  expect([req.resendInterval, new Req().resendInterval]).toEqual([50, 60_000])
  expect([surveyor.deadline, new Surveyor().deadline]).toEqual([20, 1000])
})

describe('a name', () => {
  test('is a number until it is set', async () => {
    await using pair = new Pair()
    expect(pair.name).toMatch(/^\d+$/)
    pair.name = 'böse'
    expect(pair.name).toBe('böse')
  })

  test('has at most 63 bytes', async () => {
    await using pair = new Pair({ name: 'n'.repeat(63) })
    expect(pair.name).toHaveLength(63)
    expect((await failureOf(() => new Pair({ name: 'n'.repeat(64) }))).code).toBe('EINVAL')
    expect((await failureOf(() => new Pair({ name: 1 } as never))).message).toContain('at most 63 bytes')
  })
})

describe('an option that a class declares as a field', () => {
  test('is set when the socket is bound or connected, and is an option from then on', async () => {
    class Client extends Pull {
      override receiveTimeout = 1
      override ipv6 = false
      override readonly maxTtl: number = 3
    }
    await using bound = new Client({ receiveTimeout: 60_000 })
    await using connected = new Client()
    bound.bind('inproc://fields')
    connected.connect('inproc://fields')
    for (const socket of [bound, connected]) {
      expect([socket.receiveTimeout, socket.ipv6, socket.maxTtl]).toEqual([1, false, 3])
      expect(Object.keys(socket)).not.toContain('receiveTimeout')
      await expect(socket.receive()).rejects.toMatchObject({ code: 'ETIMEDOUT' })
      socket.receiveTimeout = 2
      expect(Object.keys(socket)).not.toContain('receiveTimeout')
    }
  })

  test('of any kind', async () => {
    class Named extends Surveyor {}
    await using surveyor = new Named()
    const fields = { ...othersOf('Surveyor'), deadline: 7, name: 'field', requestHeaders: { A: 'b' } }
    for (const [name, value] of Object.entries(fields)) {
      Object.defineProperty(surveyor, name, { value, configurable: true, enumerable: true, writable: true })
    }
    surveyor.bind('inproc://fields-of-any-kind')
    expect(surveyor).toMatchObject(fields)
    for (const name of Object.keys(fields)) expect(Object.hasOwn(surveyor, name)).toBe(false)
  })

  test('of one class only', async () => {
    class Client extends Req {
      override attempts = 2
    }
    await using req = new Client()
    req.connect('inproc://field-of-one-class')
    expect(req.attempts).toBe(2)
    expect(Object.hasOwn(req, 'attempts')).toBe(false)
  })

  test('without a value leaves the option as it is', async () => {
    class Declared extends Req {
      override sendPriority!: number
    }
    await using req = new Declared({ sendPriority: 5 })
    expect(Object.hasOwn(req, 'sendPriority')).toBe(true)
    req.connect('inproc://declared')
    expect(req.sendPriority).toBe(5)
  })

  test('is refused when its value is wrong', async () => {
    class Wrong extends Push {
      override sendTimeout = -5
    }
    await using push = new Wrong()
    const error = await failureOf(() => push.bind('inproc://wrong'))
    expect(error).toMatchObject({ code: 'EINVAL' })
    expect(error.message).toContain('sendTimeout')
  })

  test('is no concern of sockets that do not have it, nor of other fields', async () => {
    class Own extends Push {
      deadline = 'tomorrow'
      place = 'here'
    }
    await using push = new Own()
    push.bind('inproc://own')
    expect([push.deadline, push.place]).toEqual(['tomorrow', 'here'])
  })
})
