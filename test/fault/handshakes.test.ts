import { Pair, Pull, Push } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { turn } from '../api/support.js'
import { handshake, ids, RawListener, RawPeer, streams } from './raw-peer.js'
import { PullUnderAttack } from './victims.js'

const wrong: [string, Buffer][] = [
  ['a wrong first byte', Buffer.from([1])],
  ['a wrong magic', Buffer.from('\0SX\0')],
  ['a magic in small letters', Buffer.from('\0sp\0')],
  ['another version', Buffer.from('\0SP\x01')],
  ['no protocol', handshake(0)],
  ['an unknown protocol', handshake(0xffff)],
  ['our own protocol, which is not its peer', handshake(ids.pull)],
  ['the protocol of another pattern', handshake(ids.req)],
  ['the bytes of its protocol swapped', handshake(ids.push << 8)],
  ['a request for a web page', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
  ['the start of TLS', Buffer.from('160301020001000001fc0303', 'hex')],
]

describe.each(streams)('a peer that connects over $scheme and does the handshake', ({ address }) => {
  test.each(wrong)('with %s is disconnected, before those that are still silent', async (_, bytes) => {
    await using victim = new PullUnderAttack(address())
    using silent = await RawPeer.connect(victim.address)
    await silent.read(8)
    using peer = await RawPeer.connect(victim.address)
    await peer.write(bytes)
    await peer.closedByOther()
    expect(silent.isClosed).toBe(false)
    await victim.expectOnlyInnocent()
  })

  test('rightly hears what we are, and is heard', async () => {
    await using victim = new PullUnderAttack(address())
    using peer = await RawPeer.connect(victim.address)
    expect(await peer.handshake(ids.push)).toEqual(handshake(ids.pull))
    await peer.write(peer.message('hello'))
    expect(String(await victim.pull.receive())).toBe('hello')
    await victim.expectOnlyInnocent()
  })

  test.each([1, 0x0100, 0xffff])('with reserved bytes of %i is heard, as the original hears it', async (reserved) => {
    await using victim = new PullUnderAttack(address())
    using peer = await RawPeer.connect(victim.address)
    await peer.write(handshake(ids.push, reserved))
    await peer.write(peer.message('from the future'))
    expect(String(await victim.pull.receive())).toBe('from the future')
    await victim.expectOnlyInnocent()
  })

  test('byte by byte is heard', async () => {
    await using victim = new PullUnderAttack(address())
    using peer = await RawPeer.connect(victim.address)
    await peer.writeSlowly(handshake(ids.push))
    await peer.writeSlowly(peer.message('slow'))
    expect(String(await victim.pull.receive())).toBe('slow')
    await victim.expectOnlyInnocent()
  })

  test('and speaks in the same breath is heard', async () => {
    await using victim = new PullUnderAttack(address())
    using peer = await RawPeer.connect(victim.address)
    await peer.write(Buffer.concat([handshake(ids.push), peer.message('one'), peer.message('two')]))
    expect(String(await victim.pull.receive())).toBe('one')
    expect(String(await victim.pull.receive())).toBe('two')
    await victim.expectOnlyInnocent()
  })

  test('wrongly does not have what follows taken for messages', async () => {
    await using victim = new PullUnderAttack(address())
    using peer = await RawPeer.connect(victim.address)
    await peer.write(Buffer.concat([handshake(ids.pair), peer.message('smuggled')]))
    await peer.closedByOther()
    await victim.expectOnlyInnocent()
  })
})

// Concurrent: each waits for a deadline.
describe.each(streams)('a peer that connects over $scheme and does not complete its handshake', ({ address }) => {
  test.concurrent.each([0, 1, 4, 7])(
    'after %i bytes is disconnected at the deadline',
    { timeout: 5000 },
    async (count) => {
      await using victim = new PullUnderAttack(address())
      const begin = performance.now()
      using peer = await RawPeer.connect(victim.address)
      await peer.write(handshake(ids.push).subarray(0, count))
      const closed = peer.closedByOther()
      await victim.expectOnlyInnocent()
      await closed
      expect(performance.now() - begin).toBeGreaterThan(900)
      await victim.expectOnlyInnocent()
    },
  )

  test.concurrent('does not gain time by each byte that it says', { timeout: 5000 }, async () => {
    await using victim = new PullUnderAttack(address())
    using peer = await RawPeer.connect(victim.address)
    const bytes = handshake(ids.push)
    let said = 0
    const pace = setInterval(() => peer.stream.write(bytes.subarray(said, ++said)), 300)
    await peer.closedByOther()
    clearInterval(pace)
    expect(said).toBeLessThan(bytes.length)
    await victim.expectOnlyInnocent()
  })
})

describe.each(streams)('a listener over $scheme', ({ scheme, address }) => {
  test.concurrent.each([
    ['that says rubbish', Buffer.from('SSH-2.0-OpenSSH_9.6\r\n')],
    ['of another protocol', handshake(ids.rep)],
  ])('%s is called again, less and less often', async (_, words) => {
    const times: number[] = []
    let finish: () => void
    const finished = new Promise<void>((resolve) => {
      finish = resolve
    })
    await using listener = await RawListener.open(scheme, (peer) => {
      times.push(performance.now())
      peer.stream.write(words)
      void peer.closedByOther()
      if (times.length === 12) finish()
    })
    await using push = new Push({ reconnectInterval: 4, reconnectIntervalMax: 1000 })
    push.connect(listener.address)
    await using pull = new Pull()
    push.connect(pull.bind(address()).address)
    for (let i = 0; i < 3; i++) {
      await push.send(`${i}`)
      expect(String(await pull.receive())).toBe(`${i}`)
    }
    await finished
    const pauses = times.slice(1).map((time, i) => time - times[i]!)
    // The first comes at once. Each of the others is drawn from all that it may have grown to: together they are short
    // once in a hundred thousand times, and would take some 50 ms if they did not grow.
    for (const pause of pauses.slice(1)) expect(pause).toBeGreaterThanOrEqual(4)
    expect(times.at(-1)! - times[0]!).toBeGreaterThan(100)
  })

  test.concurrent('that is silent is left at the deadline and called again', async () => {
    const peers: RawPeer[] = []
    await using listener = await RawListener.open(scheme, (peer) => {
      peers.push(peer)
      void peer.closedByOther()
    })
    await using pair = new Pair({ reconnectInterval: 1 })
    const begin = performance.now()
    pair.connect(listener.address)
    await using other = new Pair()
    pair.connect(other.bind(address()).address)
    while (peers.length < 2) {
      await pair.send('meanwhile')
      expect(String(await other.receive())).toBe('meanwhile')
      await turn()
    }
    expect(peers[0]!.isClosed).toBe(true)
    expect(performance.now() - begin).toBeGreaterThan(900)
  })

  test.concurrent('that completes its handshake late is spoken to only then', async () => {
    let take: (peer: RawPeer) => void
    const called = new Promise<RawPeer>((resolve) => {
      take = resolve
    })
    await using listener = await RawListener.open(scheme, (peer) => take(peer))
    await using push = new Push()
    push.connect(listener.address)
    const peer = await called
    await peer.writeSlowly(handshake(ids.pull).subarray(0, 7))
    expect(push.trySend('too early')).toBe(false)
    await peer.write(handshake(ids.pull).subarray(7))
    await push.send('in time')
    expect(await peer.read(8)).toEqual(handshake(ids.push))
    expect(String(await peer.readMessage())).toBe('in time')
  })
})
