/**
 * Measures this package against its peers: npm run bench -- [--quick] [--rounds N] [--only TEXT] [--peer NAME]... [--json FILE]
 *
 * Each round measures every peer once, case by case, so that a drift of the machine meets all of them alike.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { measure } from './measure.mjs'
import { tables } from './report.mjs'

const HERE = dirname(fileURLToPath(import.meta.url))
const PEERS = ['nanomsg-native', 'nanomsg', 'zeromq', 'net']
const SIZES = { '64 B': 64, '1 KiB': 1024, '64 KiB': 65_536 }
const CASES = []
for (const pattern of ['PUSH→PULL', 'REQ/REP']) {
  for (const transport of ['tcp', 'ipc']) {
    for (const [size, bytes] of Object.entries(SIZES)) {
      CASES.push({ pattern, transport, size, bytes, title: `${pattern} ${transport} ${size}` })
    }
  }
}
/** What is run unless asked for otherwise. */
const isYardstick = ({ transport, bytes }) => transport === 'tcp' && bytes <= 1024

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    only: { type: 'string' },
    all: { type: 'boolean', default: false },
    peer: { type: 'string', multiple: true },
    json: { type: 'string' },
  },
})
const roundCount = Number(options.rounds ?? (options.quick ? 1 : 7))
if (options.quick) process.env.NN_BENCH_WINDOW_MS ??= '400'
const cases = CASES.filter((each) => {
  if (options.only !== undefined) return each.title.includes(options.only)
  return options.all || isYardstick(each)
})
const names = options.peer ?? PEERS
const unknown = names.filter((name) => !PEERS.includes(name))
if (unknown.length > 0 || cases.length === 0 || !(roundCount >= 1)) {
  console.error(`bench: peers are ${PEERS.join(', ')}; cases are\n  ${CASES.map(({ title }) => title).join('\n  ')}`)
  process.exit(2)
}

if (!existsSync(`${HERE}/node_modules`)) {
  console.error('bench: installing the peers')
  execFileSync('npm', ['ci', '--no-audit'], { cwd: HERE, stdio: ['ignore', 'ignore', 'inherit'] })
}

const peers = []
for (const name of names) {
  const { version, needsFreePort } = await import(`./peers/${name}.mjs`)
  peers.push({ name, version, needsFreePort })
}

const progress = (text) => {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}

const results = {}
for (const { title } of cases) results[title] = Object.fromEntries(names.map((name) => [name, []]))
for (let round = 1; round <= roundCount; round++) {
  for (const each of cases) {
    for (const peer of peers) {
      progress(`round ${round} of ${roundCount}: ${each.title}, ${peer.name}`)
      const result = await measure(peer, each).catch((error) => {
        console.error(`\n${error.message}`)
        return undefined
      })
      results[each.title][peer.name].push(result)
    }
  }
}
progress('')

console.log(
  `${roundCount} interleaved rounds, Node.js ${process.versions.node}, ${process.platform}-${process.arch}, ` +
    `${cpus().length} × ${cpus()[0].model}. Median (lowest–highest) [how many times better ${names[0]} is].`,
)
console.log(tables(results, cases, peers))
if (options.json !== undefined) writeFileSync(options.json, JSON.stringify(results, null, 1))
