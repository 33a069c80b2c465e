/**
 * Mixed traffic with check sums for hours: npm run soak -- --hours N
 *
 * All patterns over all transports in one process. What it has of memory and descriptors is looked at again and again,
 * and the slopes are reported; they begin after ten minutes, or after half of a shorter run. The command fails when a
 * message was wrong, when descriptors are left at the end, and when memory grows by more than 1 MiB in an hour, if that
 * was measured for half an hour at least: in less it is noise.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { makeCertificate } from '../stress/transports.mjs'
import { slope, takeSample } from './slopes.mjs'
import { converse, counts } from './traffic.mjs'

const MINUTE_MS = 60_000
const WARM_UP_MS = 10 * MINUTE_MS
const LEAST_MEASURED_MS = 30 * MINUTE_MS
const MOST_MIB_PER_HOUR = 1
const SAMPLES = 240

const { values } = parseArgs({ options: { hours: { type: 'string', default: '1' } } })
const durationMs = Number(values.hours) * 60 * MINUTE_MS
if (!(durationMs > 0)) {
  console.error('soak: --hours is a number above 0, such as 0.1')
  process.exit(2)
}

const folder = mkdtempSync(join(tmpdir(), 'nn-soak-'))
const { cert, key } = makeCertificate(folder)
const tls = { bound: { tls: { cert, key } }, connected: { tls: { ca: cert } } }
const plain = { bound: {}, connected: {} }
const transports = {
  inproc: { addressOf: (pattern) => `inproc://${pattern}`, options: plain },
  ipc: { addressOf: (pattern) => `ipc://${join(folder, pattern)}`, options: plain },
  tcp: { addressOf: () => 'tcp://127.0.0.1:0', options: plain },
  ws: { addressOf: (pattern) => `ws://127.0.0.1:0/${pattern}`, options: plain },
  'tls+tcp': { addressOf: () => 'tls+tcp://127.0.0.1:0', options: tls },
  wss: { addressOf: (pattern) => `wss://127.0.0.1:0/${pattern}`, options: tls },
}

/** Descriptors when all sockets are closed, and what the kernel closes a moment later is closed as well. */
async function takeSampleAtRest(most) {
  for (let i = 0; i < 50 && takeSample().descriptors > most; i++) await setTimeout(100)
  return takeSample()
}

// What is opened with the first sockets and stays is not what a leak is.
await converse(transports, AbortSignal.timeout(200))
await setTimeout(1000)
const before = takeSample()
const samples = []
const sampling = setInterval(() => samples.push(takeSample()), durationMs / SAMPLES)
const stop = AbortSignal.timeout(durationMs)
stop.addEventListener('abort', () => clearInterval(sampling))
await converse(transports, stop)
const after = await takeSampleAtRest(before.descriptors)
rmSync(folder, { recursive: true })

const warmUpMs = Math.min(WARM_UP_MS, durationMs / 2)
const measured = samples.filter(({ atMs }) => atMs - before.atMs >= warmUpMs)
const last = measured.at(-1)
const mib = (number) => number.toFixed(1)
console.log(
  `${values.hours} h: ${counts.messages} messages, ${Math.round(counts.bytes / 1024 ** 2)} MiB, ${counts.wrong} wrong`,
)
for (const what of ['rss', 'heap', 'external', 'descriptors']) {
  console.log(`${what}: ${mib(measured[0][what])} to ${mib(last[what])}, ${mib(slope(measured, what))} per hour`)
}
console.log(`descriptors before ${before.descriptors}, after ${after.descriptors}`)

const isMeasured = durationMs - warmUpMs >= LEAST_MEASURED_MS
const isLeaking = isMeasured && slope(measured, 'rss') > MOST_MIB_PER_HOUR
if (isLeaking) console.log(`missed: memory grows by more than ${MOST_MIB_PER_HOUR} MiB per hour`)
const isLeft = after.descriptors > before.descriptors
if (isLeft) console.log('missed: descriptors are left')
process.exitCode = counts.wrong > 0 || isLeaking || isLeft ? 1 : 0
