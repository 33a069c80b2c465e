/** Objects for memory of the engine that V8 or the runtime refuses: nothing is released twice, or never. */
import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeNodes } from '../support/nodes.js'

const program = join(__dirname, 'failing-memory.cjs')

/** What may be left when all is free: an earlier message's memory is kept for the next one for half a second. Each of
 *  the ways leaves 30 MB when it frees nothing. */
const HEAP_LIMIT_BYTES = 8 * 1024 * 1024

const folder = mkdtempSync(join(tmpdir(), 'nn-memory-'))
const failing = join(folder, 'failing_memory.node')
const heap = join(folder, 'heap_in_use.node')

beforeAll(() => {
  execFileSync('cc', ['-shared', '-fPIC', '-o', failing, join(__dirname, 'failing_memory.c'), '-ldl'])
  execFileSync('cc', ['-shared', '-fPIC', '-o', heap, join(__dirname, '..', 'workers', 'heap_in_use.c')])
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Outcome {
  failed: number
  lost: number
  heapBytes: number
}

describeNodes('memory that cannot be shown', ({ path }) => {
  const ways = ['refused', 'finalized', 'collected', 'exhausted']
  const addresses = ['tcp://127.0.0.1:0', 'inproc://failing-memory']
  test.each(ways.flatMap((way) => addresses.map((address) => [way, address] as const)))(
    'is released once, and messages arrive or calls say that they do not: %s, %s',
    async (way, address) => {
      // Freed memory is overwritten, so that a second release cannot go unnoticed.
      const env = { ...process.env, NN_FAILING_MEMORY: failing, NN_HEAP: heap, MALLOC_PERTURB_: '165' }
      const { stdout } = await promisify(execFile)(path, ['--expose-gc', program, way, address], { env })
      const { failed, lost, heapBytes } = JSON.parse(stdout) as Outcome
      expect(failed).toBeGreaterThan(100)
      // Only where there is no memory for a copy either.
      if (way === 'exhausted') expect(lost).toBeGreaterThan(10)
      else expect(lost).toBe(0)
      expect(heapBytes).toBeLessThan(HEAP_LIMIT_BYTES)
    },
    60_000,
  )
})
