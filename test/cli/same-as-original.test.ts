import { expect, test } from 'vitest'
import { describeWithOriginal, ours, type Program, theirs } from './programs.js'
import { usageCases } from './usage-cases.js'

async function resultOf(program: Program) {
  await using running = program.input('')
  const { exitCode, signal, stdout, stderr } = await running.ended
  return { exitCode, signal, stdout: stdout.toString('latin1'), stderr }
}

async function expectTheSame(args: string[]) {
  const [original, here] = await Promise.all([resultOf(theirs(...args)), resultOf(ours(...args))])
  expect(here).toEqual(original)
  return here
}

describeWithOriginal('a command line that is refused at once ends as with the original', () => {
  test.each(usageCases)('%j', async (args) => {
    await expectTheSame(args)
  })

  test.each([[['--help']], [['-hz']], [['--push', '-h', '-A']]])('%j, which asks for help', async (args) => {
    expect((await expectTheSame(args)).exitCode).toBe(0)
  })
})

const longName = (length: number) => 'n'.repeat(length)
const inproc = ['--bind', 'inproc://a']

describeWithOriginal('a conversation that comes to nothing ends as with the original', () => {
  test.each([
    [3, ['--pull', '--bind', 'tcp://bad']],
    [3, ['--pull', '--bind', '']],
    [3, ['--pull', '--bind', 'zzz://a']],
    [3, ['--pull', '--bind', 'tcp://127.0.0.1:70000']],
    [3, ['--pull', '--bind', 'tcp://192.0.2.1:7000']],
    [3, ['--pull', '--bind', 'tcp://no-such-interface:7000']],
    [3, ['--pull', '-Labc']],
    [3, ['--pull', '-X', '/no/such/folder/socket']],
    [3, ['--pull', '-X', `/tmp/${longName(200)}`]],
    [3, ['--pull', ...inproc, ...inproc]],
    [3, ['--pull', '--connect', 'foo']],
    [3, ['--pull', '--connect', 'tcp://127.0.0.1:0']],
    [3, ['--pull', '--connect', 'tcp://foo..bar:1']],
    [3, ['--pull', '--connect', 'tcp://:7000']],
    [3, ['--pull', ...inproc, '--socket-name', longName(64)]],
    [0, ['--pull', ...inproc, '--socket-name', longName(63), '--recv-timeout', '0']],
    [0, ['--pull', ...inproc, '--connect', 'inproc://a', '--recv-timeout', '0']],
    [0, ['--pull', '-x', '/no/such/folder/socket', '--recv-timeout', '0']],
    [0, ['--sub', ...inproc, '--subscribe', '', '--subscribe', 'x', '--recv-timeout', '0']],
    [3, ['--push', '-Dx', ...inproc, '--send-timeout', '0.1']],
    [3, ['--pair', '-Dx', ...inproc, '--send-timeout', '0.1']],
    [0, ['--pub', '-Dx', ...inproc]],
    [0, ['--bus', '-Dx', ...inproc, '--recv-timeout', '0']],
    [0, ['--req', '-Dx', ...inproc, '--recv-timeout', '0', '--send-timeout', '0.1']],
    [0, ['--surveyor', '-Dx', ...inproc]],
    [0, ['--rep', ...inproc, '--recv-timeout', '0']],
    [3, ['--rep', '-Dx', ...inproc, '--recv-timeout', '0']],
    [0, ['--respondent', ...inproc, '--recv-timeout', '0']],
    [3, ['--respondent', '-Dx', ...inproc, '--recv-timeout', '1']],
  ])('with status %d: %j', async (exitCode, args) => {
    expect((await expectTheSame(args)).exitCode).toBe(exitCode)
  })
})
