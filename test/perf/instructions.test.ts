/** Instructions per message of the C engine, counted by callgrind: unlike seconds they are the same on a busy
 *  machine. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { describeWith } from './tools.js'

const root = join(__dirname, '..', '..')
const build = join(root, 'build-test')
const program = join(build, 'perf_messages')

function run(command: string, args: readonly string[]): string {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8', timeout: 100_000 })
  if (status !== 0) throw new Error(`${command} has failed (${error?.message ?? status}): ${stderr}`)
  return stderr
}

/** Instructions of a program that sends and receives that number of messages, all its threads together. */
function instructions(transport: string, burst: number, messages: number): number {
  const folder = mkdtempSync(join(tmpdir(), 'nn-'))
  try {
    const args = ['--tool=callgrind', `--callgrind-out-file=${join(folder, 'out')}`, program]
    const told = run('valgrind', [...args, transport, String(burst), String(messages / burst)])
    const collected = told.match(/Collected : (\d+)/)?.[1]
    if (collected === undefined) throw new Error(`callgrind has not told how much it counted: ${told}`)
    return Number(collected)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What one message more costs: loading, opening and closing cancel out. */
function perMessage(transport: string, burst: number): number {
  const [few, many] = [200, 2200]
  return (instructions(transport, burst, many) - instructions(transport, burst, few)) / (many - few)
}

describeWith('valgrind', ['--version'], 'instructions per message of 64 bytes, sent and received', () => {
  beforeAll(() => {
    run('cmake', ['-S', root, '-B', build, '-DNN_TESTS=ON'])
    run('cmake', ['--build', build, '--target', 'perf_messages', '-j', '2'])
  }, 200_000)

  // The bounds are a fifth above what was counted with gcc 12 and -O2.
  test.each([
    ['inproc', 1, 3000],
    ['inproc', 100, 1850],
    ['tcp', 1, 3400],
    ['tcp', 100, 1900],
    ['ipc', 1, 3400],
    ['ipc', 100, 1900],
    ['ws', 1, 4000],
    ['ws', 100, 2450],
  ])('%s, %i at a time: fewer than %i', (transport, burst, limit) => {
    const counted = perMessage(transport, burst)
    expect(counted).toBeGreaterThan(limit / 10)
    expect(counted).toBeLessThan(limit)
  })

  test('a message to a stream of the host costs the same, however much waits in it', () => {
    const between = (few: number, many: number) => instructions('stream', 1, many) - instructions('stream', 1, few)
    const early = between(500, 1000)
    const late = between(2000, 2500)
    expect(early).toBeGreaterThan(500 * 100)
    expect(late).toBeLessThan(early * 1.5)
  })
})
