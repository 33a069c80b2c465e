/** Objects of callers that cannot be read, wherever one is taken: the error is of the call, and no TypeError of V8. */
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { NanomsgError, Pair, Rep, registerTransport, type Transport } from 'nanomsg-native'
import * as compat from 'nanomsg-native/compat'
import * as nn from 'nanomsg-native/nn'
import { describe, expect, test } from 'vitest'
import { failureOf } from './support.js'

function revoked(target: object): never {
  const { proxy, revoke } = Proxy.revocable(target, {})
  revoke()
  return proxy as never
}

const passed = new Error('of the caller')
const fail = (): never => {
  throw passed
}

const unreadable: Record<string, () => never> = {
  'a Proxy of an object that was revoked': () => revoked({}),
  'a Proxy of an array that was revoked': () => revoked([]),
  'a Proxy of a function that was revoked': () => revoked(() => {}),
  'what inherits from a Proxy that was revoked': () => Object.create(revoked({})) as never,
}

let lastScheme = 0
/** Registers a transport, and returns an address of it. */
function addressOf(transport: Transport): string {
  const scheme = `strange${lastScheme++}`
  registerTransport(scheme, transport)
  return `${scheme}://x`
}

const connect = () => new PassThrough()
const close = () => {}

/** The error of binding to, or connecting by, a transport that returns what cannot be used. */
async function using(method: 'bind' | 'connect', transport: Transport): Promise<unknown> {
  await using pair = new Pair()
  return failureOf(() => pair[method](addressOf(transport)))
}

/** What each call throws, or rejects with. */
const calls: Record<string, (value: never) => unknown> = {
  'registerTransport()': (value) => failureOf(() => registerTransport('strange', value)),
  'registerTransport() of a class': (value) =>
    failureOf(() => registerTransport('strange', Object.create({ connect: value }))),
  'registerTransport() with listen()': (value) =>
    failureOf(() => registerTransport('strange', { connect, listen: value })),
  'connect() by a transport': (value) => using('connect', { connect: () => value }),
  'bind() by a transport': (value) => using('bind', { connect, listen: () => value }),
  'bind() by a transport, to an address': (value) =>
    using('bind', { connect, listen: () => ({ close, address: value }) }),
  'bind() by a transport, with close()': (value) => using('bind', { connect, listen: () => ({ close: value }) }),
  'bind() by a transport, of a connection': (value) =>
    using('bind', {
      connect,
      listen: (_, onConnection) => {
        onConnection(value)
        return { close }
      },
    }),
  'serve()': async (value) => {
    await using rep = new Rep()
    return failureOf(() => rep.serve(value))
  },
  'serve() with onError': async (value) => {
    await using rep = new Rep()
    return failureOf(() => rep.serve(() => undefined, { onError: value }))
  },
  'NN_CMSG_DATA()': (value) => failureOf(() => nn.NN_CMSG_DATA(value)),
  'NN_CMSG_NXTHDR()': (value) => failureOf(() => nn.NN_CMSG_NXTHDR({}, value)),
  'nn_cmsg_nxthdr_()': (value) => failureOf(() => nn.nn_cmsg_nxthdr_({}, value)),
}

describe.each(Object.entries(calls))('%s', (_, call) => {
  test.each(Object.entries(unreadable))('refuses %s', async (_, make) => {
    const error = (await call(make())) as NanomsgError
    expect(error).toBeInstanceOf(NanomsgError)
    expect([error.code, error.errno, typeof error.syscall]).toEqual(['EINVAL', 22, 'string'])
    expect(error.message).toMatch(/ must be /)
  })
})

describe('registerTransport()', () => {
  test.each<[string, unknown]>([
    ['a getter', Object.defineProperty({}, 'connect', { get: fail })],
    ['a Proxy', new Proxy({ connect }, { get: fail })],
    ['a Proxy that it inherits from', Object.create(new Proxy({}, { get: fail }))],
  ])('passes on what %s throws', (_, transport) => {
    expect(() => registerTransport('strange', transport as Transport)).toThrow(passed)
  })

  test('knows the scheme of no transport that was refused', () => {
    expect(() => registerTransport('refused', revoked({}))).toThrow(NanomsgError)
    registerTransport('refused', { connect })
  })

  test.each(['bind', 'connect'] as const)('of a transport that is revoked later: %s() is refused', async (method) => {
    const { proxy, revoke } = Proxy.revocable<Transport>({ connect, listen: () => ({ close }) }, {})
    const address = addressOf(proxy)
    revoke()
    await using pair = new Pair()
    expect(await failureOf(() => pair[method](address))).toMatchObject({ code: 'EINVAL', syscall: method })
  })
})

describe('a transport that rejects', () => {
  const reasons: Record<string, () => unknown> = {
    ...unreadable,
    'an object without a text': () => Object.create(null),
    'an object whose text throws': () => ({ toString: fail }),
    'an error whose code throws': () => Object.defineProperty(new Error('x'), 'code', { get: fail }),
    'a Proxy that throws': () => new Proxy({}, { get: fail, getPrototypeOf: fail }),
    'a symbol': () => Symbol('x'),
    nothing: () => undefined,
  }
  const rejecting = (reason: () => unknown): Transport => ({
    connect: () => Promise.reject(reason()),
    listen: () => Promise.reject(reason()),
  })

  test.each(Object.keys(reasons))('with %s: a failure event, and another attempt', async (name) => {
    for (const method of ['bind', 'connect'] as const) {
      await using pair = new Pair({ reconnectInterval: 1 })
      pair[method](addressOf(rejecting(reasons[name]!)))
      for (let attempt = 0; attempt < 2; attempt++) {
        const [{ error }] = await once(pair, 'failure')
        expect(error).toBeInstanceOf(NanomsgError)
        expect([error.code, error.errno, error.syscall]).toEqual(['EIO', 5, method])
      }
    }
  })
})

describe('the npm package', () => {
  test.each(Object.entries({ ...unreadable, 'an object without a text': () => Object.create(null) as never }))(
    'refuses %s',
    (_, make) => {
      for (const call of [compat.socket, compat.createSocket, compat.device, compat.createDevice]) {
        expect(() => (call as (value: never) => unknown)(make())).toThrow(
          expect.objectContaining({ code: 'EINVAL', errno: 22 }),
        )
      }
      expect(compat.symbol(make())).toEqual(compat.symbol(0))
      expect(compat.symbolInfo(make())).toEqual(compat.symbolInfo(0))
    },
  )
})
