/** What has gone through each connection. */
import { Pair, Pub, Rep, Req, Sub } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { connectAll, failureOf, transports, until } from './support.js'

describe.each(transports)('over $scheme', ({ address }) => {
  test('each connection says whose it is, and what has gone through it', async () => {
    await using rep = new Rep()
    await using a = new Req()
    await using b = new Req()
    const before = Date.now()
    connectAll(address(), rep, a, b)
    expect(a.peers().every(({ messagesSent }) => messagesSent === 0)).toBe(true)
    void rep.serve(() => 'answer')
    for (const req of [a, a, b]) await req.request('ask')
    const peers = rep.peers()
    expect(peers.map(({ messagesReceived }) => messagesReceived).sort()).toEqual([1, 2])
    const busy = peers.find(({ messagesReceived }) => messagesReceived === 2)!
    expect(busy).toMatchObject({
      protocol: 'req',
      bound: true,
      bytesReceived: 2 * (4 + 3),
      messagesSent: 2,
      bytesSent: 2 * (4 + 6),
      messagesDropped: 0,
      bytesDropped: 0,
      queuedBytes: 0,
    })
    expect(busy.since.getTime()).toBeGreaterThanOrEqual(before - 1)
    expect(busy.since.getTime()).toBeLessThanOrEqual(Date.now())
    const [only] = a.peers()
    expect(only).toMatchObject({ protocol: 'rep', bound: false, address: busy.address, messagesReceived: 2 })
    expect(busy.remoteAddress).toBe(only!.localAddress)
  })
})

test('the subscriber that misses messages is told from one that does not, and can be disconnected', async () => {
  await using pub = new Pub()
  await using slow = new Sub()
  await using fast = new Sub()
  for (const sub of [slow, fast]) sub.subscribe('')
  connectAll('tcp://127.0.0.1:0', pub, slow, fast)
  await pub.ready({ peers: 2 })
  const body = Buffer.alloc(60_000)
  const missed = () => pub.peers().filter(({ messagesDropped }) => messagesDropped > 0)
  while (missed().length === 0) {
    await pub.send(body)
    await fast.receive()
  }
  expect(missed()).toHaveLength(1)
  expect(missed()[0]!.remoteAddress).toBe(slow.peers()[0]!.localAddress)
  expect(missed()[0]!.queuedBytes).toBeGreaterThan(body.length)
  expect(pub.disconnect(missed()[0]!)).toBe(true)
  await until(() => pub.peers().length === 1)
})

test('a socket without peers has none, and a closed one says that it is closed', async () => {
  const pair = new Pair()
  expect(pair.peers()).toEqual([])
  await pair.close()
  expect(await failureOf(() => pair.peers())).toMatchObject({ code: 'EBADF', syscall: 'peers' })
})
