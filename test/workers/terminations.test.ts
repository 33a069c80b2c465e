/** Workers that are terminated while the addon works for them. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { describeNodes } from '../support/nodes.js'
import { ca, server } from '../tls/certificates.js'

const program = join(__dirname, 'terminations.cjs')
/** NN_TERMINATIONS says how many for each role; the default ends within a minute. */
const rounds = process.env.NN_TERMINATIONS ?? '6'

interface Growth {
  terminated: number
  descriptors: number
  threads: number
}

describeNodes('a Worker that is terminated while it is busy', ({ path }) => {
  test('ends alone, and leaves no descriptor and no thread', async () => {
    const env = { ...process.env, NN_CA: ca.cert, NN_CERT: server.cert, NN_KEY: server.key }
    const { stdout } = await promisify(execFile)(path, ['--expose-gc', program, rounds], { env })
    const { terminated, descriptors, threads } = JSON.parse(stdout) as Growth
    expect(terminated).toBeGreaterThanOrEqual(10 * Number(rounds))
    expect([descriptors, threads]).toEqual([0, 0])
  }, 600_000)
})
