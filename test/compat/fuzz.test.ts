// Whatever is passed in, in whatever order: calls return, or throw an Error; what sockets and devices emit has a code.
// Nothing ends the process. NN_FUZZ_SEED and NN_FUZZ_RUNS explore further than a test of every day.
import fc from 'fast-check'
import * as nano from 'nanomsg-native/compat'
import { test } from 'vitest'
import { turn } from '../api/support.js'

const TYPES = ['req', 'rep', 'pair', 'push', 'pull', 'pub', 'sub', 'bus', 'surveyor', 'respondent'] as const
const ADDRESSES = [
  'inproc://cfuzz-a',
  'inproc://cfuzz-b',
  'tcp://127.0.0.1:0',
  'tcp://127.0.0.1:1',
  'tcp://',
  'zmq://x',
]
const OPTIONS = ['linger', 'sndbuf', 'rcvbuf', 'sndtimeo', 'rcvtimeo', 'reconn', 'maxreconn', 'sndprio', 'rcvprio']
const MORE_OPTIONS = ['rcvmaxsize', 'maxttl', 'tcpnodelay', 'ipv6', 'wsopt', 'dontwait']

type Arguments = fc.Arbitrary<unknown[]>

const junk = fc.oneof(
  fc.anything({ withBigInt: true, withTypedArray: true, withNullPrototype: true, withSparseArray: true }),
  fc.constantFrom(undefined, null, Number.NaN, -1, 2 ** 31, 2 ** 40, Symbol('s'), () => 1, new Proxy({}, {})),
)
const mostly = (usual: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 9, arbitrary: usual }, { weight: 1, arbitrary: junk })
const numbers = (...some: number[]) => mostly(fc.oneof(fc.constantFrom(...some), fc.integer({ min: -3, max: 130 })))

const address = mostly(fc.constantFrom(...ADDRESSES))
const body = mostly(
  fc.oneof(
    fc.string(),
    fc.uint8Array({ maxLength: 3000 }),
    fc.constantFrom(0, 200_000).map((size) => Buffer.alloc(size)),
    fc.constant(0).map(transferred),
  ),
)
const channels = mostly(fc.array(mostly(fc.constantFrom('', 'a', 'ab', Buffer.from('b'))), { maxLength: 3 }))
const value = mostly(fc.constantFrom(0, 1, 10, 5000, true, false, 'text', 'binary'))
const options = mostly(
  fc.record(
    {
      raw: fc.boolean(),
      chan: channels,
      dontwait: value,
      sndbuf: value,
      maxttl: value,
      wsopt: value,
      ipv6: value,
      encoding: fc.constantFrom('utf8', 'hex'),
      objectMode: fc.boolean(),
    },
    { requiredKeys: [] },
  ),
)

const methods: Record<string, Arguments> = {
  bind: fc.tuple(address),
  connect: fc.tuple(address),
  shutdown: fc.tuple(address),
  send: fc.oneof(fc.tuple(body), fc.tuple(body, numbers(0, 1))),
  write: fc.tuple(body),
  flush: fc.tuple(),
  read: fc.tuple(),
  pause: fc.tuple(),
  resume: fc.tuple(),
  setEncoding: fc.tuple(fc.constantFrom('utf8', 'hex', 'nothing')),
  end: fc.tuple(),
  destroy: fc.tuple(),
  close: fc.tuple(),
  chan: fc.tuple(channels),
  rmchan: channels.map((list) => (Array.isArray(list) ? list : [list])),
  ...Object.fromEntries(
    [...OPTIONS, ...MORE_OPTIONS].map((name) => [name, fc.oneof(fc.tuple(), fc.tuple(value), fc.tuple(numbers(5)))]),
  ),
}

interface World {
  sockets: nano.Socket[]
  devices: nano.Device[]
  polls: unknown[]
}

interface Step {
  readonly name: string
  run(world: World): unknown
}

const index = fc.nat(20)
const pick = <T>(list: readonly T[], i: number): T => list[i % list.length]!
const call = (target: object, name: string, args: readonly unknown[]) =>
  (target as Record<string, (...args: readonly unknown[]) => unknown>)[name]!(...args)

const method = fc
  .constantFrom(...Object.entries(methods))
  .chain(([name, args]) => fc.tuple(index, args).map(([i, given]) => ({ name, i, given })))
  .map<Step>(({ name, i, given }) => ({ name, run: ({ sockets }) => call(pick(sockets, i), name, given) }))

const opening = fc.tuple(mostly(fc.constantFrom(...TYPES)), options).map<Step>((given) => ({
  name: 'socket',
  run: (world) => world.sockets.push(listening(call(nano, 'socket', given) as nano.Socket)),
}))

const transforming = fc.tuple(index, fc.constantFrom('transform', 'restore'), junk).map<Step>(([i, name, result]) => ({
  name,
  // What ends a stream for its reader is the reader's own.
  run: ({ sockets }) => Object.assign(pick(sockets, i), { [name]: () => result ?? 'nothing' }),
}))

const device = fc.tuple(index, mostly(index)).map<Step>(([i, j]) => ({
  name: 'device',
  run: ({ sockets, devices }) =>
    devices.push(listening(call(nano, 'device', [pick(sockets, i), typeof j === 'number' ? sockets[j] : j]) as never)),
}))

const s = (world: World, i: unknown): unknown => (typeof i === 'number' ? pick(world.sockets, i).binding : i)
const callback = mostly(fc.constant(() => {}))

const bindings: Record<string, Arguments> = {
  Bind: fc.tuple(address),
  Connect: fc.tuple(address),
  Shutdown: fc.tuple(numbers(1, 2)),
  Send: fc.tuple(body, numbers(0, 1)),
  Recv: fc.tuple(numbers(0, 1)),
  Chan: fc.tuple(numbers(1, 2), body),
  Getopt: fc.tuple(numbers(0, 33), numbers(2, 3, 4, 15)),
  Setopt: fc.tuple(numbers(0, 33), numbers(2, 3, 4, 15), value),
  PollSocket: fc.tuple(fc.boolean(), callback),
  DeviceWorker: fc.tuple(mostly(fc.constant(-1)), callback),
  Close: fc.tuple(),
}
const binding = fc
  .constantFrom(...Object.entries(bindings))
  .chain(([name, args]) => fc.tuple(mostly(index), args).map(([i, given]) => ({ name, i, given })))
  .map<Step>(({ name, i, given }) => ({
    name: `_bindings.${name}`,
    run: (world) => {
      const result = call(nano._bindings, name, [s(world, i), ...given])
      if (name === 'PollSocket') world.polls.push(result)
    },
  }))

const symbols = fc
  .tuple(fc.constantFrom('symbol', 'symbolInfo'), numbers(0, 5))
  .map<Step>(([name, i]) => ({ name, run: () => call(nano, name, [i]) }))

const step = fc.oneof(
  { weight: 10, arbitrary: method },
  { weight: 2, arbitrary: opening },
  { weight: 3, arbitrary: binding },
  { weight: 1, arbitrary: fc.oneof(transforming, device, symbols) },
)

function transferred(): Uint8Array {
  const array = new Uint8Array(8)
  structuredClone(array.buffer, { transfer: [array.buffer] })
  return array
}

const problems: string[] = []

function listening<Emitter extends NodeJS.EventEmitter>(emitter: Emitter): Emitter {
  return emitter.on('error', (error) => {
    if (!isError(error) || !/^E[A-Z_]+$/.test(error.code)) problems.push(`emitted ${error?.stack ?? String(error)}`)
  })
}

const isError = (error: unknown): error is Error & { code: string } => error instanceof Error

let worlds = 0

function makeWorld(): World {
  const sockets = TYPES.flatMap((type) => [listening(nano.socket(type)), listening(nano.socket(type, { raw: true }))])
  const name = `inproc://cworld-${worlds++}`
  for (const [bound, connected] of [
    [0, 2],
    [4, 4],
    [6, 8],
    [10, 12],
    [14, 14],
    [16, 18],
  ] as const) {
    sockets[bound]!.bind(`${name}-${bound}`)
    sockets[connected]!.connect(`${name}-${bound}`)
  }
  for (const socket of sockets.slice(0, 10)) socket.on('data', () => {})
  return { sockets, devices: [], polls: [] }
}

async function runAll(world: World, steps: readonly Step[]): Promise<void> {
  try {
    for (const { name, run } of steps) {
      try {
        run(world)
      } catch (error) {
        if (!isError(error)) throw new Error(`${name} has thrown ${String(error)}`)
      }
    }
    for (let i = 0; i < 4; i++) await turn()
  } finally {
    for (const poll of world.polls) nano._bindings.PollStop(poll as never)
    for (const socket of world.sockets) socket.close()
  }
  if (problems.length > 0) throw new Error(problems.splice(0).join('\n'))
}

test('whatever is passed in, calls return or throw an Error, and what is emitted has a code', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), (steps) => runAll(makeWorld(), steps)),
    {
      seed: Number(process.env.NN_FUZZ_SEED ?? 1),
      numRuns: Number(process.env.NN_FUZZ_RUNS ?? 500),
      includeErrorInReport: true,
    },
  )
}, 600_000)
