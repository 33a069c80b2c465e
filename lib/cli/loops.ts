import { setImmediate, setTimeout } from 'node:timers/promises'
import type { Settings } from './options.js'
import { type CatSocket, receive, receiveIfAny, send } from './sockets.js'

export type Body = Uint8Array | string

/** What a loop works with: a socket that is bound and connected, what it is to send, and where output goes. */
export interface LoopContext {
  readonly socket: CatSocket
  readonly settings: Settings
  /** Lines of stdin, when these are sent. */
  readonly lines: AsyncIterable<Uint8Array> | undefined
  /** Aborted when the program has to end. */
  readonly signal: AbortSignal
  print(message: Uint8Array): Promise<void>
  warn(text: string): void
}

/** What goes on after binding and connecting; settles when there is nothing more to do. */
export type Loop = (context: LoopContext) => Promise<void>

/** Waits at least until the event loop has turned: signals and peers get their chance in a busy loop too. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (milliseconds > 0) await setTimeout(milliseconds, undefined, { signal })
  else await setImmediate(undefined, { signal })
}

// ---- What is sent, and when ----

/** The first `limit` of what there is. */
async function* first<Item>(items: AsyncIterable<Item>, limit: number): AsyncGenerator<Item, void> {
  let left = limit
  for await (const item of items) {
    yield item
    if (--left === 0) return
  }
}

async function* repeat(body: Body, times: number): AsyncGenerator<Body, void> {
  for (let left = times; left > 0; left--) yield body
}

/** Each body when it is time for it: with an interval, that time after the one before. */
async function* inTime({ settings, lines, signal }: LoopContext, times: number): AsyncGenerator<Body, void> {
  const { interval, body } = settings
  let due: number | undefined
  for await (const next of lines === undefined ? repeat(body ?? '', times) : first(lines, times)) {
    if (interval !== undefined) {
      if (due !== undefined) await pause(due - performance.now(), signal)
      due = performance.now() + interval
    }
    yield next
  }
}

/** How often sockets send that do not wait for a message first. */
const timesToSend = ({ count, interval, lines }: Settings) => count ?? (interval === undefined && !lines ? 1 : Infinity)

async function sendAll(context: LoopContext): Promise<void> {
  const { socket, settings, warn } = context
  for await (const body of inTime(context, timesToSend(settings))) await send(socket, body, warn)
}

// ---- Receiving ----

/** Receives messages until none comes in time, at most `limit`. Returns their number. */
async function receiveAtMost(limit: number, { socket, print }: LoopContext): Promise<number> {
  let received = 0
  while (received < limit) {
    const message = await receiveIfAny(socket)
    if (message === undefined) break
    await print(message)
    received++
  }
  return received
}

async function receiveAll(context: LoopContext): Promise<void> {
  await receiveAtMost(context.settings.count ?? Infinity, context)
}

/** Until when answers are waited for; undefined without an interval. */
const deadlineOf = ({ interval }: Settings) => (interval === undefined ? undefined : performance.now() + interval)

/** As receiveAtMost(), until the deadline if there is one. */
async function receiveUntil(deadline: number | undefined, limit: number, context: LoopContext): Promise<number> {
  const { socket, settings, print } = context
  if (deadline === undefined) return await receiveAtMost(limit, context)
  const timeout = settings.receiveTimeout ?? Infinity
  let received = 0
  for (let left = deadline - performance.now(); left > 0 && received < limit; left = deadline - performance.now()) {
    const message = await receiveIfAny(socket, Math.ceil(Math.min(left, timeout)))
    if (message === undefined) break
    await print(message)
    received++
  }
  return received
}

// ---- Both ----

/** Asks and prints the answers; with an interval, asks again when it is over. */
async function ask(context: LoopContext): Promise<void> {
  const { socket, settings, warn } = context
  for await (const body of inTime(context, timesToSend(settings))) {
    const deadline = deadlineOf(settings)
    await send(socket, body, warn)
    await receiveUntil(deadline, Infinity, context)
  }
}

/** Says its own, and prints what the others say meanwhile and after it. */
async function talk(context: LoopContext): Promise<void> {
  const { socket, settings, lines, warn } = context
  let left = settings.count ?? Infinity
  if (lines !== undefined) return await sendWhileReceiving(left, context)
  for await (const body of inTime(context, settings.interval === undefined ? 1 : Infinity)) {
    const deadline = deadlineOf(settings)
    await send(socket, body, warn)
    left -= await receiveUntil(deadline, left, context)
    if (left === 0) return
  }
}

/** Ends when enough has come; or else when everything is sent, and no more comes. */
async function sendWhileReceiving(limit: number, context: LoopContext): Promise<void> {
  const sending = sendAll({ ...context, settings: { ...context.settings, count: undefined } })
  const receiving = receiveAtMost(limit, context).then((received) => (received < limit ? sending : undefined))
  await Promise.race([receiving, sending.then(() => receiving)])
}

async function answer({ socket, settings, lines, print, warn }: LoopContext): Promise<void> {
  const answers = (lines ?? repeat(settings.body ?? '', Infinity))[Symbol.asyncIterator]()
  for (let left = settings.count ?? Infinity; left > 0; left--) {
    await print(await receive(socket))
    const { value, done } = await answers.next()
    if (done) return
    await send(socket, value, warn)
  }
}

export function loopOf({ socketType, body, lines }: Settings): Loop {
  const hasSomethingToSay = body !== undefined || lines
  switch (socketType) {
    case 'push':
    case 'pub':
      return sendAll
    case 'req':
    case 'surveyor':
      return ask
    case 'pair':
    case 'bus':
      return hasSomethingToSay ? talk : receiveAll
    case 'rep':
    case 'respondent':
      return hasSomethingToSay ? answer : receiveAll
    default:
      return receiveAll
  }
}
