import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import type * as Sockets from '../../index.js'
import type { Pair, Pull, Push, Socket } from '../../index.js'
import type { Context } from '../context.js'
import { Exit } from '../exit.js'
import { attachTo } from '../sockets.js'
import { usage } from './bench-usage.js'
import { parseCommand, refusal } from './usage.js'

const DEFAULT_ADDRESS = 'tcp://127.0.0.1:0'
const defaultCounts = { thr: 1_000_000, lat: 20_000 } as const

/** Round trips that are made before those that are measured. */
const WARM_UP = 1000

type Kind = 'thr' | 'lat'
type Role = 'both' | 'alone' | 'peer'

interface Settings {
  readonly kind: Kind
  readonly role: Role
  readonly address: string
  readonly size: number
  readonly count: number
  readonly isJson: boolean
}

interface Result {
  /** Lines of a name and a value with its unit. */
  readonly lines: readonly (readonly [name: string, value: string])[]
  /** The same for programs. */
  readonly numbers: Readonly<Record<string, number>>
}

function parse(args: readonly string[]): Settings {
  const { values, positionals } = parseCommand(usage, {
    args: [...args],
    options: {
      size: { type: 'string' },
      count: { type: 'string' },
      json: { type: 'boolean' },
      alone: { type: 'boolean' },
      peer: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  const [kind, address, ...rest] = positionals
  if ((kind !== 'thr' && kind !== 'lat') || rest.length > 0)
    throw refusal(usage, 'thr or lat is needed, and one address')
  if (values.alone && values.peer) throw refusal(usage, '--alone and --peer exclude each other')
  if (values.peer && address === undefined) throw refusal(usage, '--peer needs an address')
  return {
    kind,
    role: values.peer ? 'peer' : values.alone ? 'alone' : 'both',
    address: address ?? DEFAULT_ADDRESS,
    size: wholeNumber('--size', values.size, 0) ?? 64,
    count: wholeNumber('--count', values.count, 1) ?? defaultCounts[kind],
    isJson: values.json === true,
  }
}

function wholeNumber(name: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined) return undefined
  if (!/^\d{1,15}$/.test(text) || Number(text) < least) {
    throw refusal(usage, `${name} must be a whole number from ${least} on, not ${text}`)
  }
  return Number(text)
}

// ---- Measuring ----

const grouped = (value: number, digits = 0) =>
  value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })

/** The first message starts the clock, and is not counted. */
async function receiveThroughput(pull: Pull, { size, count }: Settings): Promise<Result> {
  await pull.receive()
  const started = performance.now()
  let left = count
  for await (const messages of pull.batches()) {
    left -= messages.length
    if (left <= 0) break
  }
  const seconds = Math.max(performance.now() - started, 1e-3) / 1000
  const messagesPerSecond = count / seconds
  const megabytesPerSecond = (messagesPerSecond * size) / 1e6
  return {
    lines: [['throughput', `${grouped(messagesPerSecond)} messages/s, ${grouped(megabytesPerSecond, 2)} MB/s`]],
    numbers: { seconds, messagesPerSecond, megabytesPerSecond },
  }
}

async function sendThroughput(push: Push, { size, count }: Settings): Promise<void> {
  const body = Buffer.alloc(size)
  for (let left = count + 1; left > 0; left--) {
    if (!push.trySend(body)) await push.send(body)
  }
}

async function measureLatency(pair: Pair, { size, count }: Settings): Promise<Result> {
  const body = Buffer.alloc(size)
  const microseconds = new Float64Array(count)
  for (let index = -WARM_UP; index < count; index++) {
    const started = performance.now()
    await pair.send(body)
    await pair.receive()
    if (index >= 0) microseconds[index] = (performance.now() - started) * 1000
  }
  const mean = microseconds.reduce((sum, value) => sum + value, 0) / count
  const sorted = microseconds.sort()
  const percentile = (share: number) => sorted[Math.min(count - 1, Math.floor(count * share))]!
  const numbers = { mean, p50: percentile(0.5), p90: percentile(0.9), p99: percentile(0.99), max: sorted[count - 1]! }
  return {
    lines: Object.entries(numbers).map(([name, value]) => [`round trip, ${name}`, `${grouped(value, 1)} µs`]),
    numbers,
  }
}

async function echo(pair: Pair, { count }: Settings): Promise<void> {
  for (let left = count + WARM_UP; left > 0; left--) await pair.send(await pair.receive())
}

// ---- The two sides ----

type Side = 'measuring' | 'other'

function open({ Pair, Pull, Push }: typeof Sockets, kind: Kind, side: Side): Socket {
  const options = { maxMessageSize: -1, linger: -1 }
  if (kind === 'lat') return new Pair(options)
  return side === 'measuring' ? new Pull(options) : new Push(options)
}

function measure(socket: Socket, settings: Settings): Promise<Result> {
  return settings.kind === 'thr'
    ? receiveThroughput(socket as Pull, settings)
    : measureLatency(socket as Pair, settings)
}

async function serve(sockets: typeof Sockets, settings: Settings): Promise<void> {
  await using socket = open(sockets, settings.kind, 'other')
  await attachTo(settings.address, 'connect', () => socket.connect(settings.address))
  if (settings.kind === 'thr') await sendThroughput(socket as Push, settings)
  else await echo(socket as Pair, settings)
}

/** A process of its own; it ends with ours, however that ends. */
function startPeer({ kind, size, count }: Settings, address: string): ChildProcess {
  const main = join(__dirname, '..', 'main.js')
  const args = ['bench', kind, '--peer', '--size', `${size}`, '--count', `${count}`, address]
  return spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
}

function endWithParent(): void {
  if (process.channel === undefined) return
  process.on('disconnect', () => process.exit(1))
  process.channel.unref()
}

/** Rejects when the other side ends before it has done its part. */
function failureOf(peer: ChildProcess): Promise<never> {
  return new Promise((_, reject) => {
    const fail = () => reject(new Exit(3, "Can't measure: the other side has failed\n"))
    peer.on('error', fail)
    peer.on('exit', (code) => code !== 0 && fail())
  })
}

async function measureBoth(sockets: typeof Sockets, settings: Settings): Promise<[Result, string]> {
  await using socket = open(sockets, settings.kind, 'measuring')
  const { address } = await attachTo(settings.address, 'bind', () => socket.bind(settings.address))
  if (settings.role === 'alone') return [await measure(socket, settings), address]
  if (address.startsWith('inproc:')) {
    const [result] = await Promise.all([measure(socket, settings), serve(sockets, { ...settings, address })])
    return [result, address]
  }
  const peer = startPeer(settings, address)
  try {
    return [await Promise.race([measure(socket, settings), failureOf(peer)]), address]
  } finally {
    peer.kill()
  }
}

function report({ kind, size, count, isJson }: Settings, address: string, { lines, numbers }: Result): string {
  if (isJson) return `${JSON.stringify({ benchmark: kind, address, size, count, ...numbers })}\n`
  const what = kind === 'thr' ? 'messages' : 'round trips'
  const width = Math.max(...lines.map(([name]) => name.length)) + 2
  return `${grouped(count)} ${what} of ${grouped(size)} bytes over ${address}\n${lines
    .map(([name, value]) => `${name.padEnd(width)}${value}\n`)
    .join('')}`
}

/** `nanocat bench thr`, `nanocat bench lat` */
export async function bench(args: readonly string[], { environment, output }: Context): Promise<void> {
  const settings = parse(args)
  const sockets = (await environment.loadSockets()) as unknown as typeof Sockets
  if (settings.role === 'peer') {
    endWithParent()
    return await serve(sockets, settings)
  }
  const [result, address] = await measureBoth(sockets, settings)
  await output.write(report(settings, address, result))
  await output.flush()
}
