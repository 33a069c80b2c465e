/** What a receiving side counts messages and times round trips with, and what checks their content. */
const WARM_UP_MS = 400
const WINDOW_MS = Number(process.env.NN_BENCH_WINDOW_MS ?? 1000)
/** How many messages pass between two looks at the clock, and between two that are compared in full. */
const STRIDE = 64

/** Throws when a message is not what was sent: its length and both ends always, each 64th in full. */
export function makeChecker(body) {
  let number = 0
  return (message) => {
    const isGood =
      message.length === body.length &&
      message[0] === body[0] &&
      message[message.length - 1] === body[body.length - 1] &&
      (number++ % STRIDE > 0 || (Buffer.isBuffer(message) && body.equals(message)))
    if (!isGood) throw new Error(`a message of ${message.length} bytes is not what was sent`)
  }
}

/** Counts messages in a window of time, once the conversation is warm. Of long messages few pass: the clock is looked
 * at more often. */
function throughputMeter(tell, bytes) {
  const stride = bytes >= 65_536 ? 4 : STRIDE
  let count = 0
  let nextLook = 0
  let opensAt
  let start
  const look = () => {
    const now = performance.now()
    opensAt ??= now + WARM_UP_MS
    nextLook = count + stride
    if (start === undefined) {
      if (now < opensAt) return
      start = now
      count = 0
      nextLook = stride
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

/** Notes how long each round trip took. Returns what makes one counter for each socket. */
function latencyMeter(tell) {
  const trips = []
  let opensAt
  let isOpen = false
  return () => {
    let before = 0
    return () => {
      const now = performance.now()
      opensAt ??= now + WARM_UP_MS
      if (isOpen) {
        if (before > 0) trips.push((now - before) * 1000)
        if (now >= opensAt + WINDOW_MS) finish(now)
      } else if (now >= opensAt) {
        isOpen = true
        tell({ window: 'opens' })
      }
      before = now
    }
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

/**
 * What a side tells of its messages: `message(buffer)` or `batch(buffers)` when some have arrived, `listensAt(address)`
 * when peers can connect.
 * `another()` is the meter of one more socket: each has round trips of its own.
 *
 * @param isChecked without it messages are only counted, as the yardstick always did
 */
export function makeMeter({ timesTrips, isChecked, body, tell }) {
  const throughput = throughputMeter(tell, body.length)
  const newCounter = timesTrips ? latencyMeter(tell) : () => throughput
  const check = makeChecker(body)
  const listensAt = (address) => tell({ listensAt: address })
  const another = () => {
    const count = newCounter()
    if (!isChecked) return { listensAt, another, message: () => count(1), batch: ({ length }) => count(length) }
    return {
      listensAt,
      another,
      message: (message) => {
        check(message)
        count(1)
      },
      batch: (messages) => {
        for (let i = 0; i < messages.length; i++) check(messages[i])
        count(messages.length)
      },
    }
  }
  return another()
}
