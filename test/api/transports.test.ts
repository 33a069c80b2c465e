/** Transports in TypeScript: registerTransport(). */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Duplex, type DuplexOptions } from 'node:stream'
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { promisify } from 'node:util'
import { NanomsgError, Pair, Pull, Push, Rep, Req, registerTransport } from 'nanomsg-native'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { ca, describeTls, server } from '../tls/certificates.js'
import { failureOf, fill, runProgram, temporaryFolder, until } from './support.js'

/** One end of a connection in memory, with a buffer of the size that streams have. */
class MemoryEnd extends Duplex {
  peer!: MemoryEnd
  #onRead: (() => void) | undefined

  override _read(): void {
    const onRead = this.#onRead
    this.#onRead = undefined
    onRead?.()
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    if (this.peer.push(chunk)) done()
    else this.peer.#onRead = done
  }

  override _final(done: () => void): void {
    this.peer.push(null)
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    // As with a connection whose end goes away.
    if (!this.peer.readableEnded && !this.peer.destroyed) this.peer.push(null)
    done(error)
  }
}

function memoryPair(options?: DuplexOptions): [MemoryEnd, MemoryEnd] {
  const [first, second] = [new MemoryEnd(options), new MemoryEnd(options)]
  first.peer = second
  second.peer = first
  return [first, second]
}

const listeners = new Map<string, (connection: Duplex) => void>()
/** The connecting ends of all connections, oldest first. */
const connected: MemoryEnd[] = []

registerTransport('memory', {
  connect(address) {
    const accept = listeners.get(address)
    if (accept === undefined)
      return Promise.reject(Object.assign(new Error('nobody is there'), { code: 'ECONNREFUSED' }))
    const [ours, theirs] = memoryPair()
    connected.push(ours)
    accept(theirs)
    return ours
  },
  listen(address, onConnection) {
    listeners.set(address, onConnection)
    return { close: () => listeners.delete(address) }
  },
})

let counter = 0
const newAddress = () => `memory://${counter++}`

describe('over streams in memory', () => {
  test('requests are answered', async () => {
    const address = newAddress()
    await using rep = new Rep()
    await using req = new Req()
    expect(rep.bind(address).address).toBe(address)
    req.connect(address)
    void rep.serve((request) => `re: ${request}`)
    expect(await Promise.all(['a', 'b', 'c'].map(async (text) => String(await req.request(text))))).toEqual([
      're: a',
      're: b',
      're: c',
    ])
  })

  test('large messages arrive whole and in order', async () => {
    const address = newAddress()
    await using pull = new Pull({ maxMessageSize: -1 })
    await using push = new Push()
    pull.bind(address)
    push.connect(address)
    const bodies = [5_000_000, 0, 1, 3_000_001].map((size, i) => Buffer.alloc(size, `body ${i} `))
    const sent = Promise.all(bodies.map((body) => push.send(body)))
    for (const body of bodies) expect((await pull.receive()).equals(body)).toBe(true)
    await sent
  })

  test('a peer that does not receive slows the sender down, and nothing is lost', async () => {
    const address = newAddress()
    await using pull = new Pull()
    await using push = new Push()
    pull.bind(address)
    push.connect(address)
    const body = Buffer.alloc(64 * 1024, 'x')
    await push.send(body)
    const accepted = 1 + (await fill(push, body))
    expect(accepted).toBeLessThan(200)
    for (let i = 0; i < accepted; i++) expect((await pull.receive()).length).toBe(body.length)
    expect(pull.tryReceive()).toBeUndefined()
  })

  test('what was sent before close() is delivered after it', async () => {
    const address = newAddress()
    await using pull = new Pull()
    const push = new Push({ linger: -1 })
    pull.bind(address)
    push.connect(address)
    await push.send('first')
    expect(String(await pull.receive())).toBe('first')
    const accepted = await fill(push, Buffer.alloc(100_000, 'y'))
    expect(accepted).toBeGreaterThan(1)
    const closed = push.close()
    for (let i = 0; i < accepted; i++) expect((await pull.receive()).length).toBe(100_000)
    await closed
  })

  test('what was accepted in the same tick is delivered, however short the time until close() is', async () => {
    const address = newAddress()
    await using pull = new Pull()
    const push = new Push({ linger: -1 })
    pull.bind(address)
    push.connect(address)
    await push.send('first')
    await pull.receive()
    for (let i = 0; i < 10; i++) void push.send(`message ${i}`)
    await push.close()
    for (let i = 0; i < 10; i++) expect(String(await pull.receive())).toBe(`message ${i}`)
  })

  test('two sockets that have sent each other all they can, and close, do not wait for each other', async () => {
    const address = newAddress()
    const [left, right] = [new Pair({ linger: -1 }), new Pair({ linger: -1 })]
    left.bind(address)
    right.connect(address)
    await right.send('hello')
    await left.receive()
    const body = Buffer.alloc(50_000)
    for (let round = 0; round < 20; round++) {
      for (const socket of [left, right]) while (socket.trySend(body));
      await new Promise(setImmediate)
    }
    await Promise.all([left.close(), right.close()])
  })

  test('a close without linger does not wait for a stream that takes nothing, although its endpoint lingers already', async () => {
    registerTransport('stuck', {
      connect() {
        const stream = new Duplex({ read() {}, write() {} })
        stream.push(Buffer.from([0, 0x53, 0x50, 0, 0, 0x51, 0, 0]))
        return stream
      },
    })
    const push = new Push({ linger: -1 })
    const endpoint = push.connect('stuck://')
    await push.send('first')
    while (push.trySend(Buffer.alloc(10_000)));
    endpoint.close()
    await push.close({ linger: 0 })
  })

  test('a peer that a Pair has no place for is not connected, and sends nothing', async () => {
    const address = newAddress()
    await using pair = new Pair()
    await using first = new Pair()
    await using second = new Pair({ reconnectInterval: 1 })
    pair.bind(address)
    first.connect(address)
    await first.send('here I am')
    await pair.receive()
    const rejected = once(second, 'reject')
    const refused = once(pair, 'reject')
    second.connect(address)
    expect((await refused)[0]).toMatchObject({ error: { code: 'EBUSY' } })
    await rejected
    expect(second.trySend('me, too')).toBe(false)
    expect(second.stats().establishedConnections).toBe(0)
  })

  test('a stream that has ended is connected again, and what it had brought is received', async () => {
    const address = newAddress()
    await using pull = new Pull()
    await using push = new Push({ reconnectInterval: 2 })
    pull.bind(address)
    push.connect(address)
    for (let i = 0; i < 5; i++) {
      await push.send(`message ${i}`)
      expect(String(await pull.receive())).toBe(`message ${i}`)
      const disconnected = once(push, 'disconnect')
      const stream = connected.at(-1)!
      if (i % 2 === 0) stream.end()
      else stream.destroy(new Error('broken'))
      await disconnected
      await until(() => stream.destroyed && stream.peer.destroyed)
    }
    expect(push.stats().currentConnections).toBeLessThan(2)
  })

  test('a peer that is not there yet is found, and each attempt before is told', async () => {
    const address = newAddress()
    await using push = new Push({ reconnectInterval: 2 })
    const failed = once(push, 'failure')
    push.connect(address)
    const [failure] = await failed
    expect(failure).toMatchObject({ type: 'failure', address, bound: false, error: { code: 'ECONNREFUSED' } })
    expect(failure.error).toBeInstanceOf(NanomsgError)
    await using pull = new Pull()
    pull.bind(address)
    await push.send('found')
    expect(String(await pull.receive())).toBe('found')
  })

  test('events name the address of the transport', async () => {
    const address = newAddress()
    await using left = new Pair()
    await using right = new Pair()
    const events = Promise.all([once(left, 'connect'), once(right, 'connect')])
    left.bind(address)
    const endpoint = right.connect(address)
    const [[atLeft], [atRight]] = await events
    expect(atLeft).toMatchObject({ address, bound: true, protocol: 'pair' })
    expect(atRight).toMatchObject({ address, bound: false, remoteAddress: address, credentials: undefined })
    const gone = Promise.all([once(left, 'disconnect'), once(right, 'disconnect')])
    endpoint.close()
    const [[leftEnd], [rightEnd]] = await gone
    expect(leftEnd).toMatchObject({ address, bound: true, reason: 'left' })
    expect(rightEnd).toMatchObject({ address, bound: false, reason: 'closed' })
  })

  test('a closed endpoint destroys its streams, and connects and accepts no more', async () => {
    const address = newAddress()
    await using pull = new Pull()
    await using push = new Push({ reconnectInterval: 1 })
    const bound = pull.bind(address)
    const endpoint = push.connect(address)
    await push.send('hello')
    await pull.receive()
    const stream = connected.at(-1)!
    const count = connected.length
    endpoint.close()
    endpoint.close()
    await until(() => stream.destroyed && stream.peer.destroyed)
    expect(connected.length).toBe(count)
    bound.close()
    expect(listeners.has(address)).toBe(false)
  })

  test('a socket that closes destroys its streams', async () => {
    const address = newAddress()
    const pull = new Pull()
    const push = new Push()
    pull.bind(address)
    push.connect(address)
    await push.send('hello')
    await pull.receive()
    const stream = connected.at(-1)!
    await Promise.all([pull.close(), push.close()])
    await until(() => stream.destroyed && stream.peer.destroyed)
    expect(listeners.has(address)).toBe(false)
  })

  test('a peer of a type that does not go with ours is turned away', async () => {
    const address = newAddress()
    await using pull = new Pull()
    await using req = new Req({ reconnectInterval: 5 })
    const rejected = once(pull, 'reject')
    pull.bind(address)
    req.connect(address)
    expect((await rejected)[0]).toMatchObject({ address, bound: true, error: { code: 'EPROTOTYPE' } })
  })
})

describe('streams that are not as they should be', () => {
  const streams = new Map<string, Duplex[]>()
  /** What is connected to there, one after the other. */
  const place = (address: string, ...those: Duplex[]) => void streams.set(address, those)
  registerTransport('odd', { connect: (address) => streams.get(address)?.shift() ?? new MemoryEnd() })

  test.each([
    ['gives text', () => memoryPair()[0].setEncoding('utf8')],
    [
      'gives objects',
      () => new Duplex({ readableObjectMode: true, read() {}, write: (_chunk, _encoding, done) => done() }),
    ],
  ])('one that %s is destroyed with a failure that says so', async (_, make) => {
    await using push = new Push({ reconnectInterval: 1000 })
    const stream = make()
    place('odd://x', stream)
    const failed = once(push, 'failure')
    push.connect('odd://x')
    stream.push(stream.readableObjectMode ? { no: 'bytes' } : Buffer.from('text'))
    const [{ error }] = await failed
    expect(error).toMatchObject({ code: 'EINVAL', message: expect.stringContaining('a stream of bytes') })
    expect(stream.destroyed).toBe(true)
  })

  test('one that is destroyed already is connected anew', async () => {
    await using push = new Push({ reconnectInterval: 1 })
    await using pull = new Pull()
    const [first, second] = memoryPair()
    place('odd://x', new MemoryEnd().destroy(), first)
    place('odd://y', second)
    push.connect('odd://x')
    pull.connect('odd://y')
    await push.send('hello')
    expect(String(await pull.receive())).toBe('hello')
  })

  test('one whose writing throws breaks, and is connected anew', async () => {
    await using push = new Push({ reconnectInterval: 1 })
    let attempts = 0
    registerTransport('unwritable', {
      connect: () => {
        attempts++
        return new Duplex({
          read() {},
          write() {
            throw new Error('the disk is gone')
          },
        })
      },
    })
    const failed = once(push, 'failure')
    push.connect('unwritable://')
    const [{ error }] = await failed
    expect(error).toBeInstanceOf(NanomsgError)
    expect(error.message).toContain('the disk is gone')
    await until(() => attempts > 1)
  })

  test('one that is given paused is read', async () => {
    await using push = new Push()
    await using pull = new Pull()
    const [first, second] = memoryPair()
    place('odd://x', first.pause())
    place('odd://y', second.pause())
    push.connect('odd://x')
    pull.connect('odd://y')
    await push.send('hello')
    expect(String(await pull.receive())).toBe('hello')
  })

  test.each([
    ['is destroyed without telling', (stream: MemoryEnd) => stream.destroy()],
    [
      'is ended by other code, and whose peer goes on',
      (stream: MemoryEnd) => Object.assign(stream, { _final: (done: () => void) => done() }).end(),
    ],
  ])('one that %s loses no message that is accepted later', async (_, spoil) => {
    await using push = new Push({ reconnectInterval: 1 })
    await using pull = new Pull({ reconnectInterval: 1 })
    const [first, second] = memoryPair({ emitClose: false })
    const [third, fourth] = memoryPair()
    place('odd://x', first, third)
    place('odd://y', second, fourth)
    push.connect('odd://x')
    pull.connect('odd://y')
    await push.send('before')
    await pull.receive()
    spoil(first)
    const reconnected = once(push, 'connect')
    while (push.trySend('into the ended stream')) await new Promise(setImmediate)
    await reconnected
    await push.send('after')
    let body = ''
    while (body !== 'after') body = String(await pull.receive())
  })

  test('one that breaks while a receiver is slow takes no message more, and what it gave is received', async () => {
    await using slow = new Pair({ reconnectInterval: 60_000 })
    await using fast = new Pair({ reconnectInterval: 60_000, linger: 0 })
    const [first, second] = memoryPair()
    place('odd://x', first)
    place('odd://y', second)
    slow.connect('odd://x')
    fast.connect('odd://y')
    await fast.send('hello')
    expect(String(await slow.receive())).toBe('hello')
    // Until the slow one reads no more, and its stream is paused.
    while (!first.isPaused()) if (!fast.trySend(Buffer.alloc(50_000))) await new Promise(setImmediate)
    first.destroy(new Error('broken'))
    let lost = 0
    await until(() => !slow.trySend('lost') || ++lost === 100)
    expect(lost).toBeLessThan(100)
    let received = 0
    await until(() => {
      if (slow.tryReceive()?.length === 50_000) received++
      return slow.stats().currentConnections === 0
    })
    expect(received).toBeGreaterThan(0)
  })

  test('one that comes after close(), and tells of being destroyed by an error, does no harm', async () => {
    await using push = new Push()
    let give: (stream: Duplex) => void = () => {}
    registerTransport('late', { connect: () => new Promise<Duplex>((resolve) => (give = resolve)) })
    const endpoint = push.connect('late://x')
    endpoint.close()
    const stream = Duplex.from({ readable: new MemoryEnd(), writable: new MemoryEnd() })
    give(stream)
    await until(() => stream.destroyed)
  })

  test('one that says nothing is given up after the deadline of handshakes', async () => {
    await using push = new Push({ reconnectInterval: 1000 })
    const rejected = once(push, 'reject')
    const [silent] = memoryPair()
    place('odd://x', silent)
    push.connect('odd://x')
    expect((await rejected)[0]).toMatchObject({ error: { code: 'ETIMEDOUT' } })
    await until(() => silent.destroyed)
  })
})

test('a connection costs no descriptor', async () => {
  const address = newAddress()
  await using pull = new Pull()
  await using push = new Push()
  const before = readdirSync('/proc/self/fd').length
  pull.bind(address)
  push.connect(address)
  await push.send('hello')
  expect(String(await pull.receive())).toBe('hello')
  expect(readdirSync('/proc/self/fd').length).toBe(before)
})

test('a worker and a process may end in the middle of it', async () => {
  const { exitCode, stdout, stderr } = await runProgram(`
    const { Worker, isMainThread, parentPort } = require('node:worker_threads')
    const { Duplex } = require('node:stream')
    const { Pull, Push, registerTransport } = require('nanomsg-native')
    let accept
    class End extends Duplex {
      _read() {}
      _write(chunk, encoding, done) { this.peer.push(chunk); done() }
    }
    registerTransport('memory', {
      connect() {
        const [ours, theirs] = [new End(), new End()]
        Object.assign(ours, { peer: theirs })
        Object.assign(theirs, { peer: ours })
        accept(theirs)
        return ours
      },
      listen(address, onConnection) {
        accept = onConnection
        return { close() {} }
      },
    })
    async function converse(onMessage) {
      const [pull, push] = [new Pull(), new Push()]
      pull.bind('memory://x')
      push.connect('memory://x')
      void (async () => { for (;;) await push.send(Buffer.alloc(100_000)) })()
      for await (const body of pull) onMessage(body)
    }
    if (!isMainThread) converse(() => parentPort.postMessage('received'))
    else {
      const worker = new Worker(process.execArgv.at(-1), { eval: true, execArgv: [] })
      worker.once('message', async () => {
        await worker.terminate()
        console.log('terminated')
        converse(() => process.exit(7))
      })
    }`)
  expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 7, stdout: 'terminated\n', stderr: '' })
})

describe('arguments', () => {
  const connect = () => memoryPair()[0]

  test.each(['', 'Upper', '1st', 'a b', 'a://', 7, undefined])('%j is no scheme', async (scheme) => {
    expect(await failureOf(() => registerTransport(scheme as string, { connect }))).toMatchObject({
      code: 'EINVAL',
      syscall: 'registerTransport',
    })
  })

  test.each([undefined, null, {}, { connect: 1 }, { connect, listen: 1 }])('%j is no transport', async (transport) => {
    expect(await failureOf(() => registerTransport('other', transport as never))).toMatchObject({ code: 'EINVAL' })
  })

  test.each(['tcp', 'tls+tcp', 'ws', 'wss', 'ipc', 'unix', 'abstract', 'socket', 'inproc', 'memory'])(
    '%s is taken',
    async (scheme) => {
      expect(await failureOf(() => registerTransport(scheme, { connect }))).toMatchObject({ code: 'EEXIST' })
    },
  )

  test('a scheme that is not registered, and one that cannot be bound, are not supported', async () => {
    registerTransport('outward', { connect })
    await using push = new Push()
    for (const call of [
      () => push.connect('nobody://x'),
      () => push.bind('nobody://x'),
      () => push.bind('outward://x'),
    ])
      expect(await failureOf(call)).toMatchObject({ code: 'EPROTONOSUPPORT' })
  })

  test.each([7, 'no-scheme', `long://${'x'.repeat(121)}`])(
    'listen() may not return the address %j',
    async (address) => {
      let isClosed = false
      const close = () => {
        isClosed = true
      }
      const scheme = `listening-${counter++}`
      registerTransport(scheme, { connect, listen: () => ({ address: address as string, close }) })
      await using pull = new Pull()
      expect(await failureOf(() => pull.bind(`${scheme}://x`))).toMatchObject({ code: 'EINVAL', syscall: 'bind' })
      expect(isClosed).toBe(true)
    },
  )

  test('what is no stream is refused, and what connect() throws is passed on', async () => {
    registerTransport('nothing', { connect: () => ({}) as Duplex, listen: () => ({}) as never })
    registerTransport('throwing', {
      connect() {
        throw new RangeError('no such place')
      },
    })
    await using push = new Push()
    expect(await failureOf(() => push.connect('nothing://x'))).toMatchObject({ code: 'EINVAL', syscall: 'connect' })
    expect(await failureOf(() => push.bind('nothing://x'))).toMatchObject({ code: 'EINVAL', syscall: 'bind' })
    expect(() => push.connect('throwing://x')).toThrow(RangeError)
  })
})

describeTls('over node:tls', () => {
  const streams: TLSSocket[] = []
  registerTransport('node-tls', {
    connect(address) {
      const { hostname, port } = new URL(address)
      const stream = connectTls({ host: hostname, port: Number(port), ca: ca.cert, servername: 'localhost' })
      streams.push(stream)
      return stream
    },
    async listen(address, onConnection) {
      const { hostname } = new URL(address)
      const listener = createTlsServer({ cert: server.cert, key: server.key }, onConnection)
      await new Promise<void>((resolve) => listener.listen(0, hostname, resolve))
      const { port } = listener.address() as AddressInfo
      return { address: `node-tls://${hostname}:${port}`, close: () => listener.close() }
    },
  })

  test('requests, large messages, and a connection that is lost', async () => {
    await using rep = new Rep({ maxMessageSize: -1 })
    await using req = new Req({ maxMessageSize: -1, reconnectInterval: 2 })
    const endpoint = rep.bind('node-tls://127.0.0.1:0')
    await until(() => !endpoint.address.endsWith(':0'))
    req.connect(endpoint.address)
    void rep.serve((request) => request)
    expect(String(await req.request('hello'))).toBe('hello')
    const body = Buffer.alloc(4_000_000, 'secret ')
    expect((await req.request(body)).equals(body)).toBe(true)
    const reconnected = once(req, 'connect')
    streams.at(-1)!.destroy()
    await reconnected
    expect(String(await req.request('again'))).toBe('again')
  })
})

test('standard input and output of a program: the example', { timeout: 60_000 }, async () => {
  using folder = temporaryFolder()
  const example = join(__dirname, '..', '..', 'examples', 'typescript-transport')
  const dist = JSON.stringify(join(__dirname, '..', '..', 'dist', 'index.js'))
  for (const name of ['command', 'worker', 'main']) {
    const { outputText } = ts.transpileModule(readFileSync(join(example, `${name}.ts`), 'utf8'), {
      compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
    })
    writeFileSync(
      join(folder.path, `${name}.js`),
      outputText.replaceAll('"nanomsg-native"', dist).replaceAll("'nanomsg-native'", dist),
    )
  }
  const { stdout } = await promisify(execFile)(process.execPath, ['main.js'], { cwd: folder.path, timeout: 50_000 })
  expect(stdout).toBe('HELLO\nONCE MORE\n')
})

test('connections alone do not keep the process alive', async () => {
  const { exitCode, stderr } = await runProgram(`
    const { Push, registerTransport } = require('nanomsg-native')
    const { PassThrough } = require('node:stream')
    registerTransport('loop', { connect: () => new PassThrough() })
    new Push().connect('loop://')`)
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
})
