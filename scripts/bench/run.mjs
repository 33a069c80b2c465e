/**
 * Measures this package against its peers:
 *
 *   npm run bench -- [--quick] [--all | --field [--short]] [--rounds N] [--only TEXT]... [--peer NAME]...
 *                    [--json FILE] [--report] [--report-to FOLDER]
 *
 * Each round measures every peer once, case by case, so that a drift of the machine meets all of them alike.
 */
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { fieldCases, isPlayedBy, isShort, isYardstick, yardstickCases } from './cases.mjs'
import { measure } from './measure.mjs'
import { loadPeers, NAMES, YARDSTICK } from './peers.mjs'
import { tables } from './report.mjs'
import { targets } from './targets.mjs'
import { writeReport } from './write-report.mjs'

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    only: { type: 'string', multiple: true },
    all: { type: 'boolean', default: false },
    field: { type: 'boolean', default: false },
    short: { type: 'boolean', default: false },
    peer: { type: 'string', multiple: true },
    json: { type: 'string' },
    report: { type: 'boolean', default: false },
    'report-to': { type: 'string' },
  },
})
const roundCount = Number(options.rounds ?? (options.quick ? 1 : options.field ? 3 : 7))
if (options.quick) process.env.NN_BENCH_WINDOW_MS ??= '400'
const allCases = options.field ? fieldCases : yardstickCases
const cases = allCases.filter((each) => {
  if (options.short && !isShort(each)) return false
  if (options.only !== undefined) return options.only.some((text) => each.title.includes(text))
  return options.all || options.field || isYardstick(each)
})
const names = options.peer ?? (options.field ? NAMES : YARDSTICK)
const unknown = names.filter((name) => !NAMES.includes(name))
if (unknown.length > 0 || cases.length === 0 || !(roundCount >= 1)) {
  console.error(`bench: peers are ${NAMES.join(', ')}; cases are\n  ${allCases.map(({ title }) => title).join('\n  ')}`)
  process.exit(2)
}

const peers = await loadPeers(
  names,
  cases.some(({ pattern }) => pattern === 'connections'),
)
const progress = (text) => {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}

const results = {}
for (const { title } of cases) results[title] = Object.fromEntries(peers.map(({ name }) => [name, []]))
for (let round = 1; round <= roundCount; round++) {
  for (const each of cases) {
    for (const peer of peers.filter((one) => isPlayedBy(each, one))) {
      progress(`round ${round} of ${roundCount}: ${each.title}, ${peer.name}`)
      const result = await measure(peer, each, options.field).catch((error) => {
        console.error(`\n${error.message}`)
        return undefined
      })
      results[each.title][peer.name].push(result)
    }
  }
}
progress('')

const headline =
  `${roundCount} interleaved rounds, Node.js ${process.versions.node}, ${process.platform}-${process.arch}, ` +
  `${cpus().length} × ${cpus()[0].model}.\nMedian (lowest–highest) [how many times better ${names[0]} is].`
console.log(headline)
console.log(tables(results, cases, peers))
if (options.field) console.log(targets(results))
if (options.json !== undefined) writeFileSync(options.json, JSON.stringify(results, null, 1))
const folder = options['report-to']
if (options.report || folder !== undefined) writeReport({ headline, roundCount, results, cases, peers, folder })
