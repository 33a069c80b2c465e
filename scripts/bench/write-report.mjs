/** The report of a run, in docs/benchmarks/: tables, targets, plots and the raw figures. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { plot } from './plot.mjs'
import { FIGURES, figuresOf, median, tables } from './report.mjs'
import { targets } from './targets.mjs'

const FOLDER = fileURLToPath(new URL('../../docs/benchmarks/', import.meta.url))
const PLOTTED = FIGURES.filter(({ key }) => key === 'messagesPerSecond' || key === 'p50us')

const fileName = (pattern, transport) => `${pattern.replace(/\W+/g, '-').toLowerCase()}-${transport}.svg`

function seriesOf(results, rows, peers, key) {
  const pointsOf = (peer) =>
    rows
      .map(({ title, bytes }) => ({ bytes, value: median(figuresOf(results, title, peer.name, key)) }))
      .filter(({ value }) => !Number.isNaN(value))
  return peers.map((peer) => ({ name: peer.name, points: pointsOf(peer) })).filter(({ points }) => points.length > 0)
}

/** Plots what was measured with more than one size. Returns the names of the files. */
function writePlots(results, cases, peers) {
  const names = []
  for (const { key, of, title } of PLOTTED) {
    for (const transport of new Set(cases.map((each) => each.transport))) {
      const rows = cases.filter(
        (each) => each.pattern === of && each.transport === transport && each.count === undefined,
      )
      const series = seriesOf(results, rows, peers, key)
      if (rows.length < 2 || series.length === 0) continue
      const name = fileName(of, transport)
      writeFileSync(join(FOLDER, name), plot(`${of} over ${transport}: ${title}`, rows, series))
      names.push(name)
    }
  }
  return names
}

export function writeReport(headline, results, cases, peers) {
  mkdirSync(FOLDER, { recursive: true })
  const plots = writePlots(results, cases, peers).map((name) => `![${name}](${name})`)
  const parts = ['# Figures', headline, targets(results), ...plots, tables(results, cases, peers)]
  writeFileSync(join(FOLDER, 'README.md'), `${parts.map((part) => part.trim()).join('\n\n')}\n`)
  writeFileSync(join(FOLDER, 'figures.json'), `${JSON.stringify(results, null, 1)}\n`)
}
