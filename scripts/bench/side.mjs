/** One side of a measurement, a process of its own: side.mjs <peer> <role> <address> <bytes> <count> <checked?> */
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { makeMeter } from './meters.mjs'
import { publish, publishTopics, subscribe, subscribeTopics } from './publishing.mjs'

const [peerName, role, address, bytes, count, checked] = isMainThread ? process.argv.slice(2) : workerData
const startedAt = performance.now()
const peer = await import(`./peers/${peerName}.mjs`)
const body = Buffer.alloc(Number(bytes), 'nanomsg')

const tell = (message) => process.send(message)
const meterOf = (timesTrips) => makeMeter({ timesTrips, isChecked: checked === 'checked', body, tell })

/** What another process allows this one, by way of the process that started both. */
const onAllowed = (hear) => process.on('message', ({ allow }) => hear(allow))
const allow = (bursts) => tell({ allow: bursts })

const times = (number, start) => {
  for (let i = 0; i < Number(number); i++) void start()
}

/** Both sides in one thread. */
async function inOneThread(binding, connecting) {
  let resolveBound
  const bound = new Promise((resolve) => {
    resolveBound = resolve
  })
  const meter = meterOf(binding === 'rep')
  const { listensAt } = meter
  meter.listensAt = (at) => {
    listensAt(at)
    resolveBound(at)
  }
  void peer[binding](address, meter)
  const at = await bound
  void peer[connecting](at, body, meter)
}

/** The connecting side in a thread of its own. */
function besideWorker(itsRole) {
  const worker = new Worker(new URL(import.meta.url), {
    workerData: [peerName, itsRole, address, bytes, count, checked],
  })
  worker.on('error', (error) => {
    throw error
  })
  return worker
}

/** From loading the package to the first message, both sides in this process. */
async function startUp() {
  let resolveBound
  const bound = new Promise((resolve) => {
    resolveBound = resolve
  })
  const onFirst = (message) => {
    if (!body.equals(message)) throw new Error('the first message is not what was sent')
    tell({ startUpMs: performance.now() - startedAt })
  }
  void peer.pull(address, { listensAt: resolveBound, message: onFirst, batch: ([message]) => onFirst(message) })
  await peer.once(await bound, body)
}

const roles = {
  push: () => peer.push(address, body),
  pull: () => peer.pull(address, meterOf(false)),
  req: () => {
    const meter = meterOf(true)
    times(count, () => peer.req(address, body, meter.another()))
  },
  rep: () => peer.rep(address, meterOf(true)),
  pub: () => publish(peer, address, body, meterOf(false).listensAt, onAllowed),
  subs: () => subscribe(peer, address, Number(count), meterOf(false), allow),
  topics: () => publishTopics(peer, address, body, Number(count), meterOf(false).listensAt, onAllowed),
  subscriptions: () => subscribeTopics(peer, address, Number(count), meterOf(false), allow),
  pushers: () => times(count, () => peer.push(address, body)),
  accept: () => (peer.accept ?? peer.pull)(address, meterOf(false)),
  requests: () => peer.requests(address, body, Number(count), meterOf(false)),
  service: () => peer.service(address, meterOf(false)),
  'push-pull': () => inOneThread('pull', 'push'),
  'req-rep': () => inOneThread('rep', 'req'),
  'throw-back': () => peer.throwsBack(address, body),
  'worker-push-pull': () => peer.pull(address, meterOf(false), besideWorker('push')),
  'worker-to-and-fro': () => peer.throws(address, body, meterOf(false), besideWorker('throw-back')),
  'start-up': startUp,
}
await roles[role]()
