/** What an attack may do to a server and to its honest clients. */

const MOST_P99_MS = 5
const MOST_TIMES_CALM = 3
const MOST_JOIN_MS = 50
const LONGEST_PAUSE_MS = 50

const columns = ['transport', 'peers that', 'number', 'p99, calm', 'p99', 'longest', 'join', 'pause', 'memory']
const rowOf = (cells) => `| ${cells.join(' | ')} |`

/** Times are in milliseconds, memory in MiB: before, most so far, after. */
export const HEADLINE = `${rowOf(columns)}\n${rowOf(columns.map(() => '---'))}`

export function row({ transport, name, peers, calm, attacked, before, during, after }) {
  const times = [calm.p99, attacked.p99, attacked.most, attacked.join, during.longestMs].map((ms) => ms.toFixed(1))
  const memory = [before.memoryMiB, during.mostMemoryMiB, after.memoryMiB].join(', ')
  return rowOf([transport, name, peers, ...times, memory])
}

/** Says which bars were missed. */
export function judge({ transport, name, calm, attacked, before, during, after }) {
  const missed = []
  const bar = (what, value, most, unit = ' ms') => {
    if (value > most) missed.push(`${transport}, ${name}: ${what} ${value.toFixed(1)}${unit}, not ${most.toFixed(1)}`)
  }
  bar('p99 of honest clients', attacked.p99, Math.max(MOST_P99_MS, MOST_TIMES_CALM * calm.p99))
  bar('an honest client has joined in', attacked.join, MOST_JOIN_MS)
  bar('the event loop has paused for', during.longestMs, LONGEST_PAUSE_MS)
  for (const what of ['descriptors', 'connections']) {
    if (after[what] === before[what]) continue
    missed.push(`${transport}, ${name}: ${after[what]} ${what}, 5 s after the peers have left; before ${before[what]}`)
  }
  return missed
}
