// Whatever is passed to the classes, in whatever order: a call returns, or fails with a NanomsgError, or with what the
// caller itself gave as a reason. Nothing ends the process, and nothing waits for ever once its socket is closed.
// NN_FUZZ_SEED and NN_FUZZ_RUNS explore further than a test of every day.
import { Duplex, type Readable, type Writable } from 'node:stream'
import fc from 'fast-check'
import {
  Bus,
  Device,
  NanomsgError,
  Pair,
  Pub,
  Pull,
  Push,
  Rep,
  Req,
  Respondent,
  registerTransport,
  type Socket,
  Sub,
  Surveyor,
} from 'nanomsg-native'
import { test } from 'vitest'
import { turn } from './support.js'

const classes = { Bus, Pair, Pub, Pull, Push, Rep, Req, Respondent, Sub, Surveyor } as const
type ClassName = keyof typeof classes
const classNames = Object.keys(classes) as ClassName[]

/** What a run works on, and what is still under way. */
class World {
  readonly sockets: Socket[] = []
  readonly endpoints: { close(): void }[] = []
  readonly devices: Device[] = []
  readonly iterators: AsyncIterator<unknown>[] = []
  /** By name, what has not settled yet. */
  readonly pending = new Map<Promise<unknown>, string>()
  controller = new AbortController()

  /** Waits for it at the end, by which it must have settled. */
  expect(name: string, promise: Promise<unknown>): void {
    const settled = promise.catch((error) => check(error, name)).finally(() => this.pending.delete(settled))
    this.pending.set(settled, name)
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) if (!socket.closed) this.expect('close', socket.close({ linger: 0 }))
    for (const device of this.devices) this.expect('close', device.close())
    await within(DEADLINE_MS, Promise.all(this.pending.keys()), () => `still waiting: ${[...this.pending.values()]}`)
  }
}

const DEADLINE_MS = 10_000

async function within(ms: number, promise: Promise<unknown>, describe: () => string): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(describe())), ms)
  })
  try {
    await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

const OWN = 'thrown by the test'
const reason = new Error(OWN)

function check(error: unknown, name: string): void {
  if (error instanceof NanomsgError && /^E[A-Z]+$/.test(error.code) && error.errno > 0) return
  if (error instanceof Error && error.message === OWN) return
  throw new Error(`${name} has failed with something else: ${(error as Error)?.stack ?? String(error)}`)
}

// ---- Arguments ----

type Pick = (world: World) => unknown
const plain = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<Pick> => arbitrary.map((value) => () => value)

const junk = plain(
  fc.oneof(
    fc.anything({ withBigInt: true, withTypedArray: true, withNullPrototype: true, withSparseArray: true }),
    fc.constantFrom(undefined, null, Number.NaN, -1, 2 ** 31, 2 ** 53, Symbol('s'), () => 1, new Proxy({}, {})),
  ),
)
const mostly = (usual: fc.Arbitrary<Pick>, weight = 9) =>
  fc.oneof({ weight, arbitrary: usual }, { weight: 1, arbitrary: junk })

function transferred(): Uint8Array {
  const array = new Uint8Array(8)
  structuredClone(array.buffer, { transfer: [array.buffer] })
  return array
}

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 3000 }),
  fc.string(),
  fc.constantFrom(0, 1, 20_000, 200_000).map((count) => Buffer.alloc(count)),
  fc.nat(100).map((count) => new Uint8Array(new SharedArrayBuffer(count))),
  fc.constant('').map(() => transferred()),
)
const body = mostly(plain(fc.oneof(bytes, fc.array(bytes, { maxLength: 4 }))))
const milliseconds = mostly(plain(fc.constantFrom(0, 1, 3, 0.5, -1)))
const signal = mostly(fc.constant((world: World) => world.controller.signal))

const objectOf = (fields: Record<string, fc.Arbitrary<Pick>>): fc.Arbitrary<Pick> =>
  mostly(
    fc
      .record(fields, { requiredKeys: [] })
      .map(
        (picks) => (world) => Object.fromEntries(Object.entries(picks).map(([name, pick]) => [name, pick?.(world)])),
      ),
  )
const waiting = fc.oneof(plain(fc.constant(undefined)), objectOf({ timeout: milliseconds, signal }))

const addresses = ['inproc://a', 'inproc://b', 'tcp://127.0.0.1:0', 'tcp://127.0.0.1:1', 'ipc:///nowhere/a', 'odd://a']
const odd = [
  'tcp://',
  'ws://x',
  'tcp://127.0.0.1:99999',
  'socket://-1',
  'socket://99999',
  'abstract://',
  '',
  '://',
  'a\0b',
]
const address = mostly(plain(fc.oneof(fc.constantFrom(...addresses), fc.constantFrom(...odd), fc.string())))

const number = plain(fc.oneof(fc.integer({ min: -3, max: 300 }), fc.constantFrom(0, 1, 2 ** 31 - 1, 2 ** 31)))
const text = plain(fc.oneof(fc.string(), fc.string({ minLength: 60, maxLength: 70 })))
const options: Record<string, fc.Arbitrary<Pick>> = {
  linger: mostly(plain(fc.constantFrom(0, 1))),
  sendBuffer: mostly(number),
  receiveBuffer: mostly(number),
  sendTimeout: milliseconds,
  receiveTimeout: milliseconds,
  reconnectInterval: mostly(number),
  reconnectIntervalMax: mostly(number),
  sendPriority: mostly(number),
  receivePriority: mostly(number),
  ipv6: mostly(plain(fc.boolean())),
  maxMessageSize: mostly(number),
  maxTtl: mostly(number),
  maxUnfinishedBytes: mostly(number),
  maxConnections: mostly(number),
  maxConnectionsPerEndpoint: mostly(number),
  maxConnectionsPerAddress: mostly(number),
  maxHandshakes: mostly(number),
  tcpNoDelay: mostly(plain(fc.boolean())),
  textFrames: mostly(plain(fc.boolean())),
  requestHeaders: mostly(plain(fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 })), 1),
  tls: objectOf({ cert: text, key: text, ca: text, verify: plain(fc.boolean()), serverName: text }),
  name: mostly(text),
  resendInterval: mostly(number),
  deadline: mostly(plain(fc.constantFrom(0, 1, 20))),
}

/** Handlers that answer, do not, fail, and never end. */
const handler = mostly(
  plain(
    fc.oneof(
      fc.constant((question: Buffer) => question),
      fc.constant(async () => undefined),
      fc.constant(() => {
        throw reason
      }),
      fc.constant(() => new Promise<never>(() => {})),
      fc.constant((_: Buffer, peer: { remoteAddress: unknown }) => `${peer.remoteAddress}`),
      fc.anything().map((answer) => () => answer),
    ),
  ),
)

// ---- Calls ----

/** What can be called on a socket, if its class has it. */
const methods: Record<string, fc.Arbitrary<Pick>[]> = {
  bind: [address],
  connect: [address],
  send: [body, waiting],
  trySend: [body],
  receive: [waiting],
  tryReceive: [],
  messages: [waiting],
  batches: [waiting],
  [Symbol.asyncIterator.toString()]: [],
  subscribe: [body, body],
  unsubscribe: [body],
  request: [body, objectOf({ timeout: milliseconds, signal, retry: mostly(plain(fc.constantFrom(1, 5))) })],
  serve: [handler, objectOf({ concurrency: mostly(plain(fc.constantFrom(1, 2))), signal, onError: handler })],
  survey: [body, objectOf({ deadline: milliseconds, signal, peers: mostly(plain(fc.boolean())) })],
  events: [objectOf({ signal })],
  ready: [objectOf({ timeout: milliseconds, signal, peers: mostly(plain(fc.constantFrom(0, 1, 2))) })],
  stats: [],
  ref: [],
  unref: [],
  readable: [objectOf({ type: mostly(plain(fc.constantFrom('node', 'web'))) })],
  writable: [objectOf({ type: mostly(plain(fc.constantFrom('node', 'web'))) })],
  close: [objectOf({ linger: mostly(plain(fc.constantFrom(0, 1))) })],
  on: [plain(fc.constantFrom('connect', 'disconnect', 'reject', 'failure', 'slow')), plain(fc.constant(() => {}))],
  removeAllListeners: [],
}

const isIterator = (value: unknown): value is AsyncIterator<unknown> =>
  typeof (value as AsyncIterator<unknown>)?.next === 'function'

/** What a call has given takes part in what follows. */
function keep(world: World, name: string, result: unknown): void {
  if (result instanceof Promise) world.expect(name, result)
  else if (isIterator(result)) world.iterators.push(result)
  else if (name === 'bind' || name === 'connect') world.endpoints.push(result as { close(): void })
  else if (name === 'readable') use(world, result as Readable | ReadableStream)
  else if (name === 'writable') feed(world, result as Writable | WritableStream)
}

/** What has been read from the socket must be read from the stream before it is over. */
async function readAll(stream: ReadableStream): Promise<void> {
  for (const reader = stream.getReader(); !(await reader.read()).done; );
}

function use(world: World, stream: Readable | ReadableStream): void {
  if ('getReader' in stream) world.expect('readable', readAll(stream))
  else stream.on('error', (error) => check(error, 'readable')).resume()
}

function feed(world: World, stream: Writable | WritableStream): void {
  if ('getWriter' in stream) {
    const writer = stream.getWriter()
    world.expect('writable', writer.write('through a stream'))
    writer.closed.catch(() => {})
  } else {
    stream.on('error', (error) => check(error, 'writable')).write('through a stream')
  }
}

interface Step {
  readonly name: string
  run(world: World): void
}

const indexed = fc.nat(1000)
const among = <T>(list: readonly T[], index: number): T | undefined => list[index % Math.max(1, list.length)]

const call = fc.constantFrom(...Object.entries(methods)).chain(([name, args]) =>
  fc.tuple(indexed, fc.tuple(...args)).map(
    ([index, picks]): Step => ({
      name,
      run(world) {
        const socket = among(world.sockets, index)
        const method = name.startsWith('Symbol') ? Symbol.asyncIterator : name
        const found: unknown = socket && Reflect.get(socket, method)
        if (typeof found !== 'function') return
        keep(
          world,
          name,
          Reflect.apply(
            found,
            socket,
            picks.map((pick) => pick(world)),
          ),
        )
      },
    }),
  ),
)

const assignment = fc.constantFrom(...Object.entries(options)).chain(([name, value]) =>
  fc.tuple(indexed, value).map(
    ([index, pick]): Step => ({
      name: `set ${name}`,
      run(world) {
        const socket = among(world.sockets, index)
        if (socket === undefined || !(name in socket)) return
        Reflect.set(socket, name, pick(world))
        Reflect.get(socket, name)
      },
    }),
  ),
)

const construction = fc.tuple(fc.constantFrom(...classNames), objectOf(options)).map(
  ([name, pick]): Step => ({
    name: `new ${name}`,
    run: (world) => void world.sockets.push(new classes[name](pick(world) as never)),
  }),
)

const others: fc.Arbitrary<Step> = fc.oneof(
  indexed.map((index) => ({
    name: 'next',
    run(world: World) {
      const iterator = among(world.iterators, index)
      if (iterator !== undefined) world.expect('next', iterator.next())
    },
  })),
  indexed.map((index) => ({
    name: 'return',
    run(world: World) {
      const iterator = among(world.iterators, index)
      if (iterator?.return !== undefined) world.expect('return', iterator.return())
    },
  })),
  indexed.map((index) => ({
    name: 'Endpoint.close',
    run: (world: World) => among(world.endpoints, index)?.close(),
  })),
  fc.constant({
    name: 'abort',
    run(world: World) {
      world.controller.abort(reason)
      world.controller = new AbortController()
    },
  }),
  fc
    .tuple(mostly(plain(fc.constantFrom('odd', 'tcp', 'Odd', ''))), objectOf({ connect: handler, listen: handler }))
    .map(([scheme, transport]) => ({
      name: 'registerTransport',
      run: (world: World) => registerTransport(scheme(world) as never, transport(world) as never),
    })),
  fc.tuple(mostly(plain(fc.constantFrom('pair', 'reqrep', 'pubsub')), 1), address).map(([pattern, where]) => ({
    name: 'Device',
    run(world: World) {
      if (world.devices.length > 0) return
      const device = new Device(pattern(world) as never)
      world.devices.push(device)
      device.first.bind(where(world) as never)
      device.second.stats()
    },
  })),
)

const step = fc.oneof(
  { weight: 12, arbitrary: call },
  { weight: 3, arbitrary: assignment },
  { weight: 2, arbitrary: construction },
  { weight: 5, arbitrary: others },
)

// ---- Runs ----

/** Sockets that are connected and one that is not, of all classes. */
function makeWorld(): World {
  const world = new World()
  const pairs: [Socket, Socket][] = [
    [new Pair(), new Pair()],
    [new Bus(), new Bus()],
    [new Pull(), new Push()],
    [new Pub(), new Sub().subscribe('')],
    [new Rep(), new Req()],
    [new Surveyor({ deadline: 10 }), new Respondent()],
  ]
  for (const [i, [bound, connected]] of pairs.entries()) {
    const name = `inproc://world-${i}`
    bound.bind(name)
    connected.connect(name)
    world.sockets.push(bound, connected)
  }
  world.sockets.push(new Push())
  return world
}

async function runAll(steps: readonly Step[]): Promise<void> {
  const world = makeWorld()
  try {
    for (const { name, run } of steps) {
      try {
        run(world)
      } catch (error) {
        check(error, name)
      }
    }
    await turn()
  } finally {
    await world.close()
  }
}

registerTransport('odd', {
  connect: () => Promise.reject(reason),
  listen: (_address, onConnection) => {
    onConnection(new Duplex({ read() {}, write: (_chunk, _encoding, done) => done(reason) }))
    return { close() {} }
  },
})

test('whatever is passed in, calls return or fail with a NanomsgError, and all that waits ends with its socket', async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), runAll), {
    seed: Number(process.env.NN_FUZZ_SEED ?? 1),
    numRuns: Number(process.env.NN_FUZZ_RUNS ?? 1000),
    includeErrorInReport: true,
  })
}, 600_000)
