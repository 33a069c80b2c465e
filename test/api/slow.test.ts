/** The event `slow`: a peer takes no more of what is for it. */
import { once } from 'node:events'
import { Bus, type DisconnectEvent, Pub, Rep, Respondent, type SlowEvent, Sub, Surveyor } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { type Stalled, stalledPeer } from './stalled-peer.js'
import { transports, turn, until } from './support.js'

const body = Buffer.alloc(60_000)

/** A Pub that has sent to a Sub that does not read, until messages were dropped. */
async function flooded(pub: Pub, address: string): Promise<Stalled> {
  const stalled = await stalledPeer(pub, pub.bind(address).address, 'sub')
  while (pub.stats().messagesDropped < 3) await pub.send(body)
  return stalled
}

const streams = transports.filter(({ scheme }) => scheme === 'tcp' || scheme === 'ipc')

describe.each(streams)('over $scheme a peer that does not read', ({ address }) => {
  test('is told once, with what is known of it, until it has taken what waits', async () => {
    await using pub = new Pub()
    const events: SlowEvent[] = []
    pub.on('slow', (event) => events.push(event))
    const stalled = await flooded(pub, address())
    await pub.send(body)
    await turn()
    const [peer] = pub.peers()
    expect(events).toHaveLength(1)
    expect(events[0]).toMatchObject({ type: 'slow', pipe: peer!.pipe, protocol: 'sub', bound: true, lost: 0 })
    expect(events[0]).toMatchObject({ address: peer!.address, remoteAddress: peer!.remoteAddress })
    expect(events[0]).toMatchObject({ messagesDropped: 1, bytesDropped: 60_000 })
    expect(events[0]!.queuedBytes).toBeGreaterThan(60_000)

    const again = once(pub, 'slow')
    stalled.read()
    await until(() => pub.stats().queuedBytes === 0)
    stalled.stop()
    while (pub.stats().slowPeers < 2) await pub.send(body)
    await again
    expect(events).toHaveLength(2)
    stalled.leave()
  })

  test('is told when an answer of serve() has to wait for it', async () => {
    await using rep = new Rep()
    const slow = once(rep, 'slow')
    const stalled = await stalledPeer(rep, rep.bind(address()).address, 'req')
    void rep.serve(() => body)
    const asking = setInterval(() => stalled.write(Buffer.from([0x80, 0, 0, 1])), 1)
    const [event] = (await slow) as [SlowEvent]
    clearInterval(asking)
    expect(event).toMatchObject({ protocol: 'req', messagesDropped: 0, bytesDropped: 0 })
    expect(rep.stats()).toMatchObject({ slowPeers: 1, messagesDropped: 0 })
    stalled.leave()
  })
})

describe.each(streams)('over $scheme onSlow disconnects', ({ address }) => {
  test('a Sub that does not read, and no other misses anything', async () => {
    await using pub = new Pub({ onSlow: 'disconnect' })
    await using sub = new Sub()
    const ended = once(pub, 'disconnect')
    sub.subscribe('')
    const { address: bound } = pub.bind(address())
    sub.connect(bound)
    await pub.ready()
    const stalled = await stalledPeer(pub, bound, 'sub')
    let sent = 0
    for (; pub.stats().slowDisconnects === 0; sent++) {
      await pub.send(body)
      await sub.receive()
    }
    const [{ reason, error }] = (await ended) as [DisconnectEvent]
    expect([reason, error?.code, error?.message]).toEqual(['slow', 'ENOBUFS', expect.stringContaining('onSlow')])
    expect(pub.stats()).toMatchObject({ messagesSent: sent, messagesDropped: 1, slowPeers: 1, currentConnections: 1 })
    stalled.read()
    await stalled.ended
  })

  test('an asker that does not read what serve() answers', async () => {
    await using rep = new Rep({ onSlow: 'disconnect' })
    const ended = once(rep, 'disconnect')
    const stalled = await stalledPeer(rep, rep.bind(address()).address, 'req')
    void rep.serve(() => body)
    const asking = setInterval(() => stalled.write(Buffer.from([0x80, 0, 0, 1])), 1)
    const [event] = (await ended) as [DisconnectEvent]
    clearInterval(asking)
    expect(event).toMatchObject({ protocol: 'req', reason: 'slow' })
    stalled.read()
    await stalled.ended
  })
})

test('onSlow is an option of the sockets that drop, and has two values', async () => {
  for (const Type of [Pub, Bus, Surveyor, Rep, Respondent]) {
    await using socket = new Type({ onSlow: 'disconnect' })
    expect(socket.onSlow).toBe('disconnect')
    socket.onSlow = 'drop'
    await socket.close()
    expect(socket.onSlow).toBe('drop')
  }
  expect(() => new Pub({ onSlow: 'wait' as 'drop' })).toThrow(/EINVAL.*'drop' or 'disconnect'/)
  expect(() => new Sub({ onSlow: 'drop' } as object)).toThrow(/EINVAL/)
})

test('a Sub that keeps up is not slow, whatever others do', async () => {
  await using pub = new Pub()
  await using sub = new Sub()
  const events: SlowEvent[] = []
  pub.on('slow', (event) => events.push(event))
  sub.subscribe('')
  sub.connect(pub.bind('tcp://127.0.0.1:0').address)
  await pub.ready()
  for (let i = 0; i < 200; i++) {
    await pub.send(body)
    await sub.receive()
  }
  expect(events).toEqual([])
})
