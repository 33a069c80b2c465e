/** Our sockets with each other over tls+tcp:// and wss://. */
import { Worker } from 'node:worker_threads'
import { Pair, Pub, Pull, Push, Rep, Req, Sub } from 'nanomsg-native'
import { expect, test } from 'vitest'
import { failureOf } from '../api/support.js'
import { ca, client, describeTls, ofClient, ofServer, stranger } from './certificates.js'

const schemes = [
  {
    scheme: 'tls+tcp',
    address: 'tls+tcp://127.0.0.1:0',
    byName: (bound: string) => bound.replace('127.0.0.1', 'localhost'),
  },
  {
    scheme: 'wss',
    address: 'wss://127.0.0.1:0/path',
    byName: (bound: string) => bound.replace('127.0.0.1', 'localhost'),
  },
]

describeTls.each(schemes)('over $scheme', ({ scheme, address, byName }) => {
  test('an address tells the port that the system chose', async () => {
    await using pull = new Pull({ tls: ofServer })
    const bound = new URL(pull.bind(address).address.replace('tls+tcp:', 'tls:'))
    expect(Number(bound.port)).toBeGreaterThan(0)
    expect(pull.bind(address).address.startsWith(`${scheme}://127.0.0.1:`)).toBe(true)
  })

  test.each([0, 1, 16_384, 2 ** 20 - 4])('a request of %i bytes is answered', async (length) => {
    await using rep = new Rep({ tls: ofServer })
    await using req = new Req({ tls: ofClient })
    req.connect(byName(rep.bind(address).address))
    const body = Buffer.alloc(length, 'secret')
    await req.send(body)
    const question = await rep.receive()
    expect(question.equals(body)).toBe(true)
    await rep.send(question)
    expect((await req.receive()).equals(body)).toBe(true)
  })

  test('a burst arrives complete and in order', async () => {
    await using pull = new Pull({ tls: ofServer })
    await using push = new Push({ tls: ofClient })
    push.connect(pull.bind(address).address)
    const count = 20_000
    const sending = (async () => {
      for (let i = 0; i < count; i++) await push.send(`message ${i}`)
    })()
    let received = 0
    for await (const messages of pull.batches()) {
      for (const message of messages) expect(message.toString()).toBe(`message ${received++}`)
      if (received === count) break
    }
    await sending
  })

  test('long messages arrive complete and in order', async () => {
    await using pull = new Pull({ tls: ofServer })
    await using push = new Push({ tls: ofClient })
    push.connect(pull.bind(address).address)
    const count = 40
    const body = (i: number) => Buffer.alloc(900_000, `long ${i} `)
    const sending = (async () => {
      for (let i = 0; i < count; i++) await push.send(body(i))
    })()
    for (let i = 0; i < count; i++) expect((await pull.receive()).equals(body(i))).toBe(true)
    await sending
  })

  test('what was accepted arrives although the sender closes', async () => {
    await using pull = new Pull({ tls: ofServer })
    const push = new Push({ tls: ofClient })
    push.connect(pull.bind(address).address)
    await push.send(Buffer.alloc(1_000_000, 1))
    const closed = push.close()
    expect((await pull.receive()).length).toBe(1_000_000)
    await closed
  })

  test('subscribers get what they have subscribed to', async () => {
    await using pub = new Pub({ tls: ofServer })
    await using sub = new Sub({ tls: ofClient, receiveTimeout: 30 })
    sub.subscribe('weather')
    sub.connect(pub.bind(address).address)
    for (;;) {
      await pub.send('sports: none')
      await pub.send('weather: rain')
      const news = await sub.receive().catch(() => undefined)
      if (news === undefined) continue
      expect(news.toString()).toBe('weather: rain')
      break
    }
  })

  test('a peer without the certificate that is required is not accepted, and one with it is', async () => {
    await using pair = new Pair({ tls: { ...ofServer, ca: ca.cert, requireClientCertificate: true } })
    const bound = pair.bind(address).address
    await using without = new Pair({ tls: ofClient, sendTimeout: 200 })
    await using withAnother = new Pair({
      tls: { ...ofClient, cert: stranger.cert, key: stranger.key },
      sendTimeout: 200,
    })
    without.connect(bound)
    withAnother.connect(bound)
    expect((await failureOf(() => without.send('let me in'))).code).toBe('ETIMEDOUT')
    expect((await failureOf(() => withAnother.send('let me in'))).code).toBe('ETIMEDOUT')

    await using good = new Pair({ tls: { ...ofClient, cert: client.certFile, key: client.keyFile } })
    good.connect(bound)
    await good.send('let me in')
    expect((await pair.receive()).toString()).toBe('let me in')
  })

  test('a server that the client does not know gets nothing', async () => {
    await using pull = new Pull({ tls: { cert: stranger.cert, key: stranger.key }, receiveTimeout: 0 })
    await using push = new Push({ tls: ofClient, sendTimeout: 200 })
    const endpoint = push.connect(pull.bind(address).address)
    expect((await failureOf(() => push.send('secret'))).code).toBe('ETIMEDOUT')
    expect((await failureOf(() => pull.receive())).code).toBe('ETIMEDOUT')
    expect(push.trySend('secret')).toBe(false)

    endpoint.close()
    push.tls = { verify: false }
    push.connect(pull.bind(address).address)
    await push.send('no secret')
    expect((await pull.receive({ timeout: 5000 })).toString()).toBe('no secret')
  })
})

describeTls('a Worker', () => {
  test('has TLS of its own', async () => {
    await using pull = new Pull({ tls: ofServer })
    const { address } = pull.bind('tls+tcp://127.0.0.1:0')
    const built = new URL('../../dist/index.js', import.meta.url).pathname
    const worker = new Worker(
      `const { workerData } = require('node:worker_threads')
       const { Push } = require(${JSON.stringify(built)})
       const push = new Push({ tls: workerData.tls })
       push.connect(workerData.address)
       push.send('from a Worker').then(() => push.close())`,
      { eval: true, workerData: { address, tls: ofClient } },
    )
    expect((await pull.receive()).toString()).toBe('from a Worker')
    await worker.terminate()
  })
})
