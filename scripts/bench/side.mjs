/** One side of a measurement, a process of its own: side.mjs <peer> <role> <address> <bytes> <count> <checked?> */
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { makeMeter } from './meters.mjs'

const [peerName, role, address, bytes, count, checked] = isMainThread ? process.argv.slice(2) : workerData
const startedAt = performance.now()
const peer = await import(`./peers/${peerName}.mjs`)
const body = Buffer.alloc(Number(bytes), 'nanomsg')

const tell = (message) => process.send(message)
const meterOf = (timesTrips) => makeMeter({ timesTrips, isChecked: checked === 'checked', body, tell })

/** What another process allows this one, announced by way of the process that started both. */
function gate() {
  let allowed = 0
  let wake
  process.on('message', ({ allow }) => {
    allowed += allow
    wake?.()
  })
  return {
    get isOpen() {
      return allowed > 0
    },
    async pass() {
      while (allowed === 0) {
        await new Promise((resolve) => {
          wake = resolve
        })
      }
      allowed--
    },
  }
}

/** So many messages are published before the next look whether all of earlier ones have been delivered. */
const BURST = 100
/** So many bursts may be under way: no peer has to drop one of them. */
const BURSTS_UNDER_WAY = 2
const PROBE = Buffer.from('p')

/** Publishes probes until every subscriber has one, then bursts. */
async function publish() {
  const open = gate()
  const send = await peer.pub(address, meterOf(false).listensAt)
  while (!open.isOpen) {
    await send(PROBE)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  while (true) {
    await open.pass()
    for (let i = 0; i < BURST; i++) await send(body)
  }
}

async function subscribe() {
  const meter = meterOf(false)
  const subscriberCount = Number(count)
  let greeted = 0
  let delivered = 0
  for (let i = 0; i < subscriberCount; i++) {
    let isGreeted = false
    void peer.sub(address, (message) => {
      if (message.length === PROBE.length) {
        if (isGreeted) return
        isGreeted = true
        if (++greeted === subscriberCount) tell({ allow: BURSTS_UNDER_WAY })
        return
      }
      meter.message(message)
      if (++delivered % (BURST * subscriberCount) === 0) tell({ allow: 1 })
    })
  }
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
function withWorker() {
  const meter = meterOf(false)
  const worker = new Worker(new URL(import.meta.url), {
    workerData: [peerName, 'push', address, bytes, count, checked],
  })
  worker.on('error', (error) => {
    throw error
  })
  void peer.pull(address, meter, worker)
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
  req: () => peer.req(address, body, meterOf(true)),
  rep: () => peer.rep(address, meterOf(true)),
  pub: publish,
  subs: subscribe,
  pushers: () => {
    for (let i = 0; i < Number(count); i++) void peer.push(address, body)
  },
  requests: () => peer.requests(address, body, Number(count), meterOf(false)),
  service: () => peer.service(address, meterOf(false)),
  'push-pull': () => inOneThread('pull', 'push'),
  'req-rep': () => inOneThread('rep', 'req'),
  'worker-push-pull': withWorker,
  'start-up': startUp,
}
await roles[role]()
