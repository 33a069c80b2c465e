// What --verbose tells of connections: which peers come, go and are turned away, and what fails.
import { createServer } from 'node:net'
import { Pair, Pub, Push, Rep, Req } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { reportEvents } from '../../lib/cli/events.js'
import { nanocatWith } from './in-process.js'
import { freePort, ours, temporaryFolder } from './programs.js'
import { refusal, scripted } from './scripted-socket.js'

describe('--verbose tells', () => {
  test('of peers that come and go', async () => {
    await using program = ours('--rep', '-v', '--bind', 'tcp://127.0.0.1:0')
    const address = await program.listening()
    const peers = [new Req(), new Req()]
    for (const [index, peer] of peers.entries()) {
      peer.connect(address)
      await program.until(({ stderr }) => stderr.includes(`connected: ${index + 1} peer`))
    }
    for (const peer of peers) await peer.close()
    await program.until(({ stderr }) => stderr.includes('disconnected: 0 peers'))
    program.kill('SIGTERM')
    const { stderr } = await program.ended
    const place = String.raw`req at tcp://127\.0\.0\.1:\d+`
    const expected = [
      `listening on ${address}`,
      String.raw`connected: 1 peer \(${place}\)`,
      String.raw`connected: 2 peers \(${place}\)`,
      String.raw`disconnected: 1 peer \(${place} has left\)`,
      String.raw`disconnected: 0 peers \(${place} has left\)`,
    ]
    expect(stderr).toMatch(new RegExp(`^${expected.join('\n')}\n$`))
  })

  test('of a peer that came just before the end', async () => {
    await using push = new Push()
    const { address } = push.bind('tcp://127.0.0.1:0')
    await using program = ours('--pull', '-v', '--connect', address, '--count', '1')
    await push.send('x')
    const { exitCode, stderr } = await program.ended
    expect({ exitCode, stderr }).toEqual({
      exitCode: 0,
      stderr: `connecting to ${address}\nconnected: 1 peer (push at ${address})\n`,
    })
  })

  test('of a peer over ipc, by the path', async () => {
    using folder = temporaryFolder()
    await using push = new Push()
    const { address } = push.bind(`ipc://${folder.path}/socket`)
    await using program = ours('--pull', '-v', '--connect', address)
    await program.until(({ stderr }) => stderr.includes(`connected: 1 peer (push at ${address})\n`))
  })

  test('which peer is turned away for its type, and that it does not go with ours', async () => {
    await using program = ours('--pull', '-v', '--bind', 'tcp://127.0.0.1:0')
    await using pub = new Pub({ reconnectInterval: 1 })
    pub.connect(await program.listening())
    const rejected = /^rejected: pub at tcp:\/\/127\.0\.0\.1:\d+: pub does not go with pull\n/m
    await program.until(({ stderr }) => rejected.test(stderr))
  })

  test('which peer is turned away because a pair has its peer', async () => {
    await using program = ours('--pair', '-v', '--bind', 'tcp://127.0.0.1:0')
    const address = await program.listening()
    await using first = new Pair()
    await using second = new Pair()
    first.connect(address)
    await program.until(({ stderr }) => stderr.includes('connected: 1 peer'))
    second.connect(address)
    await program.until(({ stderr }) => /^rejected: .*: a pair has one peer at a time\n/m.test(stderr))
  })

  test('an address without a listener, once, and the peer that comes then', async () => {
    const address = `tcp://127.0.0.1:${await freePort()}`
    await using program = ours('--req', '-D', 'x', '-A', '-v', '--connect', address)
    await program.until(({ stderr }) => stderr.includes('cannot connect to'))
    await using rep = new Rep()
    rep.bind(address)
    void rep.serve(() => 'answer')
    const { exitCode, stderr } = await program.ended
    expect({ exitCode, stderr }).toEqual({
      exitCode: 0,
      stderr: `connecting to ${address}\ncannot connect to ${address}: Connection refused\nconnected: 1 peer (rep at ${address})\n`,
    })
  })

  test('a peer that does not speak the protocol', async () => {
    const server = createServer((connection) => connection.on('error', () => {}).write('HTTP/1.1 400 Bad Request\r\n'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    try {
      const { port } = server.address() as { port: number }
      await using program = ours('--sub', '-v', '-l', `${port}`)
      await program.until(({ stderr }) =>
        stderr.includes(`rejected: tcp://127.0.0.1:${port}: it does not speak the protocol\n`),
      )
    } finally {
      server.close()
    }
  })
})

describe('news', () => {
  const place = { address: 'tcp://127.0.0.1:1', localAddress: undefined, bound: false, lost: 0 }
  const peer = { ...place, remoteAddress: 'tcp://127.0.0.1:1', protocol: 'pub', pipe: 1 }

  /** What is told of these events. */
  function newsOf(...happened: (readonly [type: string, event: object])[]): string[] {
    const { sockets, events } = scripted({ counts: () => ({ currentConnections: 7 }) as never })
    const news: string[] = []
    reportEvents(new (sockets.Sub as new () => never)(), 'sub', (text) => news.push(text))
    for (const [type, event] of happened) events.emit(type, { type, ...event })
    return news
  }

  test.each([
    [{ code: 'EACCES' }, 'one of the two does not accept the certificate of the other'],
    [{ code: 'ETIMEDOUT' }, 'it did not say in time what it is'],
    [{ code: 'ECONNRESET' }, 'it left before it was admitted; perhaps the types do not go together'],
    [{ code: 'ENOMEM' }, 'Cannot allocate memory'],
  ])('explain a rejection with %j', ({ code }, reason) => {
    expect(newsOf(['reject', { ...peer, protocol: undefined, error: refusal(code) }])).toEqual([
      `rejected: tcp://127.0.0.1:1: ${reason}`,
    ])
  })

  test('name a type that is none of ours by its number', () => {
    expect(newsOf(['reject', { ...peer, protocol: 1234, error: refusal('EPROTOTYPE') }])).toEqual([
      'rejected: type 1234 at tcp://127.0.0.1:1: it does not go with sub',
    ])
  })

  test('tell why a connection broke, and nothing of those that we close', () => {
    const news = newsOf(
      ['connect', peer],
      ['disconnect', { ...peer, reason: 'failed', error: refusal('EMSGSIZE') }],
      ['connect', peer],
      ['disconnect', { ...peer, reason: 'closed', error: undefined }],
    )
    expect(news).toEqual([
      'connected: 1 peer (pub at tcp://127.0.0.1:1)',
      'disconnected: 0 peers (pub at tcp://127.0.0.1:1: Message too long)',
      'connected: 1 peer (pub at tcp://127.0.0.1:1)',
    ])
  })

  test('ask for the number of peers when events were lost', () => {
    expect(newsOf(['connect', { ...peer, lost: 3 }])).toEqual(['connected: 7 peers (pub at tcp://127.0.0.1:1)'])
  })

  test('tell a trouble again after a connection, or when it is another one', () => {
    const refused = ['failure', { ...place, remoteAddress: undefined, error: refusal('ECONNREFUSED') }] as const
    const unreachable = ['failure', { ...place, remoteAddress: undefined, error: refusal('EHOSTUNREACH') }] as const
    const told = newsOf(refused, refused, unreachable, unreachable, refused, ['connect', peer], refused)
    expect(told.map((news) => news.replace('cannot connect to tcp://127.0.0.1:1: ', ''))).toEqual([
      'Connection refused',
      'No route to host',
      'Connection refused',
      'connected: 1 peer (pub at tcp://127.0.0.1:1)',
      'Connection refused',
    ])
  })

  test('of an address where no peer can be accepted', () => {
    expect(newsOf(['failure', { ...place, bound: true, remoteAddress: undefined, error: refusal('EMFILE') }])).toEqual([
      'cannot accept at tcp://127.0.0.1:1: Too many open files',
    ])
  })
})

test('nothing is told without --verbose, or when --silent takes it back', async () => {
  for (const more of [[], ['-vq']]) {
    const { sockets, events } = scripted({ receive: [refusal('ETIMEDOUT')] })
    expect((await nanocatWith({ sockets }, '--pull', '-L1', ...more)).stderr).toBe('')
    expect(events.eventNames()).toEqual([])
  }
})
