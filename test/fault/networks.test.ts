/** Conversations through a network that delays, splits, cuts, freezes and swallows: test/support/failing-network.ts. */
import { Pair, Pull, Push, Rep, Req } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { failureOf, turn, until } from '../api/support.js'
import { FailingNetwork } from '../support/failing-network.js'
import { ofClient, ofServer } from '../tls/certificates.js'
import { Random } from './random.js'

const transports = ['tcp://127.0.0.1:0', 'ws://127.0.0.1:0/path', 'tls+tcp://127.0.0.1:0', 'wss://127.0.0.1:0/path']

/** More than a handshake of TLS and of WebSocket carries, and than a few messages. */
const CUT_WITHIN_BYTES = 30_000

/** The number of a body that is sent until it has come. */
const LAST = 0xffff_ffff

const bound = { tls: ofServer, linger: 0 }
const connecting = { tls: ofClient, linger: 0, reconnectInterval: 2 }

/** A body that says its number, of a length and content that follow from it. */
function numbered(number: number): Buffer {
  const random = new Random(number)
  const body = random.bytes(4 + random.below(1500))
  body.writeUInt32BE(number)
  return body
}

describe.each(transports)('over %s', (address) => {
  test('each request has its own reply, though connections are cut again and again', async () => {
    await using rep = new Rep(bound)
    const endpoint = rep.bind(address)
    await using network = await FailingNetwork.before(endpoint.address, 1)
    network.weather = { cutWithinBytes: CUT_WITHIN_BYTES, delayMs: 1 }
    const served = new Map<number, number>()
    void rep.serve((request) => {
      const number = request.readUInt32BE()
      served.set(number, (served.get(number) ?? 0) + 1)
      return request
    })
    await using req = new Req(connecting)
    req.connect(network.through(endpoint.address))
    let next = 0
    const ask = async () => {
      while (next < 200 || network.cuts < 5) {
        const body = numbered(next++)
        const reply = await req.request(body, { attempts: Number.POSITIVE_INFINITY })
        expect(reply.equals(body)).toBe(true)
      }
    }
    await Promise.all(Array.from({ length: 8 }, ask))
    expect(served.size).toBe(next)
  })

  test('a pipeline loses what was on the wire when it was cut, and keeps the order', async () => {
    await using pull = new Pull(bound)
    const endpoint = pull.bind(address)
    await using network = await FailingNetwork.before(endpoint.address, 2)
    network.weather = { cutWithinBytes: CUT_WITHIN_BYTES }
    await using push = new Push(connecting)
    push.connect(network.through(endpoint.address))
    const received: number[] = []
    const receiving = (async () => {
      for await (const body of pull) {
        const number = body.readUInt32BE()
        expect(body.equals(numbered(number))).toBe(true)
        received.push(number)
        if (number === LAST) break
      }
    })()
    let sent = 0
    while (network.cuts < 5) await push.send(numbered(sent++))
    network.weather = {}
    // The last connection was made in the former weather: it may be cut as well.
    while (received.at(-1) !== LAST) {
      push.trySend(numbered(LAST))
      await turn()
    }
    await receiving
    const gaps = received.filter((number, i) => i > 0 && number !== LAST && number !== received[i - 1]! + 1)
    expect(received).toEqual([...received].sort((a, b) => a - b))
    expect(gaps.length).toBeLessThanOrEqual(network.cuts)
  })

  test('nothing is lost nor out of order where pieces are small, late, and stand still', async () => {
    await using left = new Pair(bound)
    const endpoint = left.bind(address)
    await using network = await FailingNetwork.before(endpoint.address, 3)
    network.weather = { pieceBytes: 700, delayMs: 1 }
    await using right = new Pair(connecting)
    right.connect(network.through(endpoint.address))
    const count = 100
    const speak = async (pair: Pair) => {
      for (let i = 0; i < count; i++) await pair.send(numbered(i))
    }
    const hear = async (pair: Pair) => {
      for (let i = 0; i < count; i++) {
        expect((await pair.receive()).equals(numbered(i))).toBe(true)
        if (i % 25 !== 24) continue
        network.weather = { freezes: true }
        setTimeout(() => {
          network.weather = { pieceBytes: 700, delayMs: 1 }
        }, 20)
      }
    }
    await Promise.all([speak(left), speak(right), hear(left), hear(right)])
    expect(network.calls).toHaveLength(1)
  })

  test('a request that the network swallows ends at its deadline, and the next one is answered', async () => {
    await using rep = new Rep(bound)
    const endpoint = rep.bind(address)
    await using network = await FailingNetwork.before(endpoint.address, 4)
    void rep.serve((request) => request)
    await using req = new Req(connecting)
    req.connect(network.through(endpoint.address))
    expect(String(await req.request('before'))).toBe('before')
    network.weather = { swallowsAnswers: true }
    expect(await failureOf(() => req.request('during', { timeout: 100 }))).toMatchObject({ code: 'ETIMEDOUT', sent: 1 })
    network.weather = {}
    network.cutAll()
    expect(String(await req.request('after'))).toBe('after')
  })

  test('a handshake that the network swallows is given up, and the next one succeeds', async () => {
    await using rep = new Rep(bound)
    const endpoint = rep.bind(address)
    await using network = await FailingNetwork.before(endpoint.address, 5)
    network.weather = { swallowsAnswers: true }
    void rep.serve((request) => request)
    await using req = new Req(connecting)
    req.connect(network.through(endpoint.address))
    const reply = req.request('through')
    await until(() => network.calls.length > 1)
    network.weather = {}
    expect(String(await reply)).toBe('through')
  })
})

test('a request that a frozen network holds is answered by another server', async () => {
  const servers = [new Rep(bound), new Rep(bound)]
  const endpoints = servers.map((rep) => rep.bind('tcp://127.0.0.1:0'))
  await using frozen = await FailingNetwork.before(endpoints[0]!.address, 6)
  await using calm = await FailingNetwork.before(endpoints[1]!.address, 7)
  for (const rep of servers) void rep.serve((request) => request)
  await using req = new Req(connecting)
  req.connect(frozen.through(endpoints[0]!.address))
  req.connect(calm.through(endpoints[1]!.address))
  await until(() => req.stats().currentConnections === 2)
  frozen.weather = { freezes: true }
  // Servers are asked in turn: each second request meets the frozen network first.
  for (let i = 0; i < 6; i++) expect(String(await req.request(`${i}`, { retryAfter: 20 }))).toBe(`${i}`)
  await Promise.all(servers.map((rep) => rep.close()))
})

test('clients that a network has refused back off each at its own pace, and come back', async () => {
  await using pull = new Pull(bound)
  const endpoint = pull.bind('tcp://127.0.0.1:0')
  const clients: { push: Push; network: FailingNetwork }[] = []
  for (let i = 0; i < 20; i++) {
    const network = await FailingNetwork.before(endpoint.address, i)
    network.weather = { refuses: true }
    const push = new Push({ ...connecting, reconnectInterval: 10, reconnectIntervalMax: 500 })
    push.connect(network.through(endpoint.address))
    clients.push({ push, network })
  }
  await until(() => clients.every(({ network }) => network.calls.length >= 10))
  const spans = clients.map(({ network: { calls } }) => calls[9]! - calls[0]!).sort((a, b) => a - b)
  // Always after the least pause it would be 0.1 s, always after the longest more than 2 s.
  expect(spans[10]).toBeGreaterThan(400)
  expect(spans[0]).toBeLessThan(1500)
  for (const { network } of clients) network.weather = {}
  await Promise.all(clients.map(({ push }, i) => push.send(`${i}`)))
  const names = new Set<string>()
  while (names.size < clients.length) names.add(String(await pull.receive()))
  for (const { push, network } of clients) {
    await push.close()
    await network[Symbol.asyncDispose]()
  }
})
