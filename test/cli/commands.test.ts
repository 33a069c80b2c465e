// What stands for something else than a socket: help, completion, device, bench.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Pull, Push, Rep, Req } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { commandNames } from '../../lib/cli/commands/names.js'
import { options } from '../../lib/cli/options.js'
import { nanocat, nanocatWith } from './in-process.js'
import { fileOf, links, ours, temporaryFolder } from './programs.js'

const project = join(__dirname, '..', '..')

describe('nanocat help', () => {
  test('prints the text of --help, our own options and the commands', async () => {
    const { exitCode, stdout } = await nanocat('help')
    expect(exitCode).toBe(0)
    expect(stdout.startsWith(readFileSync(join(__dirname, 'help.txt'), 'utf8'))).toBe(true)
    for (const { name } of options) expect(stdout).toContain(` --${name}`)
    for (const command of ['bench', 'completion', 'device']) expect(stdout).toContain(`    nanocat ${command} `)
  })

  test.each(['bench', 'completion', 'device'])('%s prints what %s --help prints', async (command) => {
    const help = await nanocat('help', command)
    expect(help).toMatchObject({ exitCode: 0, stderr: '' })
    expect(help.stdout).toMatch(new RegExp(`^Usage:\\n    nanocat ${command} `))
    expect(await nanocat(command, '--help')).toEqual(help)
  })

  test.each([['--help'], ['-h'], ['help']])('%s prints how it is used', async (topic) => {
    const { exitCode, stdout } = await nanocat('help', topic)
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringMatching(/^Usage:\n {4}nanocat help /) })
  })

  test.each([[['help', 'nothing']], [['help', 'bench', 'device']]])('%j is refused', async (args) => {
    expect(await nanocat(...args)).toMatchObject({ exitCode: 1, stdout: '' })
  })

  test('is named at the end of --help on a terminal, where stdout stays what it is', async () => {
    const { stdout, stderr } = await nanocat('--help')
    expect(stderr).toBe('')
    const script = ['-qec', `${process.execPath} ${fileOf()} --help`, '/dev/null']
    const { stdout: both } = spawnSync('script', script, { encoding: 'utf8' })
    expect(both.replaceAll('\r', '')).toBe(`${stdout}\nThere is more: nanocat help\n`)
  })
})

test.each(commandNames)('%s is no command for a program called nn_pull', async (command) => {
  const { exitCode, stderr } = await nanocatWith({ programName: 'nn_pull' }, command)
  expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: `nn_pull: Unexpected argument \`\`${command}''\n` })
})

describe('the installed programs', () => {
  const { bin, man } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'))

  test.each(['nanocat', ...links])('%s is one of them, and starts', (name) => {
    const file = join(project, bin[name])
    expect(file).toBe(fileOf(name))
    expect(readFileSync(file, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/)
    expect(execFileSync(process.execPath, [file, '--version'], { encoding: 'utf8' })).toMatch(
      new RegExp(`^${name} \\d+\\.\\d+`),
    )
  })

  test('are no others', () => {
    expect(Object.keys(bin).sort()).toEqual(['nanocat', 'nanomsg-native-build', ...links].sort())
  })

  test('come with a manual page that names every option and command', () => {
    expect(man).toEqual(['man/nanocat.1'])
    const page = readFileSync(join(project, man[0]), 'utf8')
      .replaceAll(/\\f[BIRP]/g, '')
      .replaceAll('\\-', '-')
    for (const { name, short } of options) {
      expect(page).toMatch(new RegExp(`--${name}\\b`))
      if (short !== undefined) expect(page).toMatch(new RegExp(`(^|[^-\\w])-${short}\\b`, 'm'))
    }
    for (const name of commandNames) expect(page).toMatch(new RegExp(`\\bnanocat ${name}\\b`))
    for (const link of links) expect(page).toContain(link)
  })

  const hasTroff = spawnSync('groff', ['--version']).status === 0

  test.skipIf(!hasTroff)('have a manual page that troff formats without a warning', () => {
    const { status, stdout, stderr } = spawnSync('groff', ['-man', '-Tutf8', '-ww', join(project, man[0])], {
      encoding: 'utf8',
    })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toContain('Standard output is not read any more')
  })
})

describe('nanocat device', () => {
  async function addressesOf(device: ReturnType<typeof ours>): Promise<string[]> {
    return await device.until(({ stderr }) => {
      const addresses = [...stderr.matchAll(/^listening on (.*)\n/gm)].map((line) => line[1]!)
      return addresses.length === 2 && addresses
    })
  }

  test('forwards requests and replies, and ends by SIGTERM', async () => {
    await using device = ours('device', '-v', 'tcp://127.0.0.1:0', 'tcp://127.0.0.1:0')
    const [first, second] = await addressesOf(device)
    await using rep = new Rep()
    await using req = new Req()
    rep.connect(second!)
    req.connect(first!)
    await req.send('question')
    expect(String(await rep.receive())).toBe('question')
    await rep.send('answer')
    expect(String(await req.receive())).toBe('answer')
    await device.until(({ stderr }) => stderr.includes('connected: 2 peers\n'))
    device.kill('SIGTERM')
    expect(await device.ended).toMatchObject({ exitCode: null, signal: 'SIGTERM' })
  })

  test('connects where it is told to, and delivers what it has when it is interrupted', async () => {
    using folder = temporaryFolder()
    await using pull = new Pull()
    const { address } = pull.bind('tcp://127.0.0.1:0')
    await using device = ours('device', '--pipeline', '--verbose', `ipc://${folder.path}/socket`, '--connect', address)
    await device.until(({ stderr }) => stderr.includes(`connecting to ${address}\n`))
    await using push = new Push()
    push.connect(`ipc://${folder.path}/socket`)
    await push.send(Buffer.alloc(1_000_000))
    expect(await pull.receive()).toHaveLength(1_000_000)
    await push.send('last')
    expect(String(await pull.receive())).toBe('last')
    device.kill('SIGINT')
    expect(await device.ended).toMatchObject({ signal: 'SIGINT' })
    expect(existsSync(`${folder.path}/socket`)).toBe(false)
  })

  test.each([
    [[], 'two addresses are needed, not 0'],
    [['inproc://a'], 'two addresses are needed, not 1'],
    [['inproc://a', 'inproc://b', '--bind', 'inproc://c'], 'two addresses are needed, not 3'],
    [['--bus', '--pair', 'inproc://a', 'inproc://b'], '--pair and --bus exclude each other'],
    [['--nothing', 'inproc://a', 'inproc://b'], "Unknown option '--nothing'"],
    [['--connect'], "Option '--connect <value>' argument missing"],
  ])('%j is refused with status 1', async (args, complaint) => {
    const { exitCode, stdout, stderr } = await nanocat('device', ...args)
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
    expect(stderr.startsWith(`nanocat device: ${complaint}`)).toBe(true)
    expect(stderr).toContain('\nUsage:\n')
  })

  test('with an address that is refused ends with status 3', async () => {
    await using device = ours('device', 'tcp://127.0.0.1:0', 'tcp://127.0.0.1')
    const { exitCode, stderr } = await device.ended
    expect(exitCode).toBe(3)
    expect(stderr).toMatch(/^Can't bind: Invalid argument\ntcp address has no port: /)
  })
})

describe('nanocat bench', () => {
  async function measured(...args: string[]) {
    await using program = ours('bench', ...args)
    const { exitCode, stdout, stderr } = await program.ended
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    return stdout.toString()
  }

  test.each(['tcp://127.0.0.1:0', 'ipc', 'inproc://bench'])('thr measures over %s', async (address) => {
    using folder = temporaryFolder()
    const place = address === 'ipc' ? `ipc://${folder.path}/socket` : address
    const result = JSON.parse(await measured('thr', '--count', '2000', '--size', '100', '--json', place))
    expect(result).toMatchObject({ benchmark: 'thr', size: 100, count: 2000 })
    expect(result.messagesPerSecond).toBeCloseTo(2000 / result.seconds, 5)
    expect(result.megabytesPerSecond).toBeCloseTo(result.messagesPerSecond / 1e4, 5)
  })

  test.each(['tcp://127.0.0.1:0', 'inproc://bench'])('lat measures over %s', async (address) => {
    const result = JSON.parse(await measured('lat', '--count', '100', '--json', address))
    expect(result).toMatchObject({ benchmark: 'lat', size: 64, count: 100 })
    const { p50, p90, p99, max, mean } = result
    expect([p50, p90, p99, max]).toEqual([p50, p90, p99, max].sort((a, b) => a - b))
    expect(p50).toBeGreaterThan(0)
    expect(mean).toBeLessThanOrEqual(max)
  })

  test('measures messages of no bytes, and of more than sockets accept by themselves', async () => {
    expect(await measured('thr', '--count', '10', '--size', '0')).toMatch(/^10 messages of 0 bytes over tcp:/)
    expect(await measured('thr', '--count', '2', '--size', '2000000')).toContain(' messages/s, ')
    expect(await measured('lat', '--count', '5', '--size', '1500000')).toContain('round trip, p99')
  })

  test.each(['thr', 'lat'])('%s measures between two programs that were started apart', async (kind) => {
    using folder = temporaryFolder()
    const args = [kind, '--count', '500', `ipc://${folder.path}/socket`]
    await using alone = ours('bench', ...args, '--alone')
    await using peer = ours('bench', ...args, '--peer')
    expect(await alone.ended).toMatchObject({ exitCode: 0, stderr: '' })
    expect(await peer.ended).toMatchObject({ exitCode: 0, stderr: '' })
    expect(alone.stdout.toString()).toMatch(/^500 /)
    expect(peer.stdout.toString()).toBe('')
  })

  test.each([
    [[]],
    [['all']],
    [['thr', 'inproc://a', 'inproc://b']],
    [['thr', '--size', '-1']],
    [['thr', '--size=x']],
    [['lat', '--count', '0']],
    [['lat', '--peer']],
    [['lat', '--peer', '--alone', 'inproc://a']],
  ])('%j is refused with status 1', async (args) => {
    const { exitCode, stderr } = await nanocat('bench', ...args)
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(/^nanocat bench: .*\nUsage:\n/)
  })

  test('with an address that is refused ends with status 3', async () => {
    await using program = ours('bench', 'thr', 'tcp://127.0.0.1')
    expect((await program.ended).exitCode).toBe(3)
  })
})
