/**
 * Random calls from several Workers, some of which are terminated in the middle: schedules.cjs SEED OPERATIONS. All
 * Workers use the same addresses, so that they talk to each other. Prints a line of JSON: how many calls there were,
 * and by how much descriptors and threads of the process have grown. A Worker that makes no progress, a body that was
 * mixed up and an error that is no NanomsgError end it with a message that says the seed.
 */
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads')
const { mkdtempSync, readdirSync, rmSync } = require('node:fs')
const { createServer } = require('node:net')
const { once } = require('node:events')
const path = require('node:path')

const WORKERS = 4
const REPORT_EVERY = 50
const STALL_MS = 60_000

/** Numbers below a limit, the same ones for the same seed (mulberry32). */
function drawing(seed) {
  let state = seed >>> 0
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }
}

// ---- A Worker ----

/** Each byte follows from the last one and from the distance to it. */
const pattern = (length, last) => Buffer.from(Array.from({ length }, (_, at) => last + 7 * (length - 1 - at)))

function isWhole(body) {
  return body.every((byte, at) => byte === ((body.at(-1) + 7 * (body.length - 1 - at)) & 255))
}

function makeActions(nn, draw) {
  const types = ['Pair', 'Pub', 'Sub', 'Req', 'Rep', 'Push', 'Pull', 'Surveyor', 'Respondent', 'Bus']
  const lengths = [0, 1, 100, 3000, 40_000]
  const sockets = []
  const pick = () => sockets[draw(sockets.length)]
  const address = () => workerData.addresses[draw(workerData.addresses.length)]
  const body = () => pattern(lengths[draw(lengths.length)], draw(256))
  const check = (message) => {
    const bytes = message.body ?? message
    if (Buffer.isBuffer(bytes) && !isWhole(bytes)) throw new Error(`a body of ${bytes.length} bytes was mixed up`)
  }
  const open = () => {
    const socket = new nn[types[draw(types.length)]]({ linger: draw(30), reconnectInterval: 1 + draw(20) })
    socket.sendTimeout = 1 + draw(30)
    socket.receiveTimeout = 1 + draw(30)
    socket.subscribe?.('')
    sockets.push(socket)
    if (sockets.length > 12) return sockets.shift().close()
  }
  const actions = [
    open,
    () => pick().bind(address()),
    () => pick().connect(address()),
    () => pick().connect(address()).close(),
    () => pick().send?.(body()),
    () => pick().trySend?.(body()),
    () => pick().sendBatch?.([body(), body(), body()]),
    async () => check((await pick().receive?.()) ?? ''),
    () => check(pick().tryReceive?.() ?? ''),
    async () => check((await pick().request?.(body(), { timeout: 30 })) ?? ''),
    () => pick().stats(),
    () => sockets.length > 4 && sockets.splice(draw(sockets.length), 1)[0].close(),
  ]
  return { open, actions }
}

async function work() {
  const nn = require(workerData.dist)
  const draw = drawing(workerData.seed)
  const { open, actions } = makeActions(nn, draw)
  await open()
  for (let count = 1; ; count++) {
    try {
      await actions[draw(actions.length)]()
    } catch (error) {
      if (!(error instanceof nn.NanomsgError)) throw error
    }
    if (count % REPORT_EVERY === 0) {
      parentPort.postMessage(count)
      await new Promise(setImmediate)
    }
  }
}

// ---- The main thread ----

function fail(seed, text) {
  console.error(`seed ${seed}: ${text}`)
  process.exit(1)
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

async function makeAddresses(folder) {
  const [tcp, other, ws] = [await freePort(), await freePort(), await freePort()]
  return [
    'inproc://a',
    'inproc://b',
    `ipc://${folder}/a`,
    `ipc://${folder}/b`,
    `tcp://127.0.0.1:${tcp}`,
    `tcp://127.0.0.1:${other}`,
    `ws://127.0.0.1:${ws}/a`,
    `ws://127.0.0.1:${ws}/b`,
  ]
}

/** Starts a Worker, and terminates it after some of its reports. Returns how many calls it has made. */
async function oneWorker(data, draw) {
  const worker = new Worker(__filename, { workerData: data })
  let left = 1 + draw(20)
  let stall
  const watch = () => {
    clearTimeout(stall)
    stall = setTimeout(() => fail(data.seed, 'a Worker makes no progress'), STALL_MS)
  }
  watch()
  worker.on('error', (error) => fail(data.seed, error.stack ?? String(error)))
  const ended = once(worker, 'exit')
  let count = 0
  worker.on('message', (calls) => {
    count = calls
    watch()
    if (--left === 0) void worker.terminate()
  })
  await ended
  clearTimeout(stall)
  return count
}

const usage = () => ['/proc/self/fd', '/proc/self/task'].map((folder) => readdirSync(folder).length)

async function main(seed, operations) {
  const dist = process.env.NN ?? path.join(__dirname, '..', '..', 'dist')
  const folder = mkdtempSync('/tmp/nn-schedules-')
  const draw = drawing(seed)
  const addresses = await makeAddresses(folder)
  let calls = 0
  let next = seed
  const keepOne = async () => {
    do calls += await oneWorker({ dist, addresses, seed: next++ }, draw)
    while (calls < operations)
  }
  await oneWorker({ dist, addresses, seed: next++ }, draw) // what the first one leaves open is kept
  const before = usage()
  await Promise.all(Array.from({ length: WORKERS }, keepOne))
  const [descriptors, threads] = usage().map((count, at) => count - before[at])
  console.log(JSON.stringify({ calls, descriptors, threads }))
  rmSync(folder, { recursive: true })
}

if (isMainThread) void main(Number(process.argv[2]), Number(process.argv[3]))
else void work()
