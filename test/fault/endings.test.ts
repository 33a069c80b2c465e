import { Pull, Push, Rep, Req, Sub } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { turn, until } from '../api/support.js'
import { ids, RawListener, RawPeer, streams } from './raw-peer.js'
import { EchoUnderAttack, PullUnderAttack } from './victims.js'

const numbered = (count: number) => Array.from({ length: count }, (_, i) => `message ${i}`)

/** How a peer can leave so that what it has said is still heard. */
const closings: [string, (peer: RawPeer) => Promise<void>][] = [
  ['ends', (peer) => peer.end()],
  ['closes', (peer) => peer.close()], // ipc: what waits to be read comes with a hang-up
]

/** How a peer can leave. */
const endings: [string, (peer: RawPeer) => unknown][] = [...closings, ['resets', (peer) => peer.reset()]]

describe.each(streams)('a peer over $scheme', ({ address }) => {
  test.each(endings)('that %s the stream anywhere in a message is not heard', async (_, leave) => {
    await using victim = new PullUnderAttack(address())
    const cuts = [1, 7, 8, 9, 10, 1000, 20_000, 99_999]
    for (const cut of cuts) {
      using peer = await RawPeer.admitted(victim.address, ids.push)
      const message = peer.message(Buffer.alloc(100_000, 'x'))
      await peer.write(message.subarray(0, cut))
      await turn()
      await leave(peer)
      await peer.closedByOther()
      await victim.expectOnlyInnocent()
    }
  })

  test.each(endings)('that %s the stream anywhere in its handshake is not heard', async (_, leave) => {
    await using victim = new PullUnderAttack(address())
    for (let cut = 0; cut < 8; cut++) {
      using peer = await RawPeer.connect(victim.address)
      await peer.write(Buffer.from('0053500000500000', 'hex').subarray(0, cut))
      await leave(peer)
      await peer.closedByOther()
      await victim.expectOnlyInnocent()
    }
  })

  test.each(closings.flatMap(([name, leave]) => [1, 100, 20_000].map((count) => ({ name, leave, count }))))(
    'that sends $count messages and then $name is heard to the end',
    async ({ leave, count }) => {
      await using victim = new PullUnderAttack(address())
      using peer = await RawPeer.admitted(victim.address, ids.push)
      const messages = numbered(count)
      const left = peer.write(Buffer.concat(messages.map((each) => peer.message(each)))).then(() => leave(peer))
      const heard: string[] = []
      while (heard.length < count) heard.push(String(await victim.pull.receive()))
      expect(heard).toEqual(messages)
      await left
      await victim.expectOnlyInnocent()
    },
  )

  test.each(closings)('that %s before a message was received is heard to the end when one is', async (_, leave) => {
    await using victim = new PullUnderAttack(address())
    using peer = await RawPeer.admitted(victim.address, ids.push)
    const messages = numbered(500)
    await peer.write(Buffer.concat(messages.map((each) => peer.message(each))))
    await leave(peer)
    for (let i = 0; i < 10; i++) await turn()
    const heard: string[] = []
    for (let i = 0; i < messages.length; i++) heard.push(String(await victim.pull.receive()))
    expect(heard).toEqual(messages)
    await victim.expectOnlyInnocent()
  })

  test.each(closings)('whose handshake and messages come with its end (%s) is heard', async (_, leave) => {
    await using victim = new PullUnderAttack(address())
    for (let i = 0; i < 50; i++) {
      using peer = await RawPeer.connect(victim.address)
      await peer.read(8) // unread bytes would make tcp reset the connection
      peer.stream.write(Buffer.concat([Buffer.from('0053500000500000', 'hex'), peer.message(`${i}`)]))
      await leave(peer)
      expect(String(await victim.pull.receive())).toBe(`${i}`)
    }
    await victim.expectOnlyInnocent()
  })

  test.each(closings)('that sends the longest message and %s is heard', async (_, leave) => {
    await using victim = new PullUnderAttack(address())
    using peer = await RawPeer.admitted(victim.address, ids.push)
    const body = Buffer.alloc(victim.pull.maxMessageSize, 'long')
    const left = peer.write(peer.message(body)).then(() => leave(peer))
    expect((await victim.pull.receive()).equals(body)).toBe(true)
    await left
    await victim.expectOnlyInnocent()
  })

  test.each(closings)('that sends messages and half of one more, and %s, is heard up to there', async (_, leave) => {
    await using victim = new PullUnderAttack(address())
    using peer = await RawPeer.admitted(victim.address, ids.push)
    const whole = numbered(100)
    const half = peer.message(Buffer.alloc(1000, 'h')).subarray(0, 500)
    await peer.write(Buffer.concat([...whole.map((each) => peer.message(each)), half]))
    await leave(peer)
    for (const expected of whole) expect(String(await victim.pull.receive())).toBe(expected)
    await victim.expectOnlyInnocent()
  })

  test('that asks and does not wait for the reply costs the next nothing', async () => {
    await using victim = new EchoUnderAttack(address())
    for (let i = 0; i < 50; i++) {
      using peer = await RawPeer.admitted(victim.address, ids.req)
      await peer.write(peer.message(Buffer.concat([Buffer.from('80000001', 'hex'), Buffer.alloc(10_000)])))
      if (i % 2 === 0) peer.reset()
      else await peer.end()
      await victim.serve()
    }
  })
})

describe.each(streams)('a listener over $scheme', ({ scheme, address }) => {
  test.each(endings)('that takes half a message and %s is forgotten, and others take the next', async (_, leave) => {
    const peers: RawPeer[] = []
    await using listener = await RawListener.open(scheme, (peer) => {
      if (peers.push(peer) === 1) void peer.handshake(ids.pull) // and never again
    })
    await using push = new Push({ linger: 0, reconnectInterval: 5 })
    push.connect(listener.address)
    await push.send(Buffer.alloc(16_000_000, 'x'))
    const peer = peers[0]!
    await peer.read(100)
    await using pull = new Pull()
    push.connect(pull.bind(address()).address)
    await leave(peer)
    for (const text of ['one', 'two', 'three']) {
      await push.send(text)
      expect(String(await pull.receive())).toBe(text)
    }
  })

  test.each(endings)('that takes a request and %s does not keep it from another', async (_, leave) => {
    await using rep = new Rep()
    await using req = new Req({ reconnectInterval: 5 })
    let calls = 0
    await using listener = await RawListener.open(scheme, async (peer) => {
      if (calls++ > 0) return
      await peer.handshake(ids.rep)
      const request = await peer.readMessage()
      // Half a reply is none.
      await peer.write(peer.message(Buffer.concat([request, Buffer.alloc(100)])).subarray(0, 50))
      req.connect(rep.bind(address()).address)
      await leave(peer)
    })
    req.connect(listener.address)
    await req.send('important')
    expect(String(await rep.receive())).toBe('important')
    await rep.send('done')
    expect(String(await req.receive())).toBe('done')
  })

  test('that publishes and ends is heard to the end, by all that have subscribed', async () => {
    const peers: RawPeer[] = []
    await using listener = await RawListener.open(scheme, async (peer) => {
      await peer.handshake(ids.pub)
      peers.push(peer)
    })
    await using first = new Sub({ reconnectInterval: 60_000 }).subscribe('')
    await using second = new Sub({ reconnectInterval: 60_000 }).subscribe('message 7')
    first.connect(listener.address)
    second.connect(listener.address)
    await until(() => peers.length === 2)
    for (const peer of peers) {
      peer.stream.write(Buffer.concat(numbered(10).map((each) => peer.message(each))))
      peer.stream.end()
    }
    for (const expected of numbered(10)) expect(String(await first.receive())).toBe(expected)
    expect(String(await second.receive())).toBe('message 7')
  })
})
