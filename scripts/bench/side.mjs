/** One side of a measurement, a process of its own: side.mjs <peer> <push|pull|req|rep> <address> <bytes> */
const [peerName, role, address, bytes] = process.argv.slice(2)
const peer = await import(`./peers/${peerName}.mjs`)
const body = Buffer.alloc(Number(bytes), 'nanomsg')

const WARM_UP_MS = 400
const WINDOW_MS = Number(process.env.NN_BENCH_WINDOW_MS ?? 1000)
/** So many messages pass between two looks at the clock. */
const STRIDE = 64

const tell = (message) => process.send(message)

/** Counts messages in a window of time, once the conversation is warm. */
function throughputMeter() {
  let count = 0
  let nextLook = 0
  let opensAt
  let start
  const look = () => {
    const now = performance.now()
    opensAt ??= now + WARM_UP_MS
    nextLook = count + STRIDE
    if (start === undefined) {
      if (now < opensAt) return
      start = now
      count = 0
      nextLook = STRIDE
      tell({ window: 'opens' })
    } else if (now >= start + WINDOW_MS) {
      tell({ window: 'closed', messagesPerSecond: (count * 1000) / (now - start), messages: count })
      nextLook = Number.POSITIVE_INFINITY
    }
  }
  return (messages) => {
    count += messages
    if (count >= nextLook) look()
  }
}

/** Notes how long each round trip took. */
function latencyMeter() {
  const trips = []
  let opensAt
  let before = 0
  let isOpen = false
  return () => {
    const now = performance.now()
    opensAt ??= now + WARM_UP_MS
    if (isOpen) {
      trips.push((now - before) * 1000)
      if (now >= opensAt + WINDOW_MS) finish(now)
    } else if (now >= opensAt) {
      isOpen = true
      tell({ window: 'opens' })
    }
    before = now
  }
  function finish(now) {
    trips.sort((a, b) => a - b)
    const at = (share) => trips[Math.floor((trips.length - 1) * share)]
    tell({
      window: 'closed',
      messagesPerSecond: (trips.length * 1000) / (now - opensAt),
      messages: trips.length,
      p50us: at(0.5),
      p99us: at(0.99),
    })
    isOpen = false
    opensAt = Number.POSITIVE_INFINITY
  }
}

const meter = role === 'req' ? latencyMeter() : throughputMeter()
meter.listensAt = (at) => tell({ listensAt: at })

if (role === 'push' || role === 'req') await peer[role](address, body, meter)
else await peer[role](address, meter)
