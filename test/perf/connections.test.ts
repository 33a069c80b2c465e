/** What idle connections cost a server in C: memory, as its allocator counts it, and system calls. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { describeWithStrace, sum } from './strace.js'

const root = join(__dirname, '..', '..')
const build = join(root, 'build-test')
const program = join(build, 'perf_connections')
const isGlibc = 'glibcVersionRuntime' in (process.report.getReport() as { header: object }).header

function run(command: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', timeout: 100_000 })
  if (status !== 0) throw new Error(`${command} has failed (${error?.message ?? status}): ${stderr}`)
  return stdout
}

/** The system calls of all threads while that many connections are made, by name. */
function countCalls(connections: number): Map<string, number> {
  const folder = mkdtempSync(join(tmpdir(), 'nn-'))
  const summary = join(folder, 'summary')
  try {
    run('strace', ['-f', '-c', '-U', 'calls,name', '-o', summary, program, String(connections)])
    const rows = readFileSync(summary, 'utf8').matchAll(/^ *(\d+) +(\w+)$/gm)
    return new Map([...rows].map(([, calls, name]) => [name ?? '', Number(calls)]))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

// Only the allocator of glibc counts (mallinfo2).
describe.skipIf(!isGlibc)('idle connections', () => {
  beforeAll(() => {
    run('cmake', ['-S', root, '-B', build, '-DNN_TESTS=ON'])
    run('cmake', ['--build', build, '--target', 'perf_connections', '-j', '2'])
  }, 200_000)

  // The structures, what the allocator adds to them, and room for two deadlines; a member or two fit in as well.
  test('each of 1,000 connections of tcp takes fewer than 816 bytes', () => {
    const bytes = Number(run(program, ['1000']))
    expect(bytes).toBeGreaterThan(400)
    expect(bytes).toBeLessThan(816)
  })

  describeWithStrace('and their calls', () => {
    test('each of 500 is watched once, configured by two calls, and asked nothing', () => {
      const calls = countCalls(500)
      // Fifty come before the count, and each descriptor is taken out of the poller when it is closed.
      expect(sum(calls, 'accept4')).toBeGreaterThanOrEqual(550)
      expect(sum(calls, 'epoll_ctl')).toBeLessThan(2 * 550 + 50)
      expect(sum(calls, 'setsockopt')).toBeLessThan(2 * 550 + 50)
      expect(sum(calls, 'getsockopt', 'getsockname', 'getpeername', 'fcntl', 'ioctl')).toBeLessThan(50)
      expect(sum(calls, 'sendmsg', 'read', 'readv')).toBeLessThan(2 * 550 + 100)
    })
  })
})
