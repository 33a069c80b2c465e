import { describe, expect, test } from 'vitest'
import { hintOnAddress } from '../../lib/cli/hints.js'
import { closest } from '../../lib/engine/closest.js'
import { nanocat } from './in-process.js'
import { ours } from './programs.js'

describe('an address that is refused', () => {
  test.each([
    [
      'connect',
      'tcp://darthsidious',
      'tcp address has no port: tcp://darthsidious; did you mean tcp://darthsidious:5555?',
    ],
    [
      'connect',
      'tcp://darthsidious:',
      'tcp address has no port: tcp://darthsidious:; did you mean tcp://darthsidious:5555?',
    ],
    [
      'bind',
      'tcp://127.0.0.1:http',
      'port is not a number up to 65535: tcp://127.0.0.1:http; did you mean tcp://127.0.0.1:5555?',
    ],
    ['bind', 'tcp://*:65536', 'port is not a number up to 65535: tcp://*:65536; did you mean tcp://*:5555?'],
    ['connect', 'tcp://:7000', 'tcp address has no host: tcp://:7000; did you mean tcp://127.0.0.1:7000?'],
    [
      'connect',
      'tcp://a:0',
      'no socket listens on port 0: tcp://a:0; connect to the port that was chosen, which --verbose tells',
    ],
    ['connect', 'tcp://*:7000', 'only --bind knows *: tcp://*:7000; did you mean tcp://127.0.0.1:7000?'],
    ['bind', 'tpc://a:1', 'there is no transport tpc://: tpc://a:1; did you mean tcp://a:1?'],
    [
      'bind',
      'udp://a:1',
      'there is no transport udp://: udp://a:1; there are tcp://, ipc://, inproc://, ws://, tls+tcp://, wss://',
    ],
    [
      'bind',
      'localhost',
      'address does not begin with a transport (tcp://, ipc://, inproc://, ws://, tls+tcp://, wss://): localhost; did you mean tcp://localhost:5555?',
    ],
    [
      'bind',
      ':7000',
      'address does not begin with a transport (tcp://, ipc://, inproc://, ws://, tls+tcp://, wss://): :7000; did you mean tcp://*:7000?',
    ],
    [
      'connect',
      '/tmp/socket',
      'address does not begin with a transport (tcp://, ipc://, inproc://, ws://, tls+tcp://, wss://): /tmp/socket; did you mean ipc:///tmp/socket?',
    ],
    [
      'connect',
      'tcp:/host:7000',
      'address does not begin with a transport (tcp://, ipc://, inproc://, ws://, tls+tcp://, wss://): tcp:/host:7000; did you mean tcp://host:7000?',
    ],
    ['bind', 'TCP://*:0', 'there is no transport TCP://: TCP://*:0; did you mean tcp://*:0?'],
    ['connect', 'tcp://host:7000/path', 'tcp address has a path: tcp://host:7000/path; did you mean tcp://host:7000?'],
    ['connect', 'tcp://a host:7000', 'no host is called that: tcp://a host:7000'],
    ['bind', 'ipc:///no/such/folder/socket', 'there is no folder /no/such/folder'],
    [
      'bind',
      'tcp://192.0.2.1:7000',
      'this machine does not have that address: tcp://192.0.2.1:7000; to listen on all that it has, tcp://*:7000',
    ],
    [
      'bind',
      'tcp://none0:7000',
      'no network interface has that name or address: tcp://none0:7000; to listen on all of them, tcp://*:7000',
    ],
    ['bind', `ipc:///tmp/${'n'.repeat(110)}`, 'path of a socket is too long, with 115 bytes: most systems allow 107'],
  ])('by %s is explained: %s', async (attaching, address, advice) => {
    await using program = ours('--pull', `--${attaching}`, address)
    const { exitCode, stderr } = await program.ended
    expect(exitCode).toBe(3)
    expect(stderr).toMatch(new RegExp(`^Can't ${attaching}: .*\n`))
    expect(stderr.split('\n').slice(1)).toEqual([advice, ''])
  })

  test('because another one listens there gets a free port proposed', () => {
    expect(hintOnAddress('tcp://127.0.0.1:80', 'bind', 'EADDRINUSE')).toBe(
      'another socket listens there already: tcp://127.0.0.1:80; tcp://127.0.0.1:0 takes any free port, and --verbose tells which',
    )
  })

  test.each([
    ['bind', 'ws://*', 'ws address has no port: ws://*; did you mean ws://*:5555?'],
    ['bind', 'ws://*/path', 'ws address has no port: ws://*/path; did you mean ws://*:5555/path?'],
    ['connect', 'ws://a:99999/p', 'port is not a number up to 65535: ws://a:99999/p; did you mean ws://a:5555/p?'],
    [
      'connect',
      'tls+tcp://server',
      'tls+tcp address has no port: tls+tcp://server; did you mean tls+tcp://server:5555?',
    ],
    ['connect', 'wss://a:x/p', 'port is not a number up to 65535: wss://a:x/p; did you mean wss://a:5555/p?'],
    [
      'bind',
      'tls+tcp://*:5555',
      'the bound side needs a certificate and its key: --cert FILE --key FILE, as PEM and without a password',
    ],
    ['connect', 'wss://a:5555', 'what --cacert, --cert and --key name must be PEM, without a password'],
    ['connect', 'tcp://::1:80', 'IPv6 address without brackets: tcp://::1:80; did you mean tcp://[::1]:80?'],
  ] as const)('by %s is understood: %s', (attaching, address, advice) => {
    expect(hintOnAddress(address, attaching, 'EINVAL')).toBe(advice)
  })

  test('because its port is reserved gets another one proposed', () => {
    expect(hintOnAddress('tcp://*:80', 'bind', 'EACCES')).toBe(
      'ports below 1024 are reserved: tcp://*:80; did you mean tcp://*:5555?',
    )
  })

  test('because of a file with certificates is told so', () => {
    const advice = (code: string) => hintOnAddress('tls+tcp://*:5555', 'bind', code)
    expect(advice('ENOENT')).toBe('a file that --cacert, --cert or --key names does not exist')
    expect(advice('EACCES')).toBe('no permission to read --cert or --key')
    expect(hintOnAddress('wss://*:443', 'bind', 'EACCES')).toMatch(/^ports below 1024 are reserved/)
    expect(advice('EADDRINUSE')).toMatch(/^another socket listens there already/)
    expect(advice('EPROTONOSUPPORT')).toMatch(/^this build has no TLS/)
  })

  test('for a reason that has nothing to do with it gets no advice', () => {
    expect(hintOnAddress('tcp://127.0.0.1:7000', 'bind', 'ENOMEM')).toBeUndefined()
    expect(hintOnAddress('tcp://127.0.0.1:7000', 'connect', 'EINVAL')).toBeUndefined()
  })
})

describe('a word that stands where only options can', () => {
  test.each([
    ['tcp://127.0.0.1:5555', 'addresses follow --bind or --connect; did you mean --connect tcp://127.0.0.1:5555?'],
    ['pull', 'did you mean --pull?'],
    ['conect', 'did you mean --connect?'],
    ['devcie', 'did you mean device?'],
  ])('is explained: %s', async (word, advice) => {
    const { exitCode, stderr } = await nanocat(word)
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: `nanocat: Unexpected argument \`\`${word}''\n${advice}\n`,
    })
  })

  test('gets no advice when it is a command that comes too late, or means nothing', async () => {
    expect((await nanocat('--pull', 'bench')).stderr).toBe("nanocat: Unexpected argument ``bench''\n")
    expect((await nanocat('--pull', 'something')).stderr).toBe("nanocat: Unexpected argument ``something''\n")
  })
})

describe('the word that was meant', () => {
  test.each([
    ['conect', 'connect'],
    ['bnid', 'bind'],
    ['pusj', 'push'],
    ['xx', undefined],
    ['bogus', undefined],
  ])('by %s is %s', (word, meant) => {
    expect(closest(word, ['push', 'pull', 'bind', 'connect', 'bus'])).toBe(meant)
  })
})
