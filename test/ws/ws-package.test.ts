/** Our sockets in conversation with npm's `ws`, as client and as server. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { Pair, Pub, Pull, Push, Rep, Req, Sub } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'

const bodies: [string, Buffer][] = [0, 1, 125, 126, 65_535, 65_536, 2 ** 20 - 1].map((length) => {
  const body = Buffer.alloc(length)
  for (let i = 0; i < length; i++) body[i] = (i * 31) % 251
  return [`${length} bytes`, body]
})

interface Peer extends AsyncDisposable {
  ws: WebSocket
  next(): Promise<{ data: Buffer; isBinary: boolean }>
}

/** Keeps what comes until it is asked for. */
function listen(ws: WebSocket, end: () => void): Peer {
  const waiting: { data: Buffer; isBinary: boolean }[] = []
  ws.on('error', () => {})
  ws.on('message', (data, isBinary) => waiting.push({ data: data as Buffer, isBinary }))
  return {
    ws,
    async next() {
      while (waiting.length === 0) await once(ws, 'message')
      return waiting.shift()!
    },
    async [Symbol.asyncDispose]() {
      ws.terminate()
      end()
    },
  }
}

/** A client of theirs that has reached our socket. */
async function theirClient(address: string, type: string): Promise<Peer> {
  const ws = new WebSocket(address, [`${type}.sp.nanomsg.org`])
  const peer = listen(ws, () => {})
  await once(ws, 'open')
  return peer
}

/** A server of theirs that our socket has reached. */
async function theirServer(
  type: string,
  connect: (address: string) => void,
): Promise<Peer & { request: string; again(): Promise<Peer> }> {
  const server = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    handleProtocols: (names) => (names.has(`${type}.sp.nanomsg.org`) ? `${type}.sp.nanomsg.org` : false),
  })
  await once(server, 'listening')
  connect(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/some/path?query`)
  const [ws, request] = await once(server, 'connection')
  const again = async () => listen((await once(server, 'connection'))[0], () => {})
  return { ...listen(ws, () => server.close()), request: request.url, again }
}

describe('a client of theirs', () => {
  test.each(bodies)('is answered by a Rep: %s', async (_, body) => {
    await using rep = new Rep()
    await using client = await theirClient(rep.bind('ws://127.0.0.1:0/rep').address, 'rep')
    const id = Buffer.from([0x80, 0, 0, 7])
    client.ws.send(Buffer.concat([id, body.subarray(0, 2 ** 20 - 4)]))
    const question = await rep.receive()
    expect(question.equals(body.subarray(0, 2 ** 20 - 4))).toBe(true)
    await rep.send(question)
    expect((await client.next()).data.equals(Buffer.concat([id, question]))).toBe(true)
  })

  test.each(bodies)('talks to a Pair: %s', async (_, body) => {
    await using pair = new Pair()
    await using client = await theirClient(pair.bind('ws://127.0.0.1:0').address, 'pair')
    client.ws.send(body)
    expect((await pair.receive()).equals(body)).toBe(true)
    await pair.send(body)
    const { data, isBinary } = await client.next()
    expect(isBinary).toBe(true)
    expect(data.equals(body)).toBe(true)
  })

  test('sends in fragments, with pings between', async () => {
    await using pull = new Pull()
    await using client = await theirClient(pull.bind('ws://127.0.0.1:0').address, 'pull')
    const pong = once(client.ws, 'pong')
    client.ws.send('one ', { fin: false })
    client.ws.ping('alive?')
    client.ws.send('two', { fin: true })
    expect((await pull.receive()).toString()).toBe('one two')
    expect(String((await pong)[0])).toBe('alive?')
  })

  test('reads text when the socket says so', async () => {
    await using pub = new Pub({ textFrames: true })
    await using client = await theirClient(pub.bind('ws://127.0.0.1:0').address, 'pub')
    const message = client.next()
    await pub.send('news: Grüße')
    const { data, isBinary } = await message
    expect(isBinary).toBe(false)
    expect(data.toString()).toBe('news: Grüße')
  })

  test('is told that the socket has closed', async () => {
    await using push = new Push()
    await using client = await theirClient(push.bind('ws://127.0.0.1:0').address, 'push')
    await push.send('last')
    const closed = once(client.ws, 'close')
    await push.close()
    expect((await client.next()).data.toString()).toBe('last')
    expect((await closed)[0]).toBe(1000)
  })

  test('may close, and its messages arrive', async () => {
    await using pull = new Pull()
    await using client = await theirClient(pull.bind('ws://127.0.0.1:0').address, 'pull')
    client.ws.send('one')
    client.ws.send('two')
    const closed = once(client.ws, 'close')
    client.ws.close(1001, 'going away')
    expect((await pull.receive()).toString()).toBe('one')
    expect((await pull.receive()).toString()).toBe('two')
    expect((await closed)[0]).toBe(1001)
  })

  test('of the wrong type is refused with 400, of the wrong path with 404', async () => {
    await using pull = new Pull()
    const { address } = pull.bind('ws://127.0.0.1:0/here')
    await expect(theirClient(address, 'rep')).rejects.toThrow('400')
    await expect(theirClient(address.replace('here', 'there'), 'pull')).rejects.toThrow('404')
  })

  test('that sends too much is told so', async () => {
    await using pull = new Pull({ maxMessageSize: 100 })
    await using client = await theirClient(pull.bind('ws://127.0.0.1:0').address, 'pull')
    client.ws.send(Buffer.alloc(101))
    expect((await once(client.ws, 'close'))[0]).toBe(1009)
  })
})

describe('a server of theirs', () => {
  test.each(bodies)('answers a Req: %s', async (_, body) => {
    await using req = new Req()
    await using server = await theirServer('rep', (address) => req.connect(address))
    expect(server.request).toBe('/some/path?query')
    await req.send(body.subarray(0, 2 ** 20 - 4))
    const { data } = await server.next()
    expect(data.subarray(4).equals(body.subarray(0, 2 ** 20 - 4))).toBe(true)
    server.ws.send(data)
    expect((await req.receive()).equals(data.subarray(4))).toBe(true)
  })

  test('gets many small messages, whole and in order', async () => {
    await using push = new Push()
    await using server = await theirServer('pull', (address) => push.connect(address))
    for (let i = 0; i < 1000; i++) await push.send(`message ${i}`)
    for (let i = 0; i < 1000; i++) expect((await server.next()).data.toString()).toBe(`message ${i}`)
  })

  test('publishes text to a Sub', async () => {
    await using sub = new Sub().subscribe('news')
    await using server = await theirServer('pub', (address) => sub.connect(address))
    server.ws.send('other')
    server.ws.send('news: it works')
    expect((await sub.receive()).toString()).toBe('news: it works')
  })

  test('is connected again after it has closed', async () => {
    await using push = new Push({ reconnectInterval: 10 })
    await using server = await theirServer('pull', (address) => push.connect(address))
    server.ws.close(1012)
    await using again = await server.again()
    await push.send('after')
    expect((await again.next()).data.toString()).toBe('after')
  })
})
