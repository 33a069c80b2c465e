import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Settings } from '../../lib/cli/options.js'
import { parseCommandLine } from '../../lib/cli/parser.js'
import { nanocat, nanocatWith } from './in-process.js'
import { usageCases } from './usage-cases.js'

describe('a refused command line', () => {
  test.each(usageCases)(
    '%j ends with status %d and the words of the original',
    async (args, exitCode, stderr, added) => {
      expect(await nanocat(...args)).toEqual({ exitCode, stdout: '', stderr: stderr + added })
    },
  )

  test.each([
    [['--count', '0'], 'Option --count requires a whole number above 0\n'],
    [['--count=1.5'], 'Option --count=1.5 requires a whole number above 0\n'],
    [['--count'], 'Option --count requires an argument\n'],
    [['--pull', '--lines', '-L1'], 'Option --lines requires at least one of the following options:\n    --push\n'],
    [['--push', '--lines', '-Dx'], 'Option -D (--data) conflicts with the following options:\n    --lines \n'],
    [['--push', '-Dx', '--lines'], 'Option --lines conflicts with the following options:\n    -D (--data) \n'],
    [['--jso'], "Unknown option ``--jso''\ndid you mean --json?\n"],
    [['--conect=a'], "Unknown option ``--conect=a''\ndid you mean --connect?\n"],
    [['--xyzzy'], "Unknown option ``--xyzzy''\n"],
    [['bnech', 'thr'], "Unexpected argument ``bnech''\ndid you mean bench?\n"],
  ])('of an option that the original does not have: %j', async (args, complaint) => {
    const { exitCode, stdout, stderr } = await nanocat(...args)
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
    expect(stderr.startsWith(`nanocat: ${complaint}`)).toBe(true)
  })

  test('names the link by which the program was called, when that chose the socket', async () => {
    const { exitCode, stderr } = await nanocatWith({ programName: 'nn_push' })
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(/^nn_push: Option nn_push \(executable\) requires at least one of the following options:\n/)
  })

  test('names the link in a conflict, too', async () => {
    const { stderr } = await nanocatWith({ programName: 'nn_sub' }, '--pull')
    expect(stderr).toBe('nn_sub: Option --pull conflicts with the following options:\n    nn_sub (executable) \n')
  })

  test('prints a directory that is to be sent as a reading error', async () => {
    const { exitCode, stderr } = await nanocat('--push', '-F', '/', '-L', '1')
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: "Error reading file ``/'': Is a directory\n" })
  })
})

describe('a question', () => {
  const help = readFileSync(join(__dirname, 'help.txt'), 'utf8')

  test.each([[['--help']], [['-h']], [['--help', 'extra']], [['-hz']], [['-vh', '--push']], [['-hL']], [['--hel']]])(
    '%j prints the help text, and nothing after it counts',
    async (args) => {
      expect(await nanocat(...args)).toEqual({ exitCode: 0, stdout: help, stderr: '' })
    },
  )

  test('--help names the link by which the program was called', async () => {
    const { stdout } = await nanocatWith({ programName: 'nn_pub' }, '--help')
    expect(stdout.toString()).toBe(help.replace('    nanocat {', '    nn_pub {'))
  })

  test('--version prints name and version', async () => {
    expect(await nanocat('--version')).toEqual({ exitCode: 0, stdout: 'nanocat 1.2.3\n', stderr: '' })
  })
})

describe('an accepted command line', () => {
  const files: Record<string, string> = { '-': 'from stdin', '/some/file': 'from a file' }
  const parse = (args: string[], programName = 'nanocat') =>
    parseCommandLine(args, {
      programName,
      version: () => '',
      readInput: async (path) => Buffer.from(files[path] ?? ''),
    })

  const pull = ['--pull', '-L1']
  const push = ['--push', '-Dx', '-L1']
  const cases: [string[], Partial<Settings>][] = [
    [pull, { socketType: 'pull', binds: ['tcp://127.0.0.1:1'], format: 'no', verbosity: 0, receiveTimeout: undefined }],
    [['-vvqv', ...pull], { verbosity: 2 }],
    [['--silent', ...pull], { verbosity: -1 }],
    [['--', '--pul', '-', '--bind-l', '1'], { socketType: 'pull', binds: ['tcp://127.0.0.1:1'] }],
    [
      ['--rep', '-Xa', '-x', 'b', '-L', '1', '-l2', '--bind=c', '--connect', 'd'],
      { binds: ['ipc://a', 'tcp://127.0.0.1:1', 'c'], connects: ['ipc://b', 'tcp://127.0.0.1:2', 'd'] },
    ],
    [['--sub', '-L1', '--subscribe', 'a', '--subscribe=', '--subs=b=c'], { subscriptions: ['a', '', 'b=c'] }],
    [['--bind', '--pull', '--pull'], { binds: ['--pull'] }],
    [[...pull, '--recv-timeout', '0.9'], { receiveTimeout: 900 }],
    [[...pull, '--recv-timeout=-1'], { receiveTimeout: undefined }],
    [[...pull, '--recv-timeout=1', '--recv-timeout', 'nan'], { receiveTimeout: undefined }],
    [[...push, '--send-timeout', '2', '-i.5', '-d', '1e-1'], { sendTimeout: 2000, interval: 500, delay: 100 }],
    [[...push, '-i', '-1', '-d', '-1'], { interval: undefined, delay: 0 }],
    [push, { delay: undefined, interval: undefined, body: 'x' }],
    [['--push', '-L1', '-D', ''], { body: '' }],
    [['--push', '-L1', '--data=-A'], { body: '-A' }],
    [['--push', '-L1', '-F-'], { body: Buffer.from('from stdin') }],
    [['--push', '-L1', '--file', '/some/file'], { body: Buffer.from('from a file') }],
    [['--push', '-L1', '--file', '/empty'], { body: Buffer.alloc(0) }],
    [[...pull, '--socket-name', 'n'], { socketName: 'n' }],
    [[...pull, '-AQ', '--format=no'], { format: 'no' }],
    [[...pull, '--format', 'hex', '--raw'], { format: 'raw' }],
    [[...pull, '-A'], { format: 'ascii' }],
    [[...pull, '-Q'], { format: 'quoted' }],
    [[...pull, '--msg'], { format: 'msgpack' }],
    [[...pull, '--hex'], { format: 'hex' }],
    [[...pull, '--json'], { format: 'json' }],
    [[...pull, '--format', 'json'], { format: 'json' }],
    [['--push', '--lines', '-L1'], { lines: true, body: undefined }],
    [[...pull, '--count', '3'], { count: 3 }],
    [[...pull, '--stats'], { stats: true }],
  ]

  test.each(cases)('%j is understood', async (args, expected) => {
    expect(await parse(args)).toMatchObject(expected)
  })

  test.each(['push', 'pull', 'pub', 'sub', 'req', 'rep', 'surveyor', 'respondent', 'bus', 'pair'])(
    'a link called nn_%s chooses that socket',
    async (type) => {
      const data = ['push', 'pub', 'req', 'surveyor'].includes(type) ? ['-Dx'] : []
      expect(await parse(['-L1', ...data], `nn_${type}`)).toMatchObject({ socketType: type })
      expect(await parse([`--${type}`, '-L1', ...data])).toMatchObject({ socketType: type })
    },
  )

  test('--version is no abbreviation: --v and --ver stay those of --verbose', async () => {
    expect(await parse(['--v', '--ver', ...pull])).toMatchObject({ verbosity: 2 })
  })
})
