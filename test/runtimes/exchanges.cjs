// One exchange of each kind: node exchanges.cjs PACKAGE NAME. Prints "done NAME"; what goes wrong ends the process with
// a message. NN_CA, NN_CERT and NN_KEY name files for TLS. The name `list` prints all names.
const assert = require('node:assert')
const { once } = require('node:events')
const { readFileSync } = require('node:fs')
const { connect, createServer } = require('node:net')
const { join } = require('node:path')
const { tmpdir } = require('node:os')
const { Worker } = require('node:worker_threads')

const [home, name] = process.argv.slice(2)
const nanomsg = require(home)
const limit = { timeout: 20_000 }
const file = join(tmpdir(), `nn-exchange-${process.pid}`)

const closeAll = (...all) => Promise.all(all.map((each) => each.close()))

/** Two sockets: the first is bound to the address, the second connected. */
function connected(First, Second, address, firstOptions, secondOptions) {
  const sockets = [new First(firstOptions), new Second(secondOptions)]
  sockets[1].connect(sockets[0].bind(address).address)
  return sockets
}

/** Messages of several lengths there and back. */
const toAndFro = (address, firstOptions, secondOptions) => async () => {
  const [first, second] = connected(nanomsg.Pair, nanomsg.Pair, address, firstOptions, secondOptions)
  for (const length of [0, 5, 3000, 70_000, 300_000]) {
    const body = Buffer.alloc(length, 'abc')
    await second.send(body, limit)
    const there = await first.receive(limit)
    assert.deepEqual(there, body)
    await first.send(there, limit)
    assert.deepEqual(await second.receive(limit), body)
  }
  await closeAll(first, second)
}

const identity = { cert: { file: process.env.NN_CERT ?? '' }, key: { file: process.env.NN_KEY ?? '' } }
const ca = { file: process.env.NN_CA ?? '' }
const server = { tls: identity }
const client = { tls: { ca } }

/** What a socket hears first of a peer that it connects to, or that comes. */
async function firstNews(socket) {
  for await (const { type } of socket.events()) return type
}

/** Over both schemes: what a client and a server hear of each other when one does not accept the other. */
async function meet(serverTls, clientTls) {
  const news = []
  for (const address of ['tls+tcp://127.0.0.1:0', 'wss://127.0.0.1:0/path']) {
    const [first, second] = [new nanomsg.Pair({ tls: serverTls }), new nanomsg.Pair({ tls: clientTls })]
    const isAdmitted = firstNews(first)
    const heard = firstNews(second)
    second.connect(first.bind(address).address)
    news.push(await heard)
    if (news.at(-1) === 'connect') news.push(await isAdmitted)
    await closeAll(first, second)
  }
  return news
}

const acquainted = ['connect', 'connect', 'connect', 'connect']

const closeOf = (peer) =>
  new Promise((resolve) => peer.on('error', () => {}).once('close', resolve).resume())

/** A connection to a port of this machine, as soon as a server listens there. */
async function silent(port) {
  for (;;) {
    const peer = connect(port, '127.0.0.1')
    const isThere = await new Promise((resolve) =>
      peer.once('connect', () => resolve(true)).once('error', () => resolve(false)),
    )
    if (isThere) return peer
  }
}

/** A transport in JavaScript: streams of node:net. */
const plain = {
  connect: (address) => require('node:net').connect(Number(new URL(address).port), '127.0.0.1'),
  listen(_address, onStream) {
    const listener = require('node:net').createServer(onStream)
    return new Promise((resolve, reject) => {
      listener.once('error', reject).listen(0, '127.0.0.1', () => {
        resolve({ address: `plain://127.0.0.1:${listener.address().port}`, close: () => listener.close() })
      })
    })
  },
}

/** What a Worker runs: it says what it is asked to say. */
const inWorker = (body) =>
  new Worker(`const nanomsg = require(${JSON.stringify(home)}); (async () => { ${body} })()`, { eval: true })

const exitOf = (worker) =>
  new Promise((resolve, reject) => worker.once('error', reject).once('exit', (code) => resolve(code)))

const exchanges = {
  tcp: toAndFro('tcp://127.0.0.1:0'),
  ipc: toAndFro(`ipc://${file}`),
  abstract: toAndFro(`abstract://nn-exchange-${process.pid}`),
  ws: toAndFro('ws://127.0.0.1:0/path'),
  inproc: toAndFro('inproc://exchange'),
  tls: toAndFro('tls+tcp://127.0.0.1:0', server, client),
  wss: toAndFro('wss://127.0.0.1:0/path', server, client),

  async verified() {
    assert.deepEqual(await meet(identity, { ca }), acquainted)
    assert.deepEqual(await meet(identity, { ca, serverName: '127.0.0.1' }), acquainted)
    assert.deepEqual(await meet(identity, { ca, serverName: '' }), acquainted)
    assert.deepEqual(await meet(identity, { verify: false }), acquainted)
    const both = { ...identity, ca, requireClientCertificate: true }
    assert.deepEqual(await meet(both, { ...identity, ca }), acquainted)
  },

  async strangers() {
    // No authority that has signed, and no such name in the certificate.
    assert(!(await meet(identity, {})).includes('connect'))
    assert(!(await meet(identity, { ca: { file: process.env.NN_OTHER_CA ?? '' } })).includes('connect'))
    assert(!(await meet(identity, { ca, serverName: 'example.org' })).includes('connect'))
    assert(!(await meet(identity, { ca, serverName: '127.0.0.2' })).includes('connect'))
    // The common name does not count.
    const unlisted = { cert: { file: process.env.NN_UNLISTED_CERT }, key: { file: process.env.NN_UNLISTED_KEY } }
    assert.deepEqual(await meet(unlisted, { verify: false }), acquainted)
    assert(!(await meet(unlisted, { ca, serverName: 'unlisted' })).includes('connect'))
  },

  /** What a program has put on Object.prototype is no option. */
  async pollution() {
    Object.prototype.verify = false
    Object.prototype.serverName = 'localhost'
    try {
      assert(!(await meet(identity, { ca: { file: process.env.NN_OTHER_CA } })).includes('connect'))
      const pair = new nanomsg.Pair()
      Object.prototype.cert = identity.cert
      Object.prototype.key = identity.key
      assert.throws(() => pair.bind('tls+tcp://127.0.0.1:0'), { name: 'NanomsgError', code: 'EINVAL' })
      await pair.close()
    } finally {
      for (const name of ['verify', 'serverName', 'cert', 'key']) delete Object.prototype[name]
    }
  },

  /** Certificates that cannot do are an exception at once. */
  async unusable() {
    const damaged = { pem: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' }
    const otherKey = { file: process.env.NN_UNLISTED_KEY }
    const wrong = {
      bind: [
        {},
        { ...identity, cert: damaged },
        { ...identity, cert: identity.key },
        { ...identity, key: otherKey },
        { ...identity, key: identity.cert },
        { cert: identity.cert },
        { ...identity, requireClientCertificate: true },
        { ...identity, ca: damaged, requireClientCertificate: true },
      ],
      connect: [{ ca: damaged }, { ca: identity.key }, { ca, cert: identity.cert, key: otherKey }],
    }
    for (const [syscall, options] of Object.entries(wrong)) {
      for (const tls of options) {
        const pair = new nanomsg.Pair({ tls })
        const error = { name: 'NanomsgError', code: 'EINVAL', errno: 22, syscall }
        assert.throws(() => pair[syscall]('tls+tcp://127.0.0.1:5555'), error)
        assert.throws(() => pair[syscall]('wss://127.0.0.1:5555/path'), error)
        await pair.close()
      }
    }
  },

  /** Certificate and key stand in one text, in any order. */
  async bundle() {
    const text = (file) => readFileSync(file, 'latin1')
    for (const names of [['NN_CERT', 'NN_KEY'], ['NN_KEY', 'NN_CERT']]) {
      const cert = { pem: names.map((name) => text(process.env[name])).join('') }
      assert.deepEqual(await meet({ cert }, { ca }), acquainted)
    }
    const both = { pem: text(process.env.NN_OTHER_CA) + text(process.env.NN_CA) }
    assert.deepEqual(await meet(identity, { ca: both }), acquainted)
    assert.deepEqual(await meet(identity, { ca: [text(process.env.NN_OTHER_CA), text(process.env.NN_CA)] }), acquainted)
  },

  /** Of this machine, by their names. */
  async interfaces() {
    for (const scheme of ['tls+tcp', 'wss']) {
      // Of an interface that has both, the newer address is bound to.
      for (const [host, destination] of [['lo', '[::1]'], ['*', '127.0.0.1'], ['*', '[::1]']]) {
        const [first, second] = [new nanomsg.Pair(server), new nanomsg.Pair({ tls: { ca, serverName: 'localhost' } })]
        const port = first.bind(`${scheme}://${host}:0`).address.split(':').at(-1)
        second.connect(`${scheme}://lo;${destination}:${port}`)
        await second.send('from here', limit)
        assert.equal((await first.receive(limit)).toString(), 'from here')
        await closeAll(first, second)
      }
    }
  },

  /** A server that says nothing has 3 s, and closing does not wait for it. */
  async silentServer() {
    const peers = []
    const listener = createServer((peer) => peers.push(closeOf(peer))).listen(0, '127.0.0.1')
    await once(listener, 'listening')
    const pair = new nanomsg.Pair(client)
    const news = pair.events()
    pair.connect(`tls+tcp://127.0.0.1:${listener.address().port}`)
    const { type, error } = (await news.next()).value
    assert.deepEqual([type === 'reject' || type === 'failure', error.code], [true, 'ETIMEDOUT'])
    await peers[0]
    while (peers.length < 2) await new Promise(setImmediate)
    await pair.close()
    await peers[1]
    listener.close()
  },

  /** The same of a client; another one, which has spoken, stays. */
  async silentClient() {
    const [pull, push] = connected(nanomsg.Pull, nanomsg.Push, 'tls+tcp://127.0.0.1:0', server, client)
    for (const socket of [pull, push]) socket.on('disconnect', () => assert.fail('a good peer is gone'))
    const { address } = pull.bind('tls+tcp://127.0.0.1:0')
    await push.send('before', limit)
    assert.equal((await pull.receive(limit)).toString(), 'before')
    const port = Number(address.split(':').at(-1))
    await closeOf(await silent(port))
    await push.send('after', limit)
    assert.equal((await pull.receive(limit)).toString(), 'after')
    const isLastClosed = closeOf(await silent(port))
    for (const socket of [pull, push]) socket.removeAllListeners()
    await closeAll(push, pull)
    await isLastClosed
  },

  async pipeline() {
    const [pull, push] = connected(nanomsg.Pull, nanomsg.Push, 'tcp://127.0.0.1:0')
    const count = 100_000
    const sending = (async () => {
      for (let from = 0; from < count; from += 1000) {
        const batch = Array.from({ length: 1000 }, (_, i) => Buffer.from(String(from + i)))
        await push.sendBatch(batch, limit)
      }
    })()
    let next = 0
    for await (const batch of pull.batches(limit)) {
      for (const message of batch) assert.equal(message.toString(), String(next++))
      if (next === count) break
    }
    await sending
    await closeAll(push, pull)
  },

  async requests() {
    const [rep, req] = connected(nanomsg.Rep, nanomsg.Req, 'tcp://127.0.0.1:0')
    const serving = new AbortController()
    const served = rep.serve(async (message) => `${message}!`, { signal: serving.signal }).catch((error) => error.name)
    const replies = await Promise.all(Array.from({ length: 100 }, (_, i) => req.request(String(i), limit)))
    assert.deepEqual(replies.map(String), Array.from({ length: 100 }, (_, i) => `${i}!`))
    serving.abort()
    await served
    await closeAll(rep, req)
  },

  async topics() {
    const [sub, pub] = connected(nanomsg.Sub, nanomsg.Pub, 'tcp://127.0.0.1:0')
    sub.subscribe('x')
    await pub.ready(limit)
    await pub.send('y')
    await pub.send('x1')
    assert.equal((await sub.receive(limit)).toString(), 'x1')
    await closeAll(sub, pub)
  },

  async surveys() {
    const [surveyor, respondent] = connected(nanomsg.Surveyor, nanomsg.Respondent, 'tcp://127.0.0.1:0')
    await surveyor.ready(limit)
    const serving = new AbortController()
    const served = respondent.serve(async (message) => `${message}!`, { signal: serving.signal }).catch(() => {})
    for await (const response of surveyor.survey('how', limit)) {
      assert.equal(response.toString(), 'how!')
      break
    }
    serving.abort()
    await served
    await closeAll(surveyor, respondent)
  },

  async bus() {
    const [first, second] = connected(nanomsg.Bus, nanomsg.Bus, 'tcp://127.0.0.1:0')
    await Promise.all([first.ready(limit), second.ready(limit)])
    await first.send('to all')
    assert.equal((await second.receive(limit)).toString(), 'to all')
    await closeAll(first, second)
  },

  async device() {
    const device = new nanomsg.Device('pipeline')
    const [push, pull] = [new nanomsg.Push(), new nanomsg.Pull()]
    push.connect(device.first.bind('tcp://127.0.0.1:0'))
    pull.connect(device.second.bind('tcp://127.0.0.1:0'))
    await push.send('through', limit)
    assert.equal((await pull.receive(limit)).toString(), 'through')
    await closeAll(push, pull, device)
  },

  async transport() {
    nanomsg.registerTransport('plain', plain)
    const [first, second] = [new nanomsg.Pair(), new nanomsg.Pair()]
    const endpoint = first.bind('plain://127.0.0.1:0')
    while (endpoint.address.endsWith(':0')) await new Promise(setImmediate)
    second.connect(endpoint.address)
    await second.send('by a stream', limit)
    assert.equal((await first.receive(limit)).toString(), 'by a stream')
    await closeAll(first, second)
  },

  async streams() {
    const { pipeline } = require('node:stream/promises')
    const { Readable } = require('node:stream')
    const [pull, push] = connected(nanomsg.Pull, nanomsg.Push, 'tcp://127.0.0.1:0')
    await pipeline(Readable.from(['1', '2', '3']), push.writable())
    const received = []
    for await (const message of pull.readable()) if (received.push(message.toString()) === 3) break
    assert.deepEqual(received, ['1', '2', '3'])
    await closeAll(push, pull)
  },

  async transfer() {
    const [first, second] = connected(nanomsg.Pair, nanomsg.Pair, 'inproc://transfer')
    const message = nanomsg.allocMessage(100_000)
    message.fill('z')
    await second.send(message, { transfer: true, ...limit })
    assert.equal(message.length, 0)
    assert.deepEqual(await first.receive(limit), Buffer.alloc(100_000, 'z'))
    await closeAll(first, second)
  },

  /** Messages that are kept stay what they are, while the others go. */
  async kept() {
    const [pull, push] = connected(nanomsg.Pull, nanomsg.Push, 'tcp://127.0.0.1:0')
    const kept = []
    for (let round = 0; round < 40; round++) {
      await push.sendBatch(Array.from({ length: 250 }, (_, i) => Buffer.alloc(200, i)), limit)
      for (let i = 0; i < 250; i++) {
        const message = await pull.receive(limit)
        if (i % 10 === 0) kept.push(message)
      }
      globalThis.gc?.()
      globalThis.Bun?.gc?.(true)
    }
    for (const [index, message] of kept.entries()) assert.deepEqual(message, Buffer.alloc(200, (index % 25) * 10))
    await closeAll(push, pull)
  },

  async events() {
    const first = new nanomsg.Pair()
    const events = first.events(limit)
    const second = new nanomsg.Pair()
    second.connect(first.bind('tcp://127.0.0.1:0').address)
    const connect = (await events.next()).value
    assert.deepEqual([connect.type, connect.protocol, connect.bound], ['connect', 'pair', true])
    await second.close()
    assert.equal((await events.next()).value.type, 'disconnect')
    await first.close()
  },

  async timeout() {
    const pull = new nanomsg.Pull()
    await assert.rejects(pull.receive({ timeout: 20 }), { code: 'ETIMEDOUT' })
    await pull.close()
  },

  async worker() {
    const pair = new nanomsg.Pair()
    pair.bind('inproc://worker')
    const worker = inWorker(`
      const pair = new nanomsg.Pair()
      pair.connect('inproc://worker')
      await pair.send('worker ' + await pair.receive())
      await pair.close()`)
    const exit = exitOf(worker)
    await pair.send('1', limit)
    assert.equal((await pair.receive(limit)).toString(), 'worker 1')
    assert.equal(await exit, 0)
    await pair.close()
  },

  /** Workers that end without a socket, and with one that is closed. */
  async loads() {
    for (const body of ['', 'await new nanomsg.Pair().close()']) assert.equal(await exitOf(inWorker(body)), 0)
  },

  /** Workers that end with open sockets, in the middle of their work. */
  async terminations() {
    const pull = new nanomsg.Pull()
    const { address } = pull.bind('tcp://127.0.0.1:0')
    for (let round = 0; round < 5; round++) {
      const worker = inWorker(`
        const push = new nanomsg.Push()
        push.connect(${JSON.stringify(address)})
        for (;;) await push.send('${round}')`)
      const exit = exitOf(worker)
      while ((await pull.receive(limit)).toString() !== String(round));
      await worker.terminate()
      await exit
    }
    await pull.close()
  },

  async c() {
    const nn = require(join(home, 'dist/nn/index.js'))
    const [first, second] = [nn.nn_socket(nn.AF_SP, nn.NN_PAIR), nn.nn_socket(nn.AF_SP, nn.NN_PAIR)]
    nn.nn_bind(first, 'inproc://c')
    nn.nn_connect(second, 'inproc://c')
    const message = nn.nn_allocmsg(5, 0)
    message.write('hello')
    await nn.nn_send(second, message, nn.NN_MSG, 0)
    const received = await nn.nn_recv(first, nn.NN_MSG, 0)
    assert.equal(received.toString(), 'hello')
    nn.nn_freemsg(received)
    nn.nn_close(first)
    nn.nn_close(second)
  },

  async compat() {
    const compat = require(join(home, 'dist/compat/index.js'))
    const [push, pull] = [compat.socket('push'), compat.socket('pull')]
    pull.bind(`ipc://${file}`)
    push.connect(`ipc://${file}`)
    const data = new Promise((resolve) => pull.on('data', resolve))
    push.send('compat')
    assert.equal(String(await data), 'compat')
    push.close()
    pull.close()
  },

  /** The process ends although nothing is closed, and what was accepted arrives. */
  async unclosed() {
    const [pull, push] = connected(nanomsg.Pull, nanomsg.Push, 'tcp://127.0.0.1:0')
    await push.send('last', limit)
    assert.equal((await pull.receive(limit)).toString(), 'last')
  },
}

if (name === 'list') {
  console.log(Object.keys(exchanges).join(' '))
} else {
  exchanges[name]().then(
    () => console.log(`done ${name}`),
    (error) => {
      console.error(error)
      process.exit(1)
    },
  )
}
