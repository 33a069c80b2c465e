/** Statistics as the text that Prometheus and others read (OpenMetrics 1.0). */
import { argumentError } from './errors.js'
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
 * @throws {NanomsgError} `EINVAL`: the prefix is none, or two sockets of one type have one name
 */
export function openMetrics(sockets: Iterable<MetricSource>, options: MetricsOptions = {}): string {
  const { prefix = 'nanomsg', eof = true } = options
  if (!PREFIX.test(prefix)) throw argumentError('openMetrics', 'prefix', 'letters, digits, _ and :', prefix)
  const rows = new Map<string, Statistics>()
  for (const socket of sockets) {
    if (socket.closed) continue
    const labels = `type="${escaped(socket.constructor.name)}",socket="${escaped(socket.name)}"`
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
