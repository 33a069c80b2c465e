import { existsSync, writeFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ours, temporaryFolder } from './programs.js'
import { patterns, transports } from './transports.js'

const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
)

test.skipIf(!hasIpv6)('an address of IPv6 in brackets is bound and connected', async () => {
  await using rep = ours('--rep', '-v', '-D', 'done', '--bind', 'tcp://[::1]:0')
  const address = await rep.listening()
  expect(address).toMatch(/^tcp:\/\/\[::1\]:\d+$/)
  await using req = ours('--req', '-D', 'work', '-A', '--connect', address)
  const { exitCode, stdout } = await req.ended
  expect([exitCode, String(stdout)]).toEqual([0, 'done\n'])
})

describe.each(transports)('over $scheme', ({ free }) => {
  test.each(patterns)('$name, which connects', async ({ listener, speaker, reply }) => {
    using folder = temporaryFolder()
    await using listening = ours(...listener, '-v', '-A', '--bind', free(folder.path))
    await using speaking = ours(...speaker, '--connect', await listening.listening(), ...(reply ? ['-A'] : []))
    await listening.until(({ stdout }) => stdout.includes('work\n'))
    if (reply) await speaking.until(({ stdout }) => stdout.includes(`${reply}\n`))
  })

  test.each(patterns)('$name, which is bound', async ({ listener, speaker, reply }) => {
    using folder = temporaryFolder()
    await using speaking = ours(...speaker, '-v', '--bind', free(folder.path), ...(reply ? ['-A'] : []))
    await using listening = ours(...listener, '-A', '--connect', await speaking.listening())
    await listening.until(({ stdout }) => stdout.includes('work\n'))
    if (reply) await speaking.until(({ stdout }) => stdout.includes(`${reply}\n`))
  })

  test('a REQ ends well after its reply, with nothing else printed', async () => {
    using folder = temporaryFolder()
    await using rep = ours('--rep', '-v', '-D', 'done', '--bind', free(folder.path))
    await using req = ours('--req', '-D', 'work', '-Q', '--connect', await rep.listening())
    const { exitCode, stdout, stderr } = await req.ended
    expect({ exitCode, stdout: stdout.toString(), stderr }).toEqual({ exitCode: 0, stdout: '"done"\n', stderr: '' })
  })

  test('a SURVEYOR ends well when its time is over', async () => {
    using folder = temporaryFolder()
    await using respondent = ours('--respondent', '-v', '-D', 'done', '--bind', free(folder.path))
    await using surveyor = ours('--surveyor', '-D', 'work', '-A', '--connect', await respondent.listening())
    const { exitCode, stdout } = await surveyor.ended
    expect({ exitCode, stdout: stdout.toString() }).toEqual({ exitCode: 0, stdout: 'done\n' })
  })

  test('a PUB that sends once and has connected is heard', async () => {
    using folder = temporaryFolder()
    await using sub = ours('--sub', '-v', '-A', '--bind', free(folder.path))
    await using pub = ours('--pub', '-D', 'news', '--connect', await sub.listening())
    expect((await pub.ended).exitCode).toBe(0)
    expect(await sub.until(({ stdout }) => stdout.length > 0 && stdout.toString())).toBe('news\n')
  })

  test('a PUSH that sends a large message and ends has it delivered whole', async () => {
    using folder = temporaryFolder()
    const file = join(folder.path, 'large')
    const content = Buffer.alloc(1_000_000, everyByte)
    writeFileSync(file, content)
    await using pull = ours('--pull', '-v', '--raw', '--bind', free(folder.path))
    await using push = ours('--push', '-F', file, '--connect', await pull.listening())
    expect((await push.ended).exitCode).toBe(0)
    await pull.until(({ stdout }) => stdout.length === content.length)
    expect(pull.stdout.equals(content)).toBe(true)
  })
})

test.each(transports)('an address of $scheme that is served is refused', async ({ free }) => {
  using folder = temporaryFolder()
  await using holder = ours('--rep', '-v', '--bind', free(folder.path))
  await using second = ours('--rep', '--bind', await holder.listening())
  const { exitCode, stderr } = await second.ended
  expect(exitCode).toBe(3)
  expect(stderr).toMatch(/^Can't bind: Address already in use\nanother socket listens there already: /)
})

test('what comes on stdin is sent as it is', async () => {
  await using pull = ours('--pull', '-v', '--msgpack', '-L', '0')
  const port = (await pull.listening()).split(':').at(-1)!
  await using push = ours('--push', '-F', '-', '-l', port).input(everyByte)
  expect((await push.ended).exitCode).toBe(0)
  await pull.until(({ stdout }) => stdout.length === 259)
  expect(pull.stdout).toEqual(Buffer.concat([Buffer.from('c50100', 'hex'), everyByte]))
})

test('an empty stdin is sent as an empty message', async () => {
  await using pull = ours('--pull', '-v', '-Q', '--bind', 'tcp://127.0.0.1:0')
  await using push = ours('--push', '-F', '-', '--connect', await pull.listening()).input('')
  expect((await push.ended).exitCode).toBe(0)
  expect(await pull.until(({ stdout }) => stdout.length > 0 && stdout.toString())).toBe('""\n')
})

test('several addresses are served, and each is told', async () => {
  using folder = temporaryFolder()
  await using pull = ours('--pull', '-v', '-A', '-L', '0', '-X', `${folder.path}/socket`)
  const [tcp, ipc] = await pull.until(({ stderr }) => {
    const addresses = [...stderr.matchAll(/^listening on (.*)\n/gm)].map((line) => line[1]!)
    return addresses.length === 2 && addresses
  })
  expect(ipc).toBe(`ipc://${folder.path}/socket`)
  for (const address of [tcp!, ipc!]) {
    await using push = ours('--push', '-D', address, '--connect', address)
    expect((await push.ended).exitCode).toBe(0)
  }
  await pull.until(({ stdout }) => stdout.includes(`${tcp}\n`) && stdout.includes(`${ipc}\n`))
})

test('fractions of a second count in a receive timeout', async () => {
  const started = performance.now()
  await using pull = ours('--pull', '-L', '0', '--recv-timeout', '0.4')
  expect((await pull.ended).exitCode).toBe(0)
  expect(performance.now() - started).toBeGreaterThan(395)
})

describe('a nanocat that waits for messages', () => {
  test.each(['SIGHUP', 'SIGINT', 'SIGTERM'] as const)('ends by %s, and its ipc socket is gone', async (signal) => {
    using folder = temporaryFolder()
    const path = `${folder.path}/socket`
    await using pull = ours('--pull', '-v', '-X', path)
    await pull.listening()
    expect(existsSync(path)).toBe(true)
    pull.kill(signal)
    expect(await pull.ended).toMatchObject({ exitCode: null, signal })
    expect(existsSync(path)).toBe(false)
  })

  test('ends quietly when its output is not read any more', async () => {
    await using pull = ours('--pull', '-v', '-A', '--bind', 'tcp://127.0.0.1:0')
    const address = await pull.listening()
    pull.closeStdout()
    await using push = ours('--push', '-D', 'unread', '-i', '0.02', '--connect', address)
    const { exitCode, stderr } = await pull.ended
    expect(exitCode).toBe(141)
    expect(stderr.replaceAll(/^(dis)?connected: .*\n/gm, '')).toBe(`listening on ${address}\n`)
    push.kill('SIGTERM')
    expect(await push.ended).toMatchObject({ signal: 'SIGTERM', stderr: '' })
  })
})

test('a sender that waits for a peer ends by a signal', async () => {
  await using push = ours('--push', '-v', '-D', 'work', '-L', '0')
  await push.listening()
  push.kill('SIGINT')
  expect(await push.ended).toMatchObject({ exitCode: null, signal: 'SIGINT' })
})
