import { once } from 'node:events'
import type { Device, DevicePattern, DeviceSide } from '../../device.js'
import type { Statistics } from '../../engine/statistics.js'
import { type Context, stopWhenInterrupted } from '../context.js'
import type { Attaching } from '../hints.js'
import { Observer } from '../observer.js'
import { attachTo, failed } from '../sockets.js'
import { isTerminal, painter } from '../terminal.js'
import { usage } from './device-usage.js'
import { parseCommand, refusal } from './usage.js'

const patterns = ['reqrep', 'survey', 'pipeline', 'pubsub', 'pair', 'bus'] as const satisfies readonly DevicePattern[]

interface Settings {
  readonly pattern: DevicePattern
  /** Two of them, in the order of the command line. */
  readonly endpoints: readonly { attaching: Attaching; address: string }[]
  readonly isVerbose: boolean
  readonly hasStats: boolean
}

function parse(args: readonly string[]): Settings {
  const { values, tokens } = parseCommand(usage, {
    args: [...args],
    tokens: true,
    options: {
      reqrep: { type: 'boolean' },
      survey: { type: 'boolean' },
      pipeline: { type: 'boolean' },
      pubsub: { type: 'boolean' },
      pair: { type: 'boolean' },
      bus: { type: 'boolean' },
      bind: { type: 'string', multiple: true },
      connect: { type: 'string', multiple: true },
      verbose: { type: 'boolean', short: 'v' },
      stats: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  const endpoints = tokens.flatMap((token) => {
    if (token.kind === 'positional') return [{ attaching: 'bind' as const, address: token.value }]
    if (token.kind !== 'option' || (token.name !== 'bind' && token.name !== 'connect')) return []
    return [{ attaching: token.name, address: token.value! }]
  })
  const chosen = patterns.filter((pattern) => values[pattern])
  if (chosen.length > 1) throw refusal(usage, `--${chosen[0]} and --${chosen[1]} exclude each other`)
  if (endpoints.length !== 2) throw refusal(usage, `two addresses are needed, not ${endpoints.length}`)
  return {
    pattern: chosen[0] ?? 'reqrep',
    endpoints,
    isVerbose: values.verbose === true,
    hasStats: values.stats === true,
  }
}

/** What both sides count together: in is what came to one of them, out what left by one of them. */
function countsOf({ first, second }: Device) {
  const [one, other] = [first.stats(), second.stats()]
  const sum = (name: keyof Statistics) => one[name] + other[name]
  return {
    messagesSent: sum('messagesSent'),
    messagesReceived: sum('messagesReceived'),
    bytesSent: sum('bytesSent'),
    bytesReceived: sum('bytesReceived'),
    currentConnections: sum('currentConnections'),
  }
}

async function open(pattern: DevicePattern): Promise<Device> {
  try {
    const { Device } = await import('../../index.js')
    return new Device(pattern)
  } catch (error) {
    throw failed("Can't create device", error)
  }
}

/** `nanocat device ADDR1 ADDR2`: the engine forwards on threads of its own, and we wait for a signal. */
export async function device(args: readonly string[], context: Context): Promise<void> {
  const { stderr } = context.environment
  const { pattern, endpoints, isVerbose, hasStats } = parse(args)
  stopWhenInterrupted(context)
  const opened = await open(pattern)
  let observer: Observer | undefined
  try {
    const paint = painter(stderr)
    const report = (text: string) => {
      if (!isVerbose) return
      observer?.makeRoom()
      stderr.write(`${paint('faint', text)}\n`)
    }
    for (const [index, side] of [opened.first, opened.second].entries()) await attach(side, endpoints[index]!, report)
    observer = new Observer(() => countsOf(opened), {
      terminal: hasStats && isTerminal(stderr) ? stderr : undefined,
      report: isVerbose ? report : undefined,
    })
    const { signal } = context.stop
    if (!signal.aborted) await once(signal, 'abort')
  } finally {
    observer?.end()
    await opened.close()
  }
  context.stop.signal.throwIfAborted()
}

async function attach(side: DeviceSide, endpoint: Settings['endpoints'][number], report: (text: string) => void) {
  const { attaching, address } = endpoint
  const actual = await attachTo(address, attaching, () => side[attaching](address))
  report(attaching === 'bind' ? `listening on ${actual}` : `connecting to ${address}`)
}
