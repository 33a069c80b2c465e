/** The report of a run, in docs/benchmarks/ unless told otherwise: tables, targets, plots and the raw figures. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { plot } from './plot.mjs'
import { figuresOf, median, tables } from './report.mjs'
import { targets } from './targets.mjs'

const FOLDER = fileURLToPath(new URL('../../docs/benchmarks/', import.meta.url))
const PLOTTED = [
  { key: 'messagesPerSecond', of: 'PUSH→PULL', title: 'throughput', unit: 'messages per second' },
  { key: 'p50us', of: 'REQ/REP', title: 'round trip, median', unit: 'round trip in µs' },
  { key: 'p99us', of: 'REQ/REP', title: 'round trip, 99th percentile', unit: 'round trip in µs' },
]

const fileName = (pattern, transport, key) => {
  const isRate = key === 'messagesPerSecond'
  return `${pattern.replace(/\W+/g, '-').toLowerCase()}-${transport}${isRate ? '' : `-${key.slice(0, 3)}`}.svg`
}

const between = { threads: 'between threads', inproc: 'within one thread' }

function seriesOf(results, rows, peers, key) {
  const pointsOf = (peer) =>
    rows
      .map(({ title, bytes }) => ({ bytes, value: median(figuresOf(results, title, peer.name, key)) }))
      .filter(({ value }) => !Number.isNaN(value))
  return peers.map((peer) => ({ name: peer.name, points: pointsOf(peer) })).filter(({ points }) => points.length > 0)
}

/** Plots what was measured with more than one size. Returns the pictures' text for the page. */
function writePlots(folder, results, cases, peers) {
  const pictures = []
  for (const { key, of, title, unit } of PLOTTED) {
    for (const transport of new Set(cases.map((each) => each.transport))) {
      const rows = cases.filter(
        (each) => each.pattern === of && each.transport === transport && each.count === undefined,
      )
      const series = seriesOf(results, rows, peers, key)
      if (rows.length < 2 || series.length === 0) continue
      const name = fileName(of, transport, key)
      const caption = `${of} ${between[transport] ?? `over ${transport}`}: ${title}`
      writeFileSync(join(folder, name), plot(caption, unit, rows, series))
      pictures.push(`![${caption}](${name})`)
    }
  }
  return pictures
}

/** What was measured, on what, and when. */
function circumstances(roundCount, peers) {
  const versions = peers.map(({ name, version }) => `${name} ${version}`.trim()).join(', ')
  return {
    date: new Date().toISOString().slice(0, 10),
    rounds: roundCount,
    windowMs: Number(process.env.NN_BENCH_WINDOW_MS ?? 1000),
    processor: `${availableParallelism()} × ${cpus()[0].model}`,
    memory: `${(totalmem() / 2 ** 30).toFixed(1)} GiB`,
    system: `${process.platform} ${release()}, ${process.arch}`,
    node: `${process.versions.node} (V8 ${process.versions.v8}, libuv ${process.versions.uv})`,
    peers: versions,
  }
}

/** @param folder where to; docs/benchmarks/ when undefined */
export function writeReport({ headline, roundCount, results, cases, peers, folder = FOLDER }) {
  mkdirSync(folder, { recursive: true })
  const facts = circumstances(roundCount, peers)
  const table = ['| | |', '|---|---|', ...Object.entries(facts).map(([name, value]) => `| ${name} | ${value} |`)]
  const pictures = writePlots(folder, results, cases, peers)
  const parts = [
    '# Figures',
    'What `npm run bench -- --field --report` has measured, [and how](../benchmarks.md); [each round](figures.json).',
    table.join('\n'),
    targets(results),
    ...pictures,
    headline,
    tables(results, cases, peers),
  ]
  writeFileSync(join(folder, 'README.md'), `${parts.map((part) => part.trim()).join('\n\n')}\n`)
  writeFileSync(join(folder, 'figures.json'), `${JSON.stringify({ ...facts, results }, null, 1)}\n`)
}
