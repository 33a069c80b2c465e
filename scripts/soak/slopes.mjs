/** What a process has, and how it grows. */
import { readdirSync } from 'node:fs'

const MIB = 1024 * 1024
const HOUR_MS = 3_600_000

/** What is looked at. Garbage is collected before, which --expose-gc allows. */
export function takeSample() {
  globalThis.gc?.()
  const { rss, heapUsed, external } = process.memoryUsage()
  const descriptors = process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0
  return { atMs: performance.now(), rss: rss / MIB, heap: heapUsed / MIB, external: external / MIB, descriptors }
}

/** The slope of the straight line with the least squares, for an hour. */
export function slope(samples, what) {
  const mean = (of) => samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length
  const [meanTime, meanValue] = [mean(({ atMs }) => atMs), mean((sample) => sample[what])]
  const covariance = mean((sample) => (sample.atMs - meanTime) * (sample[what] - meanValue))
  const variance = mean(({ atMs }) => (atMs - meanTime) ** 2)
  return variance === 0 ? 0 : (covariance / variance) * HOUR_MS
}
