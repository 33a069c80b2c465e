/** What a server in C allocates for each idle connection, as its allocator counts it. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'

const root = join(__dirname, '..', '..')
const build = join(root, 'build-test')
const isGlibc = 'glibcVersionRuntime' in (process.report.getReport() as { header: object }).header

function run(command: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', timeout: 100_000 })
  if (status !== 0) throw new Error(`${command} has failed (${error?.message ?? status}): ${stderr}`)
  return stdout
}

// Only the allocator of glibc counts (mallinfo2).
describe.skipIf(!isGlibc)('memory of idle connections', () => {
  beforeAll(() => {
    run('cmake', ['-S', root, '-B', build, '-DNN_TESTS=ON'])
    run('cmake', ['--build', build, '--target', 'perf_connections', '-j', '2'])
  }, 200_000)

  // The structures, what the allocator adds to them, and room for two deadlines; a member or two fit in as well.
  test('each of 1,000 connections of tcp takes fewer than 800 bytes', () => {
    const bytes = Number(run(join(build, 'perf_connections'), ['1000']))
    expect(bytes).toBeGreaterThan(400)
    expect(bytes).toBeLessThan(800)
  })
})
