/** Our sockets in conversation with `node:tls`, which speaks SP by hand, and with npm's `ws` over it. */
import { once } from 'node:events'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type TlsOptions as NodeTlsOptions, type TLSSocket } from 'node:tls'
import { Pair, Pull, Push, Rep } from 'nanomsg-native'
import { expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { ca, client, describeTls, ofClient, ofServer, server } from './certificates.js'

const numbers = { pair: 16, req: 48, rep: 49, push: 80, pull: 81 }
const handshake = (type: keyof typeof numbers) => Buffer.from([0, 0x53, 0x50, 0, 0, numbers[type], 0, 0])

function frame(body: Uint8Array): Buffer {
  const prefix = Buffer.alloc(8)
  prefix.writeBigUInt64BE(BigInt(body.length))
  return Buffer.concat([prefix, body])
}

/** SP over a stream of Node's. */
class Peer implements AsyncDisposable {
  #received = Buffer.alloc(0)
  #changed: () => void = () => {}
  hasEnded = false

  constructor(
    readonly socket: TLSSocket,
    private readonly end = () => {},
  ) {
    socket.on('error', () => {})
    socket.on('data', (data) => {
      this.#received = Buffer.concat([this.#received, data])
      this.#changed()
    })
    socket.on('close', () => {
      this.hasEnded = true
      this.#changed()
    })
  }

  async read(length: number): Promise<Buffer> {
    while (this.#received.length < length) {
      if (this.hasEnded) throw new Error('the stream has ended')
      await new Promise<void>((resolve) => {
        this.#changed = resolve
      })
    }
    const bytes = this.#received.subarray(0, length)
    this.#received = this.#received.subarray(length)
    return bytes
  }

  async message(): Promise<Buffer> {
    return this.read(Number((await this.read(8)).readBigUInt64BE()))
  }

  async ended(): Promise<void> {
    while (!this.hasEnded) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve
      })
    }
  }

  async [Symbol.asyncDispose]() {
    this.socket.destroy()
    this.end()
  }
}

async function theirClient(address: string, options: object = {}): Promise<Peer> {
  const port = Number(address.slice(address.lastIndexOf(':') + 1))
  const socket = connect({ port, host: '127.0.0.1', ca: ca.cert, ...options })
  await once(socket, 'secureConnect')
  return new Peer(socket)
}

async function theirServer(connectTo: (address: string) => void, options: NodeTlsOptions = {}): Promise<Peer> {
  const listening = createServer({ cert: server.cert, key: server.key, ...options })
  await once(listening.listen(0, '127.0.0.1'), 'listening')
  connectTo(`tls+tcp://localhost:${(listening.address() as AddressInfo).port}`)
  const [socket] = await once(listening, 'secureConnection')
  return new Peer(socket, () => listening.close())
}

const lengths = [0, 1, 16_383, 16_384, 100_000, 2 ** 20]

describeTls.each(['TLSv1.2', 'TLSv1.3'] as const)('%s of Node.js', (version) => {
  const only = { minVersion: version, maxVersion: version }

  test('reaches a socket of ours', async () => {
    await using pair = new Pair({ tls: ofServer })
    await using peer = await theirClient(pair.bind('tls+tcp://127.0.0.1:0').address, only)
    expect(peer.socket.getProtocol()).toBe(version)
    peer.socket.write(handshake('pair'))
    expect(await peer.read(8)).toEqual(handshake('pair'))
    for (const length of lengths) {
      const body = Buffer.alloc(length, 'there and back')
      peer.socket.write(frame(body))
      const received = await pair.receive()
      expect(received.equals(body)).toBe(true)
      await pair.send(received)
      expect((await peer.message()).equals(body)).toBe(true)
    }
  })

  test('is reached by a socket of ours', async () => {
    await using push = new Push({ tls: ofClient })
    await using peer = await theirServer((address) => push.connect(address), only)
    expect(peer.socket.getProtocol()).toBe(version)
    expect(await peer.read(8)).toEqual(handshake('push'))
    peer.socket.write(handshake('pull'))
    for (const length of lengths) {
      const body = Buffer.alloc(length, 'one way')
      await push.send(body)
      expect((await peer.message()).equals(body)).toBe(true)
    }
  })
})

describeTls('a server of Node.js', () => {
  test('learns the name that it is asked for', async () => {
    const names: string[] = []
    await using push = new Push({ tls: { ...ofClient, serverName: 'localhost' } })
    await using _peer = await theirServer((address) => push.connect(address.replace('localhost', '127.0.0.1')), {
      SNICallback: (name, callback) => {
        names.push(name)
        callback(null)
      },
    })
    expect(names).toEqual(['localhost'])
  })

  test('sees our certificate when it asks for one', async () => {
    await using push = new Push({ tls: { ...ofClient, cert: client.cert, key: client.key } })
    await using peer = await theirServer((address) => push.connect(address), {
      requestCert: true,
      rejectUnauthorized: true,
      ca: ca.cert,
    })
    expect(peer.socket.getPeerCertificate().subject.CN).toBe('client')
  })

  test('is told when our socket closes, by TLS and not by a reset', async () => {
    const push = new Push({ tls: ofClient })
    await using peer = await theirServer((address) => push.connect(address))
    peer.socket.write(handshake('pull'))
    await push.send('last words')
    await push.close()
    await peer.read(8)
    expect((await peer.message()).toString()).toBe('last words')
    await peer.ended()
    expect(peer.socket.errored).toBe(null)
  })
})

describeTls('a client of Node.js', () => {
  test('is served although others fail', async () => {
    await using pull = new Pull({ tls: ofServer })
    const { address } = pull.bind('tls+tcp://127.0.0.1:0')
    await using good = await theirClient(address)
    good.socket.write(handshake('push'))
    for (let i = 0; i < 5; i++) {
      const refusing = connect({ port: Number(address.split(':').at(-1)), ca: [] })
      await once(refusing, 'error')
      await using nonsense = await theirClient(address)
      nonsense.socket.write('GET / HTTP/1.1\r\n\r\n')
      await nonsense.ended()
    }
    good.socket.write(frame(Buffer.from('served')))
    expect((await pull.receive()).toString()).toBe('served')
  })

  test('may send handshake and messages in one piece', async () => {
    await using pull = new Pull({ tls: ofServer })
    await using peer = await theirClient(pull.bind('tls+tcp://127.0.0.1:0').address)
    const bodies = Array.from({ length: 1000 }, (_, i) => Buffer.from(`message ${i}`))
    peer.socket.write(Buffer.concat([handshake('push'), ...bodies.map(frame)]))
    for (const body of bodies) expect((await pull.receive()).equals(body)).toBe(true)
  })

  test('sees the whole chain of our certificate', async () => {
    await using pull = new Pull({ tls: { cert: server.cert + ca.cert, key: server.key } })
    await using peer = await theirClient(pull.bind('tls+tcp://127.0.0.1:0').address)
    const certificate = peer.socket.getPeerCertificate(true)
    expect([certificate.subject.CN, certificate.issuerCertificate.subject.CN]).toEqual(['server', 'authority'])
  })
})

describeTls('npm’s ws', () => {
  test('reaches a socket of ours over wss', async () => {
    await using rep = new Rep({ tls: ofServer })
    const ws = new WebSocket(rep.bind('wss://127.0.0.1:0/rep').address, ['rep.sp.nanomsg.org'], { ca: ca.cert })
    await once(ws, 'open')
    const id = Buffer.from([0x80, 0, 0, 7])
    ws.send(Buffer.concat([id, Buffer.from('ping')]))
    await rep.send(`${await rep.receive()} pong`)
    const [data] = await once(ws, 'message')
    expect(data).toEqual(Buffer.concat([id, Buffer.from('ping pong')]))
    ws.close()
    const [code] = await once(ws, 'close')
    expect(code).toBe(1000)
  })

  test('is reached by a socket of ours over wss', async () => {
    const https = createHttpsServer({ cert: server.cert, key: server.key })
    const wss = new WebSocketServer({ server: https, handleProtocols: () => 'pair.sp.nanomsg.org' })
    await once(https.listen(0, '127.0.0.1'), 'listening')
    await using pair = new Pair({ tls: ofClient })
    pair.connect(`wss://localhost:${(https.address() as AddressInfo).port}/some/path`)
    const [ws, request] = await once(wss, 'connection')
    expect(request.url).toBe('/some/path')
    ws.on('message', (data: Buffer) => ws.send(Buffer.concat([data, data])))
    for (const length of [0, 5, 100_000]) {
      await pair.send(Buffer.alloc(length, 'twice'))
      expect((await pair.receive()).equals(Buffer.alloc(2 * length, 'twice'))).toBe(true)
    }
    ws.terminate()
    wss.close()
    https.close()
  })
})
