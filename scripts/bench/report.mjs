/** Medians of the rounds, and how many times better the first peer is, taken round by round. */
import { TO_AND_FRO } from './cases.mjs'

export function median(values) {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b)
  if (sorted.length === 0) return Number.NaN
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

export function format(value) {
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)} M`
  if (value >= 1e5) return `${(value / 1e3).toFixed(0)} k`
  if (value >= 1e3) return `${(value / 1e3).toFixed(1)} k`
  if (value >= 100) return value.toFixed(0)
  return value.toPrecision(3)
}

export const ratio = (value) => (value >= 10 ? value.toFixed(0) : value.toFixed(value >= 1.95 ? 1 : 2))

export const FIGURES = [
  { key: 'messagesPerSecond', of: 'PUSH→PULL', title: 'messages per second', isMoreBetter: true },
  { key: 'cpuUs', of: 'PUSH→PULL', title: 'CPU time per message in µs, both processes' },
  { key: 'messagesPerSecond', of: TO_AND_FRO, title: 'messages handed over and back per second', isMoreBetter: true },
  { key: 'cpuUs', of: TO_AND_FRO, title: 'CPU time for there and back in µs' },
  { key: 'p50us', of: 'REQ/REP', title: 'round trip in µs, median' },
  { key: 'p99us', of: 'REQ/REP', title: 'round trip in µs, 99th percentile' },
  { key: 'cpuUs', of: 'REQ/REP', title: 'CPU time per round trip in µs, both processes' },
  { key: 'messagesPerSecond', of: 'PUB→SUB', title: 'deliveries per second', isMoreBetter: true },
  { key: 'cpuUs', of: 'PUB→SUB', title: 'CPU time per delivery in µs, both processes' },
  { key: 'messagesPerSecond', of: 'fan-in', title: 'messages per second', isMoreBetter: true },
  { key: 'cpuUs', of: 'fan-in', title: 'CPU time per message in µs, both processes' },
  { key: 'messagesPerSecond', of: 'in flight', title: 'replies per second', isMoreBetter: true },
  { key: 'cpuUs', of: 'in flight', title: 'CPU time per reply in µs, both processes' },
  {
    key: 'messagesPerSecond',
    of: 'subscriptions',
    title: 'deliveries per second of one message in ten',
    isMoreBetter: true,
  },
  { key: 'cpuUs', of: 'subscriptions', title: 'CPU time per delivery in µs, both processes' },
  { key: 'connectionsPerSecond', of: 'connections', title: 'connections accepted per second', isMoreBetter: true },
  { key: 'bytesPerConnection', of: 'idle connections', title: 'bytes per connection outside the kernel' },
  { key: 'startUpMs', of: 'start-up', title: 'ms from loading the package to the first message' },
]

/** The rounds' figures of one peer in one case; none where it does not take part. */
export const figuresOf = (results, title, peerName, key) =>
  (results[title]?.[peerName] ?? []).map((result) => result?.[key] ?? Number.NaN)

/** The spread of one peer's rounds, and how the first peer's of the same rounds stand to them. */
function cell(rounds, firsts, isMoreBetter) {
  const values = rounds.filter((value) => !Number.isNaN(value))
  if (values.length === 0) return '–'
  const spread = `${format(median(values))} (${format(Math.min(...values))}–${format(Math.max(...values))})`
  if (rounds === firsts) return spread
  const ratios = rounds
    .map((value, i) => (isMoreBetter ? firsts[i] / value : value / firsts[i]))
    .filter((value) => Number.isFinite(value))
  return ratios.length > 0 ? `${spread} [${ratio(median(ratios))}×]` : spread
}

const nameOf = ({ row, count, transport, size }) =>
  row ?? (count === undefined ? `${transport}, ${size}` : `${transport}, ${count.toLocaleString('en')}`)

function table(figure, rows, peers, results) {
  // Without a figure of a peer in any row, its column says nothing.
  const shown = peers.filter((peer, i) => i === 0 || rows.some(({ title }) => results[title][peer.name].length > 0))
  const lines = ['', `**${figure.of}: ${figure.title}**`, '']
  lines.push(`| | ${shown.map((peer) => `${peer.name} ${peer.version}`.trim()).join(' | ')} |`)
  lines.push(`|---|${shown.map(() => '---').join('|')}|`)
  for (const row of rows) {
    const byPeer = shown.map((peer) => figuresOf(results, row.title, peer.name, figure.key))
    const cells = byPeer.map((rounds) => cell(rounds, byPeer[0], figure.isMoreBetter))
    lines.push(`| ${nameOf(row)} | ${cells.join(' | ')} |`)
  }
  return lines
}

/** @param results maps case titles to maps of peer names to the rounds' results */
export function tables(results, cases, peers) {
  const lines = []
  for (const figure of FIGURES) {
    const rows = cases.filter((each) => each.pattern === figure.of)
    if (rows.length > 0) lines.push(...table(figure, rows, peers, results))
  }
  return lines.join('\n')
}
