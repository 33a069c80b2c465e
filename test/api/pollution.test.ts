/** Options are what a caller has given: nothing that was put on Object.prototype. */
import { expect, test } from 'vitest'
import { ca, describeTls, server } from '../tls/certificates.js'
import { runProgram } from './support.js'

/** Options of all public functions, by name. */
const names = `
  timeout signal transfer retry retryAfter attempts deadline peers concurrency onError
  linger sendBuffer receiveBuffer sendTimeout receiveTimeout reconnectInterval reconnectIntervalMax sendPriority
  receivePriority ipv6 maxMessageSize maxTtl maxUnfinishedBytes tcpNoDelay textFrames requestHeaders origins tls name
  resendInterval admit admitTimeout ipcMode ipcOwner uid gid keepAlive idle interval count codec drain
  maxConnections maxConnectionsPerEndpoint maxConnectionsPerAddress maxHandshakes
  cert key ca verify serverName requireClientCertificate
  raw dontwait chan tcpnodelay wsopt sndbuf rcvbuf sndtimeo rcvtimeo reconn maxreconn sndprio rcvprio rcvmaxsize maxttl
  msg_control msg_controllen msg_iovlen iov_len revents listen address`
  .trim()
  .split(/\s+/)

const program = `
  const nn = require('nanomsg-native')
  const c = require('nanomsg-native/nn')
  const compat = require('nanomsg-native/compat')
  const { PassThrough } = require('node:stream')
  nn.registerTransport('class', new (class { connect() { return new PassThrough() } listen() { return { close() {} } } })())
  const use = async (n, options) => {
    const results = []
    const note = (what) => results.push(what)
    const push = new nn.Push(options), pull = new nn.Pull(options)
    push.connect(pull.bind('inproc://a' + n).address)
    await push.ready(options)
    await push.send('1', options); await push.sendBatch(['2', '3'], options)
    note(String(await pull.receive(options)))
    for await (const message of pull.messages(options)) { note(String(message)); break }
    for await (const batch of pull.batches(options)) { note(batch.length); break }
    const rep = new nn.Rep(options), req = new nn.Req(options)
    req.connect(rep.bind('inproc://b' + n).address)
    const serving = rep.serve((body) => body, options)
    note(String(await req.request('question', options)))
    await rep.close(options); await serving; await req.close(options)
    const respondent = new nn.Respondent(options), surveyor = new nn.Surveyor({ ...options, deadline: 5000 })
    surveyor.connect(respondent.bind('inproc://c' + n).address)
    await surveyor.ready(options)
    const answering = respondent.serve((body) => body, options)
    for await (const answer of surveyor.survey('who', options)) { note(String(answer)); break }
    await respondent.close(options); await answering; await surveyor.close(options)
    push.tls = {}; push.requestHeaders = {}
    note([JSON.stringify(push.tls), JSON.stringify(push.requestHeaders), push.linger, push.maxMessageSize])
    await push.close(options); await pull.close(options)
    const [s1, s2] = [c.nn_socket(c.AF_SP, c.NN_PAIR), c.nn_socket(c.AF_SP, c.NN_PAIR)]
    c.nn_bind(s1, 'inproc://d' + n); c.nn_connect(s2, 'inproc://d' + n)
    await c.nn_sendmsg(s1, { msg_iov: [{ iov_base: Buffer.from('pieces') }] })
    note(await c.nn_poll([{ fd: s2, events: c.NN_POLLIN }], 1, 2000))
    const into = Buffer.alloc(6)
    note([await c.nn_recvmsg(s2, { msg_iov: [{ iov_base: into }] }), String(into)])
    c.nn_close(s1); c.nn_close(s2)
    const pub = compat.socket('pub', options), sub = compat.socket('sub', options)
    note([sub.bind('inproc://e' + n) >= 0, pub.connect('inproc://e' + n) >= 0, sub.linger(), sub.rcvmaxsize(), pub.sndbuf()])
    pub.close(); sub.close()
    const bound = new nn.Pull(options)
    note(bound.bind('class://x').address)
    await bound.close(options)
    return JSON.stringify(results)
  }
  ;(async () => {
    let n = 0
    const expected = await use(n++, {})
    for (const name of ${JSON.stringify(names)}) {
      for (const value of [0, 'polluted', false]) {
        Object.defineProperty(Object.prototype, name, { value, configurable: true, writable: true })
        const results = []
        for (const options of [{}, undefined]) results.push(await use(n++, options).catch(String))
        delete Object.prototype[name]
        for (const result of results) if (result !== expected) console.log(name, value, result, expected)
      }
    }
    console.log('done')
  })()`

test('what is on Object.prototype is no option of any function', async () => {
  const { stdout, stderr } = await runProgram(program, { timeout: 110_000 })
  expect([stdout, stderr]).toEqual(['done\n', ''])
}, 120_000)

test('a getter of an option is read once, and what it throws is thrown', async () => {
  const { stdout } = await runProgram(`
    const { Push, Pull } = require('nanomsg-native')
    const push = new Push(), pull = new Pull()
    push.connect(pull.bind('inproc://getters').address)
    let count = 0
    const counting = { get timeout() { count++; return 1000 } }
    const throwing = { get timeout() { throw new RangeError('mine') } }
    ;(async () => {
      await push.send('x', counting); await pull.receive(counting)
      console.log(count)
      await push.send('x', throwing).catch((error) => console.log(error.name, error.message))
      await pull.receive(throwing).catch((error) => console.log(error.name, error.message))
      process.exit()
    })()`)
  expect(stdout).toBe('2\nRangeError mine\nRangeError mine\n')
})

describeTls('verification by TLS', () => {
  test('is not switched off by Object.prototype', async () => {
    const { stdout } = await runProgram(
      `const { Rep, Req } = require('nanomsg-native')
      const rep = new Rep({ tls: { cert: process.env.CERT, key: process.env.KEY } })
      const addresses = ['tls+tcp://127.0.0.1:0', 'wss://127.0.0.1:0'].map((address) => rep.bind(address).address)
      rep.serve((body) => body)
      const polluted = { verify: false, ca: process.env.CA, tls: { verify: false } }
      ;(async () => {
        for (const [name, value] of Object.entries(polluted)) {
          Object.prototype[name] = value
          for (const address of addresses) {
            for (const options of [undefined, {}, { tls: {} }]) {
              const req = new Req(options)
              req.connect(address)
              const refused = new Promise((resolve) => req.on('reject', () => resolve('refused')))
              console.log(await Promise.race([refused, req.request('x').then(() => name + ' accepted')]))
              req.close().catch(() => {})
            }
          }
          delete Object.prototype[name]
        }
        process.exit()
      })()`,
      { env: { ...process.env, CA: ca.cert, CERT: server.cert, KEY: server.key } },
    )
    expect(stdout).toBe('refused\n'.repeat(18))
  })
})
