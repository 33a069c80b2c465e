/** Random calls from several Workers, which are terminated in the middle. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { describeNodes } from '../support/nodes.js'

const program = join(__dirname, 'schedules.cjs')
/** NN_SCHEDULES_SEED and NN_SCHEDULES_CALLS run others, and longer. */
const seed = process.env.NN_SCHEDULES_SEED ?? String(Date.now() % 1_000_000)
const calls = process.env.NN_SCHEDULES_CALLS ?? '1500'

describeNodes('random calls from Workers that are terminated', ({ path }) => {
  test(`end well, and leave no descriptor and no thread (seed ${seed})`, async () => {
    const { stdout } = await promisify(execFile)(path, [program, seed, calls])
    const grown = JSON.parse(stdout) as { calls: number; descriptors: number; threads: number }
    expect(grown.calls).toBeGreaterThanOrEqual(Number(calls))
    expect([grown.descriptors, grown.threads]).toEqual([0, 0])
  }, 300_000)
})
