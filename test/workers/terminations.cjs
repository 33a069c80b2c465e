/**
 * Terminates Workers while they are busy: terminations.cjs ROUNDS [ROLE...]. Prints by how much descriptors, threads
 * and memory of the process have grown since the first rounds. NN names the package's folder, and NN_HEAP the addon of
 * heap_in_use.c.
 */
const { Worker } = require('node:worker_threads')
const { readdirSync, readFileSync } = require('node:fs')
const { once } = require('node:events')

const heapInUse = process.env.NN_HEAP === undefined ? () => Number.NaN : require(process.env.NN_HEAP)
const dist = process.env.NN ?? require('node:path').join(__dirname, '..', '..', 'dist')

/** What a Worker does until it is terminated, by role. */
const roles = {
  receiving: `
    const pull = new nn.Pull(), push = new nn.Push()
    push.connect(pull.bind('tcp://127.0.0.1:0').address)
    for (const size of [1, 300, 5000, 100000]) void (async () => { for (;;) await push.send(Buffer.alloc(size)) })()
    for await (const message of pull) begun(message)`,
  sending: `
    const push = new nn.Push(), pull = new nn.Pull()
    push.connect(pull.bind('ipc:///tmp/nn-' + process.pid + '-' + threadId).address)
    void (async () => { for await (const batch of pull.batches()) begun(batch) })()
    for (;;) { await push.send(['a', Buffer.alloc(20000)]); await push.sendBatch(['1', '2']); push.trySend('3') }`,
  serving: `
    const rep = new nn.Rep(), req = new nn.Req()
    req.connect(rep.bind(name()).address)
    rep.serve((question, peer) => peer.remoteAddress + peer.protocol)
    for (let i = 0; i < 32; i++) void (async () => { for (;;) begun(await req.request('x')) })()`,
  monitoring: `
    const pull = new nn.Pull(), push = new nn.Push()
    for (const event of ['connect', 'disconnect']) for (const socket of [pull, push]) socket.on(event, begun)
    const addresses = ['tcp://127.0.0.1:0', 'ws://127.0.0.1:0', name()].map((address) => pull.bind(address).address)
    let connected = []
    setInterval(() => {
      for (const endpoint of connected) endpoint.close()
      connected = addresses.map((address) => push.connect(address))
    }, 3)`,
  options: `
    const pull = new nn.Pull({ name: 'a name' })
    for (let i = 0; ; i++) { begun(pull.name); begun(pull.stats()); pull.name = 'n' + i; begun(pull.linger) }`,
  devices: `
    const device = new nn.Device('pipeline')
    const push = new nn.Push(), pull = new nn.Pull()
    push.connect(device.first.bind('tcp://127.0.0.1:0'))
    pull.connect(device.second.bind('tcp://127.0.0.1:0'))
    void (async () => { for (;;) await push.send(Buffer.alloc(1000)) })()
    void (async () => { for await (const message of pull) begun(message) })()
    for (;;) await new nn.Device('bus').close()`,
  transports: `
    const net = require('node:net')
    nn.registerTransport('net', {
      connect: (address) => net.connect(Number(address.slice('net://'.length)), '127.0.0.1'),
      listen: (address, onConnection) => new Promise((resolve) => {
        const server = net.createServer(onConnection).listen(0, '127.0.0.1', () =>
          resolve({ address: 'net://' + server.address().port, close: () => server.close() }))
      }),
    })
    const pull = new nn.Pull(), push = new nn.Push()
    const endpoint = pull.bind('net://0')
    while (endpoint.address === 'net://0') await new Promise(setImmediate)
    push.connect(endpoint.address)
    void (async () => { for await (const message of pull) begun(message) })()
    for (;;) { await push.send(Buffer.alloc(10000)); push.connect(endpoint.address).close() }`,
  tls: `
    const pull = new nn.Pull({ tls: workerData.server }), push = new nn.Push({ tls: { ca: workerData.ca } })
    for (const scheme of ['tls+tcp', 'wss']) push.connect(pull.bind(scheme + '://127.0.0.1:0').address)
    void (async () => { for (;;) await push.send(Buffer.alloc(1 + Math.random() * 30000)) })()
    for await (const message of pull) begun(message)`,
  names: `
    const push = new nn.Push({ reconnectInterval: 1, reconnectIntervalMax: 1, linger: 0 })
    for (let i = 0; i < 20; i++) push.connect('tcp://localhost:1')
    setInterval(() => begun(push.connect('tcp://localhost:1').close()), 0)`,
  memory: `
    const c = require(workerData.dist + '/nn/index.js')
    const [a, b] = [c.nn_socket(c.AF_SP, c.NN_PAIR), c.nn_socket(c.AF_SP, c.NN_PAIR)]
    const at = name()
    c.nn_bind(a, at); c.nn_connect(b, at)
    for (;;) {
      await c.nn_send(a, c.nn_allocmsg(10000, 0), c.NN_MSG)
      const message = await c.nn_recv(b, c.NN_MSG)
      c.nn_freemsg(message)
      await c.nn_poll([{ fd: a, events: c.NN_POLLOUT }, { fd: b, events: c.NN_POLLIN }], 2, 0)
      c.nn_symbol_info(Math.floor(Math.random() * 99))
      begun(message)
    }`,
}

const text = (role) => `
  const { parentPort, threadId, workerData } = require('node:worker_threads')
  const nn = require(workerData.dist)
  const name = () => 'inproc://' + process.pid + '-' + threadId + '-' + Math.random()
  let left = 3
  const begun = () => { if (left > 0 && --left === 0) parentPort.postMessage('busy') }
  ;(async () => { ${role} })()`

const workerData = {
  dist,
  ca: process.env.NN_CA,
  server: { cert: process.env.NN_CERT, key: process.env.NN_KEY },
}

async function terminate(role) {
  const worker = new Worker(text(roles[role]), { eval: true, workerData })
  const ended = once(worker, 'exit')
  const first = await Promise.race([once(worker, 'message'), ended])
  if (first[0] !== 'busy') throw new Error(`the Worker that is ${role} has ended: ${first[0]}`)
  const until = performance.now() + Math.random() * 3
  while (performance.now() < until) await new Promise((resolve) => setImmediate(resolve))
  await worker.terminate()
  await ended
}

const usage = () => {
  globalThis.gc?.()
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    threads: readdirSync('/proc/self/task').length,
    heapKilobytes: heapInUse() / 1024,
    megabytes: Number(/VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024,
  }
}

;(async () => {
  const rounds = Number(process.argv[2])
  const chosen = process.argv.length > 3 ? process.argv.slice(3) : Object.keys(roles)
  let before
  for (let i = 0; i < rounds; i++) {
    // Memory that the first Workers have left is used again by later ones.
    if (i === Math.ceil(rounds / 4)) before = usage()
    await Promise.all(chosen.map(terminate))
    if (rounds > 100 && i % 50 === 0) console.error(i, usage())
  }
  const after = usage()
  console.log(JSON.stringify({
    terminated: rounds * chosen.length,
    descriptors: after.descriptors - before.descriptors,
    threads: after.threads - before.threads,
    measured: (rounds - Math.ceil(rounds / 4)) * chosen.length,
    heapKilobytes: after.heapKilobytes - before.heapKilobytes,
    megabytes: after.megabytes - before.megabytes,
  }))
})()
