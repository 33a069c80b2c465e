import { Pair, Pub, Pull, Push, Rep, Req, Sub } from 'nanomsg-native'
import { nn_close } from 'nanomsg-native/nn'
import { expect, test } from 'vitest'
import { connectAll, failureOf, until } from './support.js'

test('connections, messages and bytes are counted', async () => {
  await using push = new Push()
  await using pull = new Pull()
  expect(Object.values(push.stats()).every((value) => value === 0)).toBe(true)
  connectAll('tcp://127.0.0.1:0', pull, push)
  for (let i = 0; i < 10; i++) await push.send('12345')
  for (let i = 0; i < 10; i++) await pull.receive()
  expect(push.stats()).toMatchObject({
    establishedConnections: 1,
    currentConnections: 1,
    messagesSent: 10,
    bytesSent: 50,
    currentSendPriority: 8,
  })
  expect(pull.stats()).toMatchObject({
    acceptedConnections: 1,
    currentConnections: 1,
    messagesReceived: 10,
    bytesReceived: 50,
  })
})

test('there is no priority to send at when the last peer has left', async () => {
  await using push = new Push()
  const pull = new Pull()
  connectAll('tcp://127.0.0.1:0', push, pull)
  await push.ready()
  expect(push.stats().currentSendPriority).toBe(8)
  await pull.close()
  await until(() => push.stats().currentConnections === 0)
  expect(push.stats().currentSendPriority).toBe(0)
})

test('what fails is counted', async () => {
  await using pair = new Pair({ reconnectInterval: 5 })
  await using other = new Pair()
  const { address } = other.bind('tcp://127.0.0.1:0')
  expect((await failureOf(() => pair.bind(address))).code).toBe('EADDRINUSE')
  expect(pair.stats().bindErrors).toBe(1)
  await other.close()
  pair.connect(address)
  await until(() => pair.stats().connectErrors > 0)
  expect(pair.stats().currentEndpointErrors).toBe(1)
})

test('what a full subscriber misses is counted, and what waits for it', async () => {
  await using pub = new Pub()
  await using sub = new Sub()
  sub.subscribe('')
  connectAll('tcp://127.0.0.1:0', pub, sub)
  await pub.ready()
  const body = Buffer.alloc(60_000)
  let sent = 0
  for (; pub.stats().messagesDropped === 0; sent++) await pub.send(body)
  const { messagesDropped, bytesDropped, queuedBytes } = pub.stats()
  expect(bytesDropped).toBe(messagesDropped * body.length)
  expect(queuedBytes).toBeGreaterThan(body.length)
  for (let i = 0; i < sent - messagesDropped; i++) await sub.receive()
  await until(() => pub.stats().queuedBytes === 0)
  expect(sub.stats().messagesDropped).toBe(0)
})

test('requests in flight and those that were sent again are counted', async () => {
  await using req = new Req({ resendInterval: 5 })
  await using rep = new Rep()
  connectAll('tcp://127.0.0.1:0', rep, req)
  const reply = req.request('ask')
  await until(() => req.stats().resends > 2)
  expect(req.stats().requestsInFlight).toBe(1)
  await rep.receive()
  await rep.send('yes')
  await reply
  expect(req.stats().requestsInFlight).toBe(0)
})

test('a peer of the wrong type is a failed handshake', async () => {
  await using pull = new Pull()
  await using sub = new Sub()
  connectAll('tcp://127.0.0.1:0', pull, sub)
  await until(() => pull.stats().wrongProtocols > 0)
  expect(pull.stats().failedHandshakes).toBeGreaterThan(0)
  expect(pull.stats()).toMatchObject({ malformedHandshakes: 0, tlsFailures: 0, refusedOrigins: 0, refusedPeers: 0 })
})

test('name, options and statistics of a closed socket can be read, as they were', async () => {
  const push = new Push({ name: 'last', linger: 77 })
  await using pull = new Pull()
  const seen: unknown[] = []
  push.on('disconnect', () => seen.push(push.name, push.linger, push.stats().bytesSent))
  connectAll('tcp://127.0.0.1:0', pull, push)
  await push.ready()
  await push.send('12345')
  await push.close()
  expect(seen).toEqual(['last', 77, 5])
  expect([push.name, push.linger, push.tcpNoDelay]).toEqual(['last', 77, true])
  expect(push.stats()).toMatchObject({ messagesSent: 1, bytesSent: 5 })
  const req = new Req({ resendInterval: 99 })
  await req.close()
  expect(req.resendInterval).toBe(99)
})

test('a socket that was closed by another face has none any more', async () => {
  const pair = new Pair()
  nn_close(Number(pair.name))
  await until(() => pair.closed)
  expect((await failureOf(() => pair.name)).code).toBe('EBADF')
})
