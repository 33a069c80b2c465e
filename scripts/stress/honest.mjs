/** Honest clients, a process of their own: they ask at a steady pace, and note how long answers take. */
import { randomBytes } from 'node:crypto'
import { Push, Req } from 'nanomsg-native'
import { answerWith } from './children.mjs'
import { bodyOf, TRANSPORTS } from './transports.mjs'

const CLIENTS = 8
const ASK_EVERY_MS = 2
const JOIN_EVERY_MS = 50
/** Longer than anything that may happen: a request without an answer is a failure. */
const TIMEOUT_MS = 20_000

const clients = []
const senders = []
let connectOne

const optionsFor = (transport, credentials) => (TRANSPORTS[transport].isTls ? { tls: { ca: credentials.cert } } : {})

function share(numbers, part) {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]
}

async function ask(client) {
  const question = randomBytes(64)
  const start = performance.now()
  const answer = await client.request(question, { timeout: TIMEOUT_MS })
  if (!question.equals(answer)) throw new Error('an answer is not what was asked')
  return performance.now() - start
}

/** A client that was not there before: until it has its first answer. */
async function join() {
  const start = performance.now()
  const client = connectOne()
  await ask(client)
  const took = performance.now() - start
  await client.close()
  return took
}

async function every(intervalMs, durationMs, act) {
  const running = []
  const end = performance.now() + durationMs
  await new Promise((resolve) => {
    const timer = setInterval(() => {
      running.push(act(running.length))
      if (performance.now() < end) return
      clearInterval(timer)
      resolve()
    }, intervalMs)
  })
  return Promise.all(running)
}

answerWith({
  async connect(transport, address, credentials) {
    const options = { ...optionsFor(transport, credentials), reconnectInterval: 10 }
    connectOne = () => {
      const client = new Req(options)
      client.connect(address)
      return client
    }
    for (let i = 0; i < CLIENTS; i++) clients.push(connectOne())
    for (let i = 0; i < 20; i++) await Promise.all(clients.map(ask))
  },

  /** Asks for a while. What is returned is in milliseconds. */
  async ask(durationMs) {
    const joining = every(JOIN_EVERY_MS, durationMs, join)
    const trips = await every(ASK_EVERY_MS, durationMs, (number) => ask(clients[number % CLIENTS]))
    const joins = await joining
    return { p50: share(trips, 0.5), p99: share(trips, 0.99), most: Math.max(...trips), join: Math.max(...joins) }
  },

  /** As many clients connect, and each has a message for the server. */
  async prepareSenders(transport, address, credentials, count, bytes) {
    const options = { ...optionsFor(transport, credentials), reconnectInterval: 20, linger: -1 }
    const bodies = Array.from({ length: count }, (_, number) => bodyOf(number, bytes))
    await Promise.all(
      bodies.map((body) => {
        const push = new Push(options)
        push.connect(address)
        senders.push({ push, body })
        return push.ready({ timeout: TIMEOUT_MS })
      }),
    )
  },

  /** They send, all at once. Returns when everything was delivered. */
  async sendAtOnce() {
    await Promise.all(senders.map(({ push, body }) => push.send(body)))
    await Promise.all(senders.map(({ push }) => push.close()))
  },
})
