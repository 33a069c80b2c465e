/** Conversations of all patterns, which go on until they are told to stop. */
import { setTimeout } from 'node:timers/promises'
import { Bus, Pair, Pub, Pull, Push, Rep, Req, Respondent, Sub, Surveyor } from 'nanomsg-native'
import { makeBody, numberOf } from './bodies.mjs'

const BURST = 16
const PAUSE_MS = 20
const TIMEOUT_MS = 60_000

/** What has come, and what of it was wrong. */
export const counts = { messages: 0, bytes: 0, wrong: 0 }

function wrong(what) {
  counts.wrong++
  console.log(`wrong: ${what}`)
}

/** Tells why connections end while they talk: what was on its way is lost then, which is not a wrong message. */
function tellEnds(where, sockets) {
  for (const socket of sockets) {
    for (const type of ['disconnect', 'reject']) {
      socket.on(type, ({ reason, error }) => {
        if (reason !== 'closed' && reason !== 'left') console.log(`${type} of ${where}: ${error?.message}`)
      })
    }
  }
}

/** Counts a body, and compares it with what must come: its number, or any above the last one. */
function check(where, body, isRight) {
  counts.messages++
  counts.bytes += body.length
  const number = numberOf(body)
  if (number === undefined) wrong(`${where}: ${body.length} bytes are not what was sent`)
  else if (!isRight(number)) wrong(`${where}: number ${number} is not the one to come`)
  return number
}

async function bursts(signal, act) {
  for (let number = 0; !signal.aborted; await setTimeout(PAUSE_MS)) {
    for (let i = 0; i < BURST && !signal.aborted; i++) await act(number++)
  }
}

/** Receives until the socket is closed. Numbers come in order, and where nothing may be lost, one after the other. */
async function listen(where, socket, mayMiss) {
  let last = -1
  for await (const body of socket) {
    last =
      check(`${where}, after ${last}`, body, (number) => (mayMiss ? number > last : number === last + 1)) ?? last + 1
  }
}

async function inOneDirection({ where, bind, options, signal }, from, to, mayMiss) {
  const [sender, receiver] = [new from(options.bound), new to(options.connected)]
  if (receiver instanceof Sub) receiver.subscribe('')
  tellEnds(where, [sender, receiver])
  receiver.connect(sender.bind(bind).address)
  await sender.ready({ timeout: TIMEOUT_MS })
  const listening = listen(where, receiver, mayMiss)
  await bursts(signal, (number) => sender.send(makeBody(number)))
  await sender.close()
  await receiver.close()
  await listening
}

const pipeline = (place) => inOneDirection(place, Push, Pull, false)
const publishing = (place) => inOneDirection(place, Pub, Sub, true)
const bus = (place) => inOneDirection(place, Bus, Bus, true)

async function pair({ where, bind, options, signal }) {
  const [left, right] = [new Pair(options.bound), new Pair(options.connected)]
  right.connect(left.bind(bind).address)
  const returning = (async () => {
    for await (const body of right) await right.send(body)
  })()
  await bursts(signal, async (number) => {
    await left.send(makeBody(number))
    check(where, await left.receive({ timeout: TIMEOUT_MS }), (returned) => returned === number)
  })
  await Promise.all([left.close(), right.close()])
  await returning.catch(() => {})
}

/** Requests, of a client that stays and of others that come, ask and go. */
async function requests({ where, bind, options, signal }) {
  const rep = new Rep(options.bound)
  const { address } = rep.bind(bind)
  void rep.serve((body) => body)
  const connect = () => {
    const req = new Req(options.connected)
    req.connect(address)
    return req
  }
  const ask = async (req, number) => {
    check(where, await req.request(makeBody(number), { timeout: TIMEOUT_MS }), (answered) => answered === number)
  }
  const [first, second] = [connect(), connect()]
  await bursts(signal, async (number) => {
    await Promise.all([ask(first, number), ask(second, number)])
    if (number % BURST !== 0) return
    const guest = connect()
    await ask(guest, number)
    await guest.close()
  })
  await Promise.all([first, second, rep].map((socket) => socket.close()))
}

async function surveys({ where, bind, options, signal }) {
  const [surveyor, respondent] = [new Surveyor(options.bound), new Respondent(options.connected)]
  respondent.connect(surveyor.bind(bind).address)
  void respondent.serve((body) => body)
  await surveyor.ready({ timeout: TIMEOUT_MS })
  await bursts(signal, async (number) => {
    for await (const answer of surveyor.survey(makeBody(number), { deadline: TIMEOUT_MS })) {
      check(where, answer, (answered) => answered === number)
      break
    }
  })
  await Promise.all([surveyor.close(), respondent.close()])
}

const patterns = { pipeline, publishing, bus, pair, requests, surveys }

/**
 * Starts all patterns over all transports. Resolves when all have ended.
 *
 * @param transports names, what to bind for a pattern, and options of both sides
 */
export function converse(transports, signal) {
  return Promise.all(
    Object.entries(transports).flatMap(([transport, { addressOf, options }]) =>
      Object.entries(patterns).map(([pattern, talk]) =>
        talk({ where: `${pattern} over ${transport}`, bind: addressOf(pattern), options, signal }),
      ),
    ),
  )
}
