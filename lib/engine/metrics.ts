/** Statistics as the text that Prometheus and others read (OpenMetrics 1.0). */
import { argumentError } from './errors.js'
import { ownOptions } from './own-options.js'
import { inheritsRevoked, isFunction } from './proxies.js'
import { type StatisticName, type Statistics, statisticTable } from './statistics.js'

/** What is asked of a socket. */
export interface MetricSource {
  readonly name: string
  readonly closed: boolean
  readonly constructor: { readonly name: string }
  stats(): Statistics
}

export interface MetricsOptions {
  /** Begins the names of all metrics. Default: `nanomsg`. */
  prefix?: string | undefined
  /** Whether the text ends with `# EOF`, after which nothing may follow. Default: true. */
  eof?: boolean | undefined
}

const PREFIX = /^[A-Za-z_:][A-Za-z0-9_:]*$/

const snakeCase = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

const escaped = (value: string) => value.replace(/[\\"\n]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`))

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

const isSource = (value: unknown): value is MetricSource =>
  isObject(value) && !inheritsRevoked(value) && isFunction(Reflect.get(value, 'stats'))

function checkArguments(sockets: unknown, options: unknown): asserts sockets is Iterable<unknown> {
  if (!isObject(sockets) || inheritsRevoked(sockets) || !isFunction(Reflect.get(sockets, Symbol.iterator)))
    throw argumentError('openMetrics', 'sockets', 'an array of sockets', sockets)
  if (!isObject(options)) throw argumentError('openMetrics', 'options', 'an object such as { prefix: "app" }', options)
}

/** One metric of all sockets. */
function familyOf(prefix: string, name: StatisticName, values: readonly (readonly [string, number])[]): string {
  const { kind, help } = statisticTable[name]
  const family = `${prefix}_${snakeCase(name)}`
  const unit = family.endsWith('_bytes') ? [`# UNIT ${family} bytes`] : []
  const suffix = kind === 'counter' ? '_total' : ''
  const samples = values.map(([labels, value]) => `${family}${suffix}{${labels}} ${value}`)
  return [`# TYPE ${family} ${kind}`, ...unit, `# HELP ${family} ${help}`, ...samples].join('\n')
}

/**
 * The statistics of sockets as text in the format OpenMetrics. Each has the labels `type` (its class) and `socket` (its
 * name, which should differ); those that are closed are left out.
 *
 * @throws {NanomsgError} `EINVAL`: something is not as above, or two sockets of one type have one name
 */
export function openMetrics(sockets: Iterable<MetricSource>, options: MetricsOptions = {}): string {
  checkArguments(sockets, options)
  const { prefix = 'nanomsg', eof = true } = ownOptions(options, 'openMetrics')
  if (typeof prefix !== 'string' || !PREFIX.test(prefix))
    throw argumentError('openMetrics', 'prefix', 'letters, digits, _ and :', prefix)
  const rows = new Map<string, Statistics>()
  for (const socket of sockets) {
    if (!isSource(socket)) throw argumentError('openMetrics', 'each of the sockets', 'a socket', socket)
    if (socket.closed) continue
    const labels = `type="${escaped(String(socket.constructor?.name))}",socket="${escaped(socket.name)}"`
    if (rows.has(labels)) throw argumentError('openMetrics', 'the names of sockets', 'different ones', socket.name)
    rows.set(labels, socket.stats())
  }
  const families = (Object.keys(statisticTable) as StatisticName[]).map((name) =>
    familyOf(
      prefix,
      name,
      [...rows].map(([labels, statistics]) => [labels, statistics[name]]),
    ),
  )
  return `${families.join('\n')}\n${eof ? '# EOF\n' : ''}`
}
