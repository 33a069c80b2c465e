// Calls of the C API with whatever is passed in, in whatever order: a call returns, or fails with an error that has a
// code. NN_FUZZ_SEED and NN_FUZZ_RUNS explore further than a test of every day.
import fc from 'fast-check'
import * as nn from 'nanomsg-native/nn'
import { turn } from '../api/support.js'

type Call = (...args: unknown[]) => unknown

const functions = nn as unknown as Record<string, Call>
const PROTOCOLS = [nn.NN_PAIR, nn.NN_PUB, nn.NN_SUB, nn.NN_REQ, nn.NN_REP, nn.NN_PUSH, nn.NN_PULL, nn.NN_BUS]
const SURVEYS = [nn.NN_SURVEYOR, nn.NN_RESPONDENT]
/** Those that devices go between, side by side. */
const RAW_PROTOCOLS = [nn.NN_REP, nn.NN_REQ, nn.NN_PAIR, nn.NN_PAIR, nn.NN_BUS, ...SURVEYS, nn.NN_PULL, nn.NN_PUSH]
const ADDRESSES = ['inproc://fuzz-a', 'inproc://fuzz-b', 'tcp://127.0.0.1:0', 'tcp://127.0.0.1:1', 'tcp://', 'ws://x']

/** What the calls of one run work on. */
interface World {
  sockets: number[]
  /** Sides of devices, each beside the other. */
  raw: number[]
  messages: Uint8Array[]
  records: nn.nn_cmsghdr[]
}

type Pick = (world: World) => unknown

const plain = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<Pick> => arbitrary.map((value) => () => value)
const among = (list: (world: World) => readonly unknown[]): fc.Arbitrary<Pick> =>
  fc.nat(100).map((index) => (world) => list(world)[index % Math.max(1, list(world).length)])

const junk = plain(
  fc.oneof(
    fc.anything({ withBigInt: true, withTypedArray: true, withNullPrototype: true, withSparseArray: true }),
    fc.constantFrom(undefined, null, Number.NaN, -1, 2 ** 31, 2 ** 40, Symbol('s'), () => 1, new Proxy({}, {})),
  ),
)
const mostly = (usual: fc.Arbitrary<Pick>) => fc.oneof({ weight: 9, arbitrary: usual }, { weight: 1, arbitrary: junk })
const integer = (...some: number[]) =>
  mostly(plain(fc.oneof(fc.constantFrom(...some), fc.integer({ min: -3, max: 130 }))))

const socket = mostly(among(({ sockets }) => sockets))
const bytes = plain(
  fc.oneof(
    fc.uint8Array({ maxLength: 3000 }),
    fc.string(),
    fc.constantFrom(0, 1, 200_000).map((count) => Buffer.alloc(count)),
    fc.nat(100).map((count) => new Uint8Array(new SharedArrayBuffer(count))),
    fc.nat(100).map(() => transferred()),
  ),
)
/** Looks like control data, or nearly so. */
const controls = plain(
  fc.array(fc.constantFrom(0, 1, 8, 15, 16, 17, 24, 40, 255), { maxLength: 12 }).map((words) => {
    const memory = Buffer.alloc(words.length * 8)
    for (const [i, word] of words.entries()) memory.writeInt32LE(word, i * 8)
    return memory
  }),
)
const message = among(({ messages }) => messages)
const body = mostly(fc.oneof(bytes, message))
const record = mostly(among(({ records }) => records))
const length = integer(nn.NN_MSG, 0, 1)
const flags = integer(0, nn.NN_DONTWAIT)
const size = mostly(plain(fc.oneof(fc.nat(100_000), fc.constantFrom(0, 1, -1, 2 ** 53))))
const address = mostly(plain(fc.constantFrom(...ADDRESSES)))
const level = integer(nn.NN_SOL_SOCKET, nn.NN_SUB, nn.NN_REQ, nn.NN_TCP, nn.NN_IPC)
/** What would make the test wait is replaced. */
const except = (pick: fc.Arbitrary<Pick>, isUnwanted: (value: unknown) => boolean, instead: number) =>
  pick.map<Pick>((choose) => (world) => (isUnwanted(choose(world)) ? instead : choose(world)))
const option = except(integer(2, 3, 4, 5, 15, 16), (value) => value === nn.NN_LINGER, nn.NN_SNDBUF)
/** No call ends a poll of no sockets. */
const timeout = except(integer(0, 1, 5), (value) => value === undefined || (typeof value === 'number' && value < 0), 1)

const objectOf = (fields: Record<string, fc.Arbitrary<Pick>>): fc.Arbitrary<Pick> =>
  fc
    .record(fields, { requiredKeys: [] })
    .map((picks) => (world) => Object.fromEntries(Object.entries(picks).map(([name, pick]) => [name, pick?.(world)])))
const listOf = (element: fc.Arbitrary<Pick>): fc.Arbitrary<Pick> =>
  fc.array(element, { maxLength: 4 }).map((picks) => (world) => picks.map((pick) => pick(world)))

const pollfd = mostly(objectOf({ fd: socket, events: integer(1, 2, 3), revents: integer(0) }))
const iovec = mostly(objectOf({ iov_base: body, iov_len: length }))
const msghdr = mostly(
  objectOf({ msg_iov: mostly(listOf(iovec)), msg_iovlen: length, msg_control: body, msg_controllen: length }),
)

const control = mostly(objectOf({ msg_control: fc.oneof(bytes, controls), msg_controllen: length }))

const calls: Record<string, fc.Arbitrary<Pick>[]> = {
  nn_socket: [integer(nn.AF_SP, nn.AF_SP_RAW), integer(...PROTOCOLS)],
  nn_close: [socket],
  nn_bind: [socket, address],
  nn_connect: [socket, address],
  nn_shutdown: [socket, integer(1, 2)],
  nn_endpoint_address: [socket, integer(1, 2)],
  nn_setsockopt: [socket, level, option, fc.oneof(integer(0, 1, 10), body), integer(4)],
  nn_getsockopt: [socket, level, option, fc.oneof(plain(fc.constant(undefined)), body)],
  nn_get_statistic: [socket, integer(101, 201, 301, 401)],
  nn_send: [socket, body, length, flags],
  nn_recv: [socket, fc.oneof(body, plain(fc.constant(nn.NN_MSG))), flags, flags],
  nn_sendmsg: [socket, msghdr, flags],
  nn_recvmsg: [socket, msghdr, flags],
  nn_allocmsg: [size, integer(0, 0, 0, 1)],
  nn_reallocmsg: [body, size],
  nn_freemsg: [body],
  nn_poll: [mostly(listOf(pollfd)), integer(1), timeout],
  nn_device: [socket, socket],
  nn_strerror: [integer(0, 1)],
  nn_symbol: [integer(0)],
  nn_symbol_info: [integer(0)],
  nn_errno: [],
  NN_CMSG_FIRSTHDR: [control],
  NN_CMSG_NXTHDR: [control, record],
  nn_cmsg_nxthdr_: [control, fc.oneof(record, plain(fc.constant(null)))],
  NN_CMSG_DATA: [record],
  NN_CMSG_SPACE: [size],
  NN_CMSG_LEN: [size],
  NN_CMSG_ALIGN_: [size],
}

/** Not among the functions: what a record says can be written. */
const writing = fc
  .tuple(record, fc.constantFrom('cmsg_len', 'cmsg_level', 'cmsg_type'), integer(0, 16, 17, 100))
  .map(([choose, name, value]) => ({
    toString: () => name,
    run: (world: World) => {
      const chosen = choose(world)
      if (chosen instanceof Object && name in chosen) Object.assign(chosen, { [name]: value(world) })
    },
    name,
  }))

export interface Step {
  readonly name: string
  run(world: World): unknown
}

const calling = fc.constantFrom(...Object.entries(calls)).chain(([name, args]) =>
  fc.tuple(...args).map((picks: Pick[]) => ({
    toString: () => name,
    run: (world: World) => functions[name]?.(...picks.map((pick) => pick(world))),
    name,
  })),
)

const forwarding = fc.constantFrom([0, 1], [3, 2], [4, -1], [-1, 4], [6, 5], [7, 8]).map(([first, second]) => ({
  toString: () => 'a device',
  run: ({ raw }: World) => nn.nn_device(raw[first!] ?? -1, raw[second!] ?? -1),
  name: 'nn_device',
}))

export const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 20, arbitrary: calling },
  { weight: 1, arbitrary: writing },
  { weight: 1, arbitrary: forwarding },
)

function transferred(): Uint8Array {
  const array = new Uint8Array(8)
  structuredClone(array.buffer, { transfer: [array.buffer] })
  return array
}

function check(error: unknown, name: string): void {
  if (error instanceof nn.NanomsgError && /^E[A-Z]+$/.test(error.code) && error.errno > 0) return
  throw new Error(`${name} has failed with something else: ${(error as Error)?.stack}`)
}

function remember(world: World, name: string, result: unknown): void {
  if (name === 'nn_socket') world.sockets.push(result as number)
  if (result instanceof Uint8Array) world.messages.push(result)
  if (name.startsWith('NN_CMSG_') && typeof result === 'object' && result !== null && 'cmsg_len' in result) {
    world.records.push(result as nn.nn_cmsghdr)
  }
}

export async function runAll(world: World, steps: readonly Step[]): Promise<void> {
  const pending: Promise<unknown>[] = []
  try {
    for (const { name, run } of steps) {
      try {
        const result = run(world)
        if (!(result instanceof Promise)) remember(world, name, result)
        else pending.push(result.then((value) => remember(world, name, value)).catch((error) => check(error, name)))
      } catch (error) {
        check(error, name)
      }
    }
    await turn()
  } finally {
    closeAll(world)
  }
  await Promise.all(pending)
}

function closeAll(world: World): void {
  for (const s of world.sockets) {
    try {
      nn.nn_close(s)
    } catch {
      // A step has closed it.
    }
  }
}

let worlds = 0

const recordIn = (memory: Uint8Array): nn.nn_cmsghdr => nn.NN_CMSG_FIRSTHDR({ msg_control: memory })!

/** Some sockets that are connected, some that are not, and some messages. */
export function makeWorld(): World {
  const name = `inproc://world-${worlds++}`
  const sockets = [...PROTOCOLS, ...SURVEYS].map((protocol) => nn.nn_socket(nn.AF_SP, protocol))
  for (const i of [0, 1, 3, 5, 7, 8]) nn.nn_bind(sockets[i]!, `${name}-${i}`)
  for (const i of [2, 4, 6, 9]) nn.nn_connect(sockets[i]!, `${name}-${i - 1}`)
  const raw = RAW_PROTOCOLS.map((protocol) => nn.nn_socket(nn.AF_SP_RAW, protocol))
  nn.nn_connect(raw[0]!, `${name}-3`)
  nn.nn_connect(raw[4]!, `${name}-7`)
  const messages = [nn.nn_allocmsg(100, 0), nn.nn_allocmsg(0, 0)]
  return { sockets: [...sockets, ...raw], raw, messages, records: [recordIn(Buffer.alloc(32)), recordIn(messages[0]!)] }
}

/** A world after nn_term(): what was there is gone, and nothing new can be opened. */
export const emptyWorld = (sockets: number[]): World => ({
  sockets,
  raw: [],
  messages: [nn.nn_allocmsg(100, 0)],
  records: [recordIn(Buffer.alloc(32))],
})

export const parameters = (numRuns: number): fc.Parameters<unknown> => ({
  seed: Number(process.env.NN_FUZZ_SEED ?? 1),
  numRuns: Number(process.env.NN_FUZZ_RUNS ?? numRuns),
  includeErrorInReport: true,
})
