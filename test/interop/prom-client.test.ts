/** The registry of prom-client beside our statistics, as docs/api.md shows it. */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { openMetrics, Pub, Pull, Push, type Statistics } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'

const folder = join(__dirname, '..', 'libraries')
const isThere = existsSync(join(folder, 'node_modules', 'prom-client'))

/** What is used of it: it is not installed where types are checked. */
interface Metric {
  reset(): void
  inc(labels: object, value: number): void
  set(labels: object, value: number): void
}
interface Settings {
  readonly name: string
  readonly help: string
  readonly labelNames?: string[]
  readonly registers: Registry[]
  collect?(this: Metric): void
}
interface Registry {
  clear(): void
  setContentType(type: string): void
  metrics(): Promise<string>
}
interface PromClient {
  readonly register: Registry
  readonly Registry: { new (): Registry; readonly OPENMETRICS_CONTENT_TYPE: string }
  readonly Counter: new (settings: Settings) => Metric
  readonly Gauge: new (settings: Settings) => Metric
}

const load = () => createRequire(join(folder, 'package.json'))('prom-client') as PromClient

/** The program of docs/api.md that makes a metric of a field. */
function recipe(): string {
  const page = readFileSync(join(__dirname, '..', '..', 'docs', 'api.md'), 'utf8')
  const [, text = ''] = /```ts\n(new Counter\(\{\n[\s\S]*?)```/.exec(page.slice(page.indexOf('`prom-client`'))) ?? []
  return text
}

const familiesOf = (text: string) => [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name)

const sampleOf = (text: string, sample: string) =>
  Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${sample} `))
      ?.slice(sample.length),
  )

if (!isThere && process.env.NN_REQUIRE_PEERS === '1')
  test('prom-client', () => expect.fail('is not installed: run scripts/install-test-tools'))

describe.skipIf(!isThere)('prom-client', () => {
  test('has our statistics in its registry, as they are when it is asked', async () => {
    const { Counter, Gauge, Registry } = load()
    await using pub = new Pub({ name: 'events' })
    await using push = new Push({ name: 'jobs' })
    await using pull = new Pull()
    push.connect(pull.bind('tcp://127.0.0.1:0').address)
    const register = new Registry()

    const fields = { messagesSent: Counter, messagesDropped: Counter, queuedBytes: Gauge, currentConnections: Gauge }
    for (const [field, Kind] of Object.entries(fields)) {
      new Kind({
        name: `app_${field}`,
        help: `${field} of stats()`,
        labelNames: ['socket'],
        registers: [register],
        collect() {
          this.reset()
          for (const socket of [pub, push]) {
            const value = socket.stats()[field as keyof Statistics]
            if (Kind === Gauge) this.set({ socket: socket.name }, value)
            else this.inc({ socket: socket.name }, value)
          }
        },
      })
    }

    for (let count = 1; count <= 3; count++) {
      await push.send('job')
      await pull.receive()
      const text = await register.metrics()
      expect(sampleOf(text, 'app_messagesSent{socket="jobs"}')).toBe(count)
      expect(sampleOf(text, 'app_messagesSent{socket="events"}')).toBe(0)
      expect(sampleOf(text, 'app_currentConnections{socket="jobs"}')).toBe(1)
      expect(text).toContain('# TYPE app_messagesSent counter')
    }
  })

  test('continues the text of openMetrics()', async () => {
    const { Counter, Registry } = load()
    await using push = new Push({ name: 'jobs' })
    const register = new Registry()
    register.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
    new Counter({ name: 'requests', help: 'of the program', registers: [register] }).inc({}, 7)
    const text = openMetrics([push], { eof: false }) + (await register.metrics())
    const families = familiesOf(text)
    expect(new Set(families).size).toBe(families.length)
    expect(families).toContain('requests')
    expect(sampleOf(text, 'requests_total')).toBe(7)
    expect(sampleOf(text, 'nanomsg_messages_sent_total{type="Push",socket="jobs"}')).toBe(0)
    expect(text.indexOf('# EOF\n')).toBe(text.length - '# EOF\n'.length)
  })

  test('has what docs/api.md makes, beside the text of openMetrics() and under names of its own', async () => {
    const { Counter, Registry, register } = load()
    await using pub = new Pub({ name: 'events' })
    register.clear()
    register.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
    new Function('Counter', 'sockets', recipe())(Counter, [pub])
    const text = openMetrics([pub], { eof: false }) + (await register.metrics())
    const families = familiesOf(text)
    expect(new Set(families).size).toBe(families.length)
    expect(sampleOf(text, 'app_messages_dropped_total{socket="events"}')).toBe(0)
    expect(sampleOf(text, 'nanomsg_messages_dropped_total{type="Pub",socket="events"}')).toBe(0)
  })
})
