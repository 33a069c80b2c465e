/** Medians of the rounds, and how many times better the first peer is, taken round by round. */

export function median(values) {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b)
  if (sorted.length === 0) return Number.NaN
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

function format(value) {
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)} M`
  if (value >= 1e5) return `${(value / 1e3).toFixed(0)} k`
  if (value >= 1e3) return `${(value / 1e3).toFixed(1)} k`
  if (value >= 100) return value.toFixed(0)
  return value.toPrecision(3)
}

const ratio = (value) => (value >= 10 ? value.toFixed(0) : value.toFixed(value >= 1.95 ? 1 : 2))

const FIGURES = [
  { key: 'messagesPerSecond', of: 'PUSH→PULL', title: 'messages per second', isMoreBetter: true },
  { key: 'cpuUs', of: 'PUSH→PULL', title: 'CPU time per message in µs, both processes' },
  { key: 'p50us', of: 'REQ/REP', title: 'round trip in µs, median' },
  { key: 'p99us', of: 'REQ/REP', title: 'round trip in µs, 99th percentile' },
  { key: 'cpuUs', of: 'REQ/REP', title: 'CPU time per round trip in µs, both processes' },
]

/** The spread of one peer's rounds, and how the first peer's of the same rounds stand to them. */
function cell(rounds, firsts, isMoreBetter) {
  const values = rounds.filter((value) => value !== undefined && !Number.isNaN(value))
  if (values.length === 0) return '–'
  const spread = `${format(median(values))} (${format(Math.min(...values))}–${format(Math.max(...values))})`
  if (rounds === firsts) return spread
  const ratios = rounds
    .map((value, i) => (isMoreBetter ? firsts[i] / value : value / firsts[i]))
    .filter((ratio) => Number.isFinite(ratio))
  return `${spread} [${ratio(median(ratios))}×]`
}

/** @param results maps case titles to maps of peer names to the rounds' results */
export function tables(results, cases, peers) {
  const lines = []
  for (const figure of FIGURES) {
    const rows = cases.filter((each) => each.pattern === figure.of)
    if (rows.length === 0) continue
    lines.push('', `**${figure.of}: ${figure.title}**`, '')
    lines.push(`| | ${peers.map((peer) => `${peer.name} ${peer.version}`).join(' | ')} |`)
    lines.push(`|---|${peers.map(() => '---').join('|')}|`)
    for (const row of rows) {
      const byPeer = peers.map((peer) =>
        results[row.title][peer.name].map((result) => result?.[figure.key] ?? Number.NaN),
      )
      lines.push(
        `| ${row.transport}, ${row.size} | ${byPeer.map((rounds) => cell(rounds, byPeer[0], figure.isMoreBetter)).join(' | ')} |`,
      )
    }
  }
  return lines.join('\n')
}
