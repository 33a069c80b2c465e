/** Workers that are terminated while the addon works for them. */
import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeNodes } from '../support/nodes.js'
import { ca, server } from '../tls/certificates.js'

const program = join(__dirname, 'terminations.cjs')
/** NN_TERMINATIONS says how many for each role; the default ends within a minute. */
const rounds = process.env.NN_TERMINATIONS ?? '6'

/** How much of the heap a termination may leave behind. Caches of malloc and Node.js take 3 KB of each in short
 *  runs. */
const heapLimitKilobytes = 16

const folder = mkdtempSync(join(tmpdir(), 'nn-heap-'))
const heap = join(folder, 'heap_in_use.node')

beforeAll(() => {
  execFileSync('cc', ['-shared', '-fPIC', '-o', heap, join(__dirname, 'heap_in_use.c')])
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Growth {
  terminated: number
  descriptors: number
  threads: number
  /** The number of terminations in which the heap has grown by that. */
  measured: number
  heapKilobytes: number
}

describeNodes('a Worker that is terminated while it is busy', ({ path }) => {
  test('ends alone, and leaves no descriptor, no thread and no memory', async () => {
    const env = { ...process.env, NN_HEAP: heap, NN_CA: ca.cert, NN_CERT: server.cert, NN_KEY: server.key }
    const { stdout } = await promisify(execFile)(path, ['--expose-gc', program, rounds], { env })
    const { terminated, descriptors, threads, measured, heapKilobytes } = JSON.parse(stdout) as Growth
    expect(terminated).toBeGreaterThanOrEqual(10 * Number(rounds))
    expect([descriptors, threads]).toEqual([0, 0])
    expect(heapKilobytes / measured).toBeLessThan(heapLimitKilobytes)
  }, 600_000)
})
