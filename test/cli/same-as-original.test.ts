// Command lines that end without a message to any peer: the same with the original and with ours.
import { describe, expect, test } from 'vitest'
import { describeWithOriginal, links, oursAs, type Program, theirsAs } from './programs.js'
import { usageCases } from './usage-cases.js'

async function resultOf(program: Program) {
  await using running = program.input('')
  const { exitCode, signal, stdout, stderr } = await running.ended
  return { exitCode, signal, stdout: stdout.toString('latin1'), stderr }
}

/** Everything is the same, but that ours may add something to what it says on stderr. Returns that. */
async function expectTheSame(args: string[], name = 'nanocat') {
  const [original, here] = await Promise.all([resultOf(theirsAs(name, ...args)), resultOf(oursAs(name, ...args))])
  expect({ ...here, stderr: here.stderr.slice(0, original.stderr.length) }).toEqual(original)
  return { exitCode: here.exitCode, added: here.stderr.slice(original.stderr.length) }
}

describeWithOriginal('a command line that is refused at once ends as with the original', () => {
  test.each(usageCases)('%j', async (args, exitCode, _, added) => {
    expect(await expectTheSame(args)).toEqual({ exitCode, added })
  })

  describe.each(links)('called as %s', (link) => {
    test.each([[[]], [['-L1']], [['-A', '-Dx']], [['--pull']], [['--subscribe', 'x', '-l1', '-Dx']], [['-Dx', '-z']]])(
      '%j',
      async (args) => {
        // What one of these types needs is enough for another: that one would wait, and gets a wrong address.
        expect((await expectTheSame([...args, '--bind', 'zzz://'], link)).exitCode).not.toBe(0)
      },
    )
  })

  test.each([[['--help']], [['-h']], [['--hel']], [['-hz']], [['-vh']], [['--push', '-h', '-A']]])(
    '%j, which asks for help',
    async (args) => {
      expect(await expectTheSame(args)).toEqual({ exitCode: 0, added: '' })
    },
  )

  test.each(links)('%s --help', async (link) => {
    expect(await expectTheSame(['--help'], link)).toEqual({ exitCode: 0, added: '' })
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
    [3, ['--push', '-Dx', '-l', '70000']],
    [3, ['--push', '-Dx', '--connect-local=-1']],
    [0, ['--pub', '-Dx', '-X', '']],
    [3, ['--push', '--data=x', ...inproc, '--send-timeout=0.1']],
    [3, ['--push', '--data', 'x', ...inproc, '--send-t', '1e-1']],
    [0, ['--req', '-Dx', ...inproc, '--send-timeout', '0', '--recv-timeout=0']],
    [0, ['--pull', ...inproc, '--recv-timeout', ' 0x0']],
    [0, ['--pull', ...inproc, '--recv-timeout=0', '-vvqq', '-A']],
    [0, ['--pull', ...inproc, '--recv-t', '0', '--format', 'no']],
    [0, ['--pull', ...inproc, '--recv-timeout', '0', '-d', '0.05']],
    [0, ['--pull', ...inproc, '--recv-timeout', '0', '--delay=0']],
    [0, ['--pub', '-Dx', ...inproc, '--delay', '.05', '--socket-name=n']],
    [0, ['--bus', ...inproc, '--recv-timeout', '0']],
    [0, ['--pair', ...inproc, '--recv-timeout', '0']],
    [0, ['--surveyor', '--file', '/etc/hostname', ...inproc, '--recv-timeout', '0']],
  ])('with status %d: %j', async (exitCode, args) => {
    const result = await expectTheSame(args)
    expect(result.exitCode).toBe(exitCode)
    // One line of advice at most.
    expect(result.added).toMatch(exitCode === 3 ? /^([^\n]+\n)?$/ : /^$/)
  })
})
