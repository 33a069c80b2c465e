/** What callers may pass where a body or options belong: each value is sent as it is, or refused with a reason. Then
 * the socket goes on working, and nothing else is sent or lost. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createContext, runInContext } from 'node:vm'
import {
  Bus,
  NanomsgError,
  Pair,
  Pub,
  Pull,
  Push,
  Rep,
  Req,
  Respondent,
  type Socket,
  Sub,
  Surveyor,
} from 'nanomsg-native'
import * as compat from 'nanomsg-native/compat'
import * as nn from 'nanomsg-native/nn'
import { describe, expect, test } from 'vitest'
import { transports } from './support.js'

const realm = createContext({})
const inRealm = (text: string) => runInContext(text, realm)

function revoked(target: object): unknown {
  const { proxy, revoke } = Proxy.revocable(target, {})
  revoke()
  return proxy
}

const detached = (length: number) => {
  const array = new Uint8Array(length)
  structuredClone(array.buffer, { transfer: [array.buffer] })
  return array
}

/** Newer than the library that the types are of. */
const Resizable = ArrayBuffer as unknown as {
  new (length: number, options: { maxByteLength: number }): ArrayBuffer & { resize(length: number): void }
}
const cut = (length: number) => {
  const memory = new Resizable(length, { maxByteLength: length })
  const array = new Uint8Array(memory, 0, length)
  memory.resize(length - 1)
  return array
}

const withTrap = (target: object, get: (name: string | symbol) => unknown) =>
  new Proxy(target, { get: (_, name) => get(name) })

/** A Proxy of an array that says it has that number of parts, of which none can be read. */
const lyingAbout = (length: unknown) =>
  withTrap([], (name) => {
    if (name === 'length') return length
    // `await` asks for `then`.
    if (name === 'then') return undefined
    throw new Error('a part was read')
  })

/** Others at each time that they are read. */
const changing = (...values: unknown[]) => {
  const parts = [0]
  Object.defineProperty(parts, 0, { get: () => values.shift() })
  return parts
}

/** Bytes with a length of their own. */
const claiming = (length: number, text = 'x') => Object.defineProperty(Buffer.from(text), 'length', { value: length })

class Iterable extends Array<string> {
  override *[Symbol.iterator](): ArrayIterator<string> {
    yield 'of the iterator'
  }
}

const passed = new Error('of the caller')
const fail = () => {
  throw passed
}

/** What is sent, with its text. */
const sent: [string, () => unknown, string][] = [
  ['bytes of another realm', () => inRealm('Uint8Array.of(104, 105)'), 'hi'],
  ['parts of another realm', () => inRealm('["a", Uint8Array.of(98)]'), 'ab'],
  ['a view of a SharedArrayBuffer', () => new Uint8Array(new SharedArrayBuffer(3)).fill(97), 'aaa'],
  ['a long view of a SharedArrayBuffer', () => new Uint8Array(new SharedArrayBuffer(9000)).fill(97), 'a'.repeat(9000)],
  ['a view of a resizable ArrayBuffer', () => new Uint8Array(new Resizable(2, { maxByteLength: 9 })).fill(98), 'bb'],
  ['a Proxy of parts', () => new Proxy(['a', Buffer.from('b')], {}), 'ab'],
  ['parts that are read only once', () => changing('once', Symbol('twice'), 'a'.repeat(100_000)), 'once'],
  ['parts with an iterator of their own', () => Iterable.from(['a', 'b']), 'ab'],
  ['an array without a prototype', () => Object.setPrototypeOf(['a', 'b'], null), 'ab'],
  ['no parts', () => [], ''],
  ['bytes that say they are more', () => claiming(8000), 'x'],
  ['bytes that say they are fewer', () => claiming(0, 'xy'), 'xy'],
  ['bytes that say they are fewer than none', () => claiming(-5), 'x'],
  ['parts that say they are fewer than none', () => ['a', claiming(-5)], 'ax'],
  ['long bytes that say they are one', () => claiming(1, 'y'.repeat(9000)), 'y'.repeat(9000)],
]

const refused: [string, () => unknown][] = [
  ['an ArrayBuffer', () => new ArrayBuffer(3)],
  ['an ArrayBuffer of another realm', () => inRealm('new ArrayBuffer(3)')],
  ['a SharedArrayBuffer', () => new SharedArrayBuffer(3)],
  ['a DataView', () => new DataView(new ArrayBuffer(3))],
  ['a Float64Array', () => new Float64Array(3)],
  ['a Proxy of bytes', () => new Proxy(Buffer.from('abc'), {})],
  ['a Proxy that was revoked', () => revoked({})],
  ['a Proxy of parts that was revoked', () => revoked([])],
  ['a Proxy that was revoked in parts', () => ['a', revoked({})]],
  ['an object whose text throws', () => ({ toString: fail, valueOf: fail, [Symbol.toPrimitive]: fail })],
  ['an object whose length throws', () => Object.defineProperty({}, 'length', { get: fail })],
  ['an object that looks like an array', () => ({ length: 1, 0: 'a' })],
  ['an object without a prototype', () => Object.create(null)],
  ['what inherits from Buffer', () => Object.create(Buffer.prototype)],
  ['a symbol', () => Symbol('a symbol')],
  ['a symbol in parts', () => ['a', Symbol('a symbol')]],
  ['a BigInt', () => 1n],
  ['a number', () => 42],
  ['a boolean', () => true],
  ['a function', () => () => 'a'],
  ['a String object', () => Object('a')],
  ['parts in parts', () => [['a']]],
  ['an array with a hole', () => Object.assign(new Array(3), { 0: 'a', 2: 'b' })],
  ['an array of holes', () => new Array(2 ** 32 - 1)],
  ['a Proxy of more parts than there can be', () => lyingAbout(2 ** 53)],
  ['a Proxy of infinitely many parts', () => lyingAbout(Number.POSITIVE_INFINITY)],
  ['a Proxy of no number of parts', () => lyingAbout(Number.NaN)],
  ['bytes that were transferred', () => detached(100)],
  ['many bytes that were transferred', () => detached(100_000)],
  ['bytes that were transferred in parts', () => ['a', detached(100), 'a'.repeat(100_000)]],
  ['bytes that were cut', () => cut(100)],
  ['bytes that were cut in parts', () => ['a', cut(100_000)]],
]

/** Whose own exceptions the caller gets. */
const throwing: [string, () => unknown][] = [
  ['parts of which one throws', () => Object.defineProperty(['a'], 0, { get: fail })],
  ['a Proxy of parts that throws', () => withTrap([], (name) => (name === 'length' ? 1 : fail()))],
]

/** A way to send: what is received of a value that is sent; it throws what the call has thrown. */
interface Way extends AsyncDisposable {
  send(value: never): Promise<string>
}

type Open = (address: string) => Way

/** A pair of sockets, and how a value goes from one to the other. */
function between<To extends Socket, From extends Socket>(
  to: To,
  from: From,
  send: (to: To, from: From, value: never) => Promise<unknown>,
): Open {
  return (address) => {
    from.connect(to.bind(address).address)
    return {
      send: async (value) => String(await send(to, from, value)),
      [Symbol.asyncDispose]: async () => {
        await Promise.all([to.close(), from.close()])
      },
    }
  }
}

const pushing =
  (send: (push: Push, value: never) => unknown): (() => Open) =>
  () =>
    between(new Pull(), new Push(), async (pull, push, value) => {
      await send(push, value)
      return pull.receive()
    })

/** The answer to a question, when serving goes on as long as that. */
async function served(
  socket: Socket,
  serving: Promise<void>,
  stop: AbortController,
  ask: (signal: AbortSignal) => Promise<unknown>,
) {
  const giveUp = new AbortController()
  let onFailure!: (failure: unknown) => void
  const failed = new Promise<never>((_, reject) => {
    onFailure = (failure) => {
      const { socket: of, error } = failure as { socket: Socket; error: unknown }
      if (of === socket) reject(error)
    }
  })
  subscribe('nanomsg:handler-failure', onFailure)
  try {
    return await Promise.race([ask(giveUp.signal), serving.then(() => 'nothing'), failed])
  } finally {
    unsubscribe('nanomsg:handler-failure', onFailure)
    giveUp.abort()
    stop.abort()
    await serving.catch(() => {})
  }
}

const asking = (req: Req) => (signal: AbortSignal) => {
  const reply = req.request('?', { signal })
  reply.catch(() => {})
  return reply
}

const surveying = (surveyor: Surveyor) => async (signal: AbortSignal) => {
  for await (const answer of surveyor.survey('?', { deadline: 60_000, signal })) return answer
  return 'nothing'
}

/** Until both know each other: a survey reaches the peers that are there. */
const opened = async <Kind extends Socket>(socket: Kind) => {
  await socket.ready()
  return socket
}

const ways: Record<string, () => Open> = {
  'Push.send()': pushing((push, value) => push.send(value)),
  'Push.trySend()': pushing(async (push, value) => (await opened(push)).trySend(value)),
  'Push.sendBatch()': pushing((push, value) => push.sendBatch([value])),
  'Push.trySendBatch()': pushing(async (push, value) => (await opened(push)).trySendBatch([value])),
  'Push.sendBatch() of a Proxy': pushing((push, value) => push.sendBatch(new Proxy([value], {}))),
  'Pair.send()': () =>
    between(new Pair(), new Pair(), async (to, from, value) => {
      await from.send(value)
      return to.receive()
    }),
  'Bus.send()': () =>
    between(new Bus(), new Bus(), async (to, from, value) => {
      await (await opened(from)).send(value)
      return to.receive()
    }),
  'Pub.send()': () =>
    between(new Pub(), new Sub().subscribe(''), async (pub, sub, value) => {
      await (await opened(pub)).send(value)
      return sub.receive()
    }),
  'Req.send()': () =>
    between(new Rep(), new Req(), async (rep, req, value) => {
      await req.send(value)
      return rep.receive()
    }),
  'Req.request()': () =>
    between(new Rep(), new Req(), (rep, req, value) => {
      const stop = new AbortController()
      const reply = req.request(value)
      return served(
        rep,
        rep.serve((body) => body, { signal: stop.signal }),
        stop,
        () => reply,
      )
    }),
  'Rep.send()': () =>
    between(new Rep(), new Req(), async (rep, req, value) => {
      await req.send('?')
      await rep.receive()
      await rep.send(value)
      return req.receive()
    }),
  'Rep.serve()': () =>
    between(new Rep(), new Req(), (rep, req, value) => {
      const stop = new AbortController()
      return served(
        rep,
        rep.serve(() => value, { signal: stop.signal }),
        stop,
        asking(req),
      )
    }),
  'Rep.serve() with onError': () =>
    between(new Rep(), new Req(), (rep, req, value) => {
      const stop = new AbortController()
      return served(rep, rep.serve(fail, { signal: stop.signal, onError: () => value }), stop, asking(req))
    }),
  'Respondent.serve()': () =>
    between(new Respondent(), new Surveyor(), async (respondent, surveyor, value) => {
      await opened(surveyor)
      const stop = new AbortController()
      return served(
        respondent,
        respondent.serve(() => value, { signal: stop.signal }),
        stop,
        surveying(surveyor),
      )
    }),
  'Surveyor.survey()': () =>
    between(new Respondent(), new Surveyor(), async (respondent, surveyor, value) => {
      await opened(surveyor)
      const answers = surveyor.survey(value, { deadline: 60_000 })
      const stop = new AbortController()
      return served(
        respondent,
        respondent.serve((body) => body, { signal: stop.signal }),
        stop,
        async () => {
          for await (const answer of answers) return answer
          return 'nothing'
        },
      )
    }),
  'Surveyor.send()': () =>
    between(new Respondent(), new Surveyor(), async (respondent, surveyor, value) => {
      await (await opened(surveyor)).send(value)
      return respondent.receive()
    }),
  'a Writable': pushing(async (push, value) => {
    const stream = push.writable()
    const failed = once(stream, 'error').then(([error]) => Promise.reject(error))
    await Promise.race([failed, new Promise<void>((resolve) => stream.write(value, (error) => error ?? resolve()))])
    failed.catch(() => {})
    stream.end()
  }),
  'a WritableStream': pushing((push, value) => push.writable({ type: 'web' }).getWriter().write(value)),
}

/** The error of a call, whatever it is. */
async function thrownBy(call: () => unknown): Promise<Error & { code?: unknown }> {
  try {
    await call()
  } catch (error) {
    return error as Error
  }
  throw new Error('the call has not failed')
}

function expectRefusal(error: unknown): void {
  const { code, errno, syscall, message } = error as NanomsgError
  expect(error).toBeInstanceOf(NanomsgError)
  expect([code, typeof errno, typeof syscall]).toEqual([code === 'EFAULT' ? code : 'EINVAL', 'number', 'string'])
  expect(message).toMatch(/ must be |transferred|bytes/)
}

const addresses = transports.filter(({ scheme }) => scheme === 'tcp' || scheme === 'inproc')

describe.each(addresses)('over $scheme', ({ address }) => {
  describe.each(Object.entries(ways))('%s', (_, open) => {
    test('sends what can be sent, as it is', async () => {
      await using way = open()(address())
      for (const [name, make, text] of sent) {
        expect([name, await way.send(make() as never)]).toEqual([name, text])
        expect(await way.send('next' as never)).toBe('next')
      }
    })

    test('refuses the rest, and loses nothing that comes later', async () => {
      await using way = open()(address())
      for (const [name, make] of refused) {
        const error = await thrownBy(() => way.send(make() as never))
        expect([name, error.name]).toEqual([name, 'NanomsgError'])
        expectRefusal(error)
        expect(await way.send('next' as never)).toBe('next')
      }
    })

    test('passes exceptions of the value on', async () => {
      await using way = open()(address())
      for (const [, make] of throwing) {
        expect(await thrownBy(() => way.send(make() as never))).toBe(passed)
        expect(await way.send('next' as never)).toBe('next')
      }
    })
  })
})

describe('of the C API', () => {
  const calls: Record<string, (s: number, value: never) => unknown> = {
    'nn_send()': (s, value) => nn.nn_send(s, value),
    'nn_send() at once': (s, value) => nn.nn_send(s, value, undefined, nn.NN_DONTWAIT),
    'nn_send() of a message': (s, value) => nn.nn_send(s, value, nn.NN_MSG),
    'nn_sendmsg()': (s, value) => nn.nn_sendmsg(s, { msg_iov: [{ iov_base: value }] }),
    'nn_sendmsg() of pieces': (s, value) => nn.nn_sendmsg(s, { msg_iov: value }),
    'nn_sendmsg() of anything': (s, value) => nn.nn_sendmsg(s, value),
    'nn_sendmsg() with control data': (s, value) => nn.nn_sendmsg(s, { msg_iov: [], msg_control: value }),
    'nn_poll()': (_, value) => nn.nn_poll(value),
    'nn_poll() of one': (_, value) => nn.nn_poll([value]),
    'nn_recv()': (s, value) => nn.nn_recv(s, value),
    'nn_recvmsg()': (s, value) => nn.nn_recvmsg(s, value),
    'nn_freemsg()': (_, value) => nn.nn_freemsg(value),
    'nn_setsockopt()': (s, value) => nn.nn_setsockopt(s, nn.NN_SUB, nn.NN_SUB_SUBSCRIBE, value),
    'nn_bind()': (s, value) => nn.nn_bind(s, value),
  }

  test.each(Object.entries(calls))('%s refuses what is none', async (name, call) => {
    const [one, other] = [nn.nn_socket(nn.AF_SP, nn.NN_PAIR), nn.nn_socket(nn.AF_SP, nn.NN_PAIR)]
    const address = `inproc://strange ${name}`
    nn.nn_bind(one, address)
    nn.nn_connect(other, address)
    for (const [, make] of refused) {
      const error = await thrownBy(() => call(one, make() as never))
      expect(error).toBeInstanceOf(NanomsgError)
      expect(nn.nn_errno()).toBe((error as NanomsgError).errno)
      await nn.nn_send(one, 'next')
      expect(String(await nn.nn_recv(other, nn.NN_MSG))).toBe('next')
    }
    nn.nn_close(one)
    nn.nn_close(other)
  })
})

describe('of the npm package', () => {
  const calls: Record<string, (socket: compat.Socket, value: never) => unknown> = {
    'send()': (socket, value) => socket.send(value),
    'write()': (socket, value) => socket.write(value),
  }

  test.each(Object.entries(calls))(
    '%s sends a text or tells an error, and loses nothing that comes later',
    async (_, call) => {
      const [push, pull] = [compat.socket('push'), compat.socket('pull')]
      const received: string[] = []
      const errors: (Error & { code?: string; errno?: number })[] = []
      pull.on('data', (message) => received.push(String(message)))
      push.on('error', (error) => errors.push(error))
      push.bind('inproc://strange')
      pull.connect('inproc://strange')
      const values = [...refused, ...throwing].filter(([name]) => !/holes|infinitely|more parts/.test(name))
      for (const [name, make] of [...values, ...sent.map(([name, make]) => [name, make] as const)]) {
        try {
          call(push, make() as never)
        } catch (error) {
          errors.push(error as Error)
        }
        push.send(`behind ${name}`)
        while (received.at(-1) !== `behind ${name}`) await new Promise(setImmediate)
        expect(received.length).toBeLessThanOrEqual(2)
        received.length = 0
      }
      expect(errors.length).toBeGreaterThan(5)
      for (const error of errors) {
        if (error === passed) continue
        expect([error.code, error.errno]).toEqual(['EINVAL', 22])
        expect(error.message.length).toBeGreaterThan(10)
      }
      push.close()
      pull.close()
    },
  )
})

describe('options', () => {
  /** Calls with options. Those that wait are given a message first. */
  const calls: Record<string, (socket: Pair, options: never) => unknown> = {
    'send()': (pair, options) => pair.send('x', options),
    'sendBatch()': (pair, options) => pair.sendBatch(['x'], options),
    'receive()': (pair, options) => pair.receive(options),
    'messages()': (pair, options) => pair.messages(options),
    'batches()': (pair, options) => pair.batches(options),
    'events()': (pair, options) => pair.events(options),
    'ready()': (pair, options) => pair.ready(options),
    'readable()': (pair, options) => pair.readable(options).destroy(),
    'writable()': (pair, options) => pair.writable(options).destroy(),
    'close()': (pair, options) => pair.close(options),
    'a constructor': (_, options) => void new Pair(options).close(),
    tls: (pair, options) => {
      pair.tls = options
    },
    requestHeaders: (pair, options) => {
      pair.requestHeaders = options
    },
    'request()': (_, options) => withSocket(new Req(), (req) => req.request('x', options)),
    'serve()': (_, options) => withSocket(new Rep(), (rep) => rep.serve(fail, options)),
    'survey()': (_, options) => withSocket(new Surveyor(), (surveyor) => surveyor.survey('x', options)),
  }

  /** A call may wait for ever: only whether it fails is of interest. */
  async function withSocket<Kind extends Socket>(socket: Kind, call: (socket: Kind) => unknown): Promise<void> {
    const ending = new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    const calling = Promise.resolve(call(socket))
    calling.catch(() => {})
    try {
      await Promise.race([calling, ending])
    } finally {
      await socket.close()
    }
  }

  const pair = async () => {
    const [one, other] = [new Pair(), new Pair()]
    other.connect(one.bind('inproc://options').address)
    await other.send('a message')
    return { one, other, [Symbol.asyncDispose]: () => Promise.all([one.close(), other.close()]).then(() => {}) }
  }

  const good: [string, () => unknown][] = [
    ['a Proxy', () => new Proxy({}, {})],
    ['an object without a prototype', () => Object.create(null)],
    ['an object of another realm', () => inRealm('({})')],
  ]
  test.each(Object.entries(calls))('of %s may be any object', async (_, call) => {
    for (const [, make] of good) {
      await using sockets = await pair()
      await call(sockets.one, make() as never)
    }
  })

  test.each(Object.entries(calls))('of %s that cannot be read are refused', async (_, call) => {
    await using sockets = await pair()
    for (const target of [{}, [], () => {}]) {
      const error = await thrownBy(() => call(sockets.one, revoked(target) as never))
      expectRefusal(error)
      expect(sockets.one.closed).toBe(false)
    }
    await sockets.one.send('next')
    expect(String(await sockets.other.receive())).toBe('next')
  })

  const names = {
    'send()': 'timeout',
    'readable()': 'type',
    'writable()': 'type',
    'close()': 'linger',
    'a constructor': 'linger',
    tls: 'ca',
    requestHeaders: 'Name',
  } as Record<string, string>
  test.each(Object.entries(calls))('of %s pass their exceptions on', async (name, call) => {
    await using sockets = await pair()
    const getter = Object.defineProperty({}, names[name] ?? 'signal', { get: fail, enumerable: true })
    for (const options of [getter, new Proxy({}, { ownKeys: fail })]) {
      expect(await thrownBy(() => call(sockets.one, options as never))).toBe(passed)
      expect(sockets.one.closed).toBe(false)
    }
    await sockets.one.send('next')
    expect(String(await sockets.other.receive())).toBe('next')
  })

  test.each<[string, unknown]>([
    ['a Proxy that was revoked', revoked({})],
    ['what inherits from one', Object.create(AbortSignal.prototype)],
  ])('refuse a signal that is %s', async (_, signal) => {
    await using pull = new Pull()
    expectRefusal(await thrownBy(() => pull.receive({ signal: signal as AbortSignal })))
  })

  test.each<[string, unknown]>([
    ['cert', revoked({})],
    ['key', revoked([])],
    ['ca', revoked([])],
    ['ca', [revoked({})]],
    ['ca', lyingAbout(2 ** 53)],
    ['cert', new Proxy(Buffer.from('-----BEGIN'), {})],
    ['verify', revoked({})],
    ['serverName', revoked({})],
  ])('of tls refuse a strange %s', async (name, value) => {
    await using push = new Push()
    expectRefusal(await thrownBy(() => Reflect.set(push, 'tls', { [name]: value })))
    expect(push.tls).toEqual({})
  })
})
