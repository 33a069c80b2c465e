import { offProcessExit, onProcessExit } from './exit-listener.js'
import { native, onEvents, shared } from './native.js'

/** A socket, as the event loop sees it. */
export interface Listener {
  onEvents(events: number): void
}

const listeners = new Map<number, Listener>()
let lastId = 0

/** @returns the id by which the engine names the socket */
export function register(listener: Listener): number {
  do {
    lastId = (lastId % 0x7fffffff) + 1
  } while (listeners.has(lastId))
  listeners.set(lastId, listener)
  if (listeners.size === 1) setListening(true)
  return lastId
}

export function unregister(id: number): void {
  if (listeners.delete(id) && listeners.size === 0) setListening(false)
}

let atExit = () => {}

/** What is to be done when the process exits while a socket is open. */
export function onExit(leave: () => void): void {
  atExit = leave
}

function setListening(isListening: boolean): void {
  native.setListening(isListening)
  if (isListening) onProcessExit(atExit)
  else offProcessExit(atExit)
}

onEvents((count) => {
  beginTurn()
  const { events } = shared
  // The array is filled anew if a listener should make the loop run again.
  const taken = count === 1 ? undefined : events.slice(0, 2 * count)
  if (taken === undefined) {
    listeners.get(events[0]!)?.onEvents(events[1]!)
    return
  }
  for (let i = 0; i < taken.length; i += 2) listeners.get(taken[i]!)?.onEvents(taken[i + 1]!)
})

// ---- Keeping the process alive ----

let holds = 0
let isReferenced = false

/** As long as something is held, the process does not end. */
export function hold(): void {
  holds++
  if (isReferenced) return
  isReferenced = true
  native.setReferenced(true)
}

export function unhold(): void {
  holds--
  if (holds > 0 || isLetGoScheduled) return
  // Requests and replies hold and release for every message: the event loop is released when none follows.
  isLetGoScheduled = true
  setImmediate(letGo)
}

let isLetGoScheduled = false

function letGo(): void {
  isLetGoScheduled = false
  if (holds > 0) return
  isReferenced = false
  native.setReferenced(false)
}

// ---- Fairness to the rest of the program ----

/** The limits of one turn of the event loop, after which timers, other sockets and other peers get theirs: in messages,
 * in milliseconds, as handlers may take long, and in bytes, as requests are answered after all of them were taken. */
const WORK_LIMIT = 8192
const TURN_MS = 1
const SENDING_MS = 20
const TURN_BYTES = 256 * 1024
/** The messages between two looks at the clock: a few of them need not know the time. */
const MESSAGES_PER_LOOK = 16

let work = 0
let workBytes = 0
let sentWork = 0
let nextSentLook = MESSAGES_PER_LOOK
let sendingEnd = 0
let nextLook = MESSAGES_PER_LOOK
let turnEnd = 0
let resumptions: (() => void)[] = []

/** Counts messages of this turn. Returns true when it is time to let the event loop turn.
 *
 *  @param bytes of requests and replies */
export function isTurnOver(messages: number, bytes = 0): boolean {
  work += messages
  workBytes += bytes
  if (work >= nextLook) lookAtClock()
  return work > WORK_LIMIT || workBytes >= TURN_BYTES
}

/** The same for messages that are sent. Their limit of time is longer: sockets that send in one turn write once each,
 * so that turns cut short cost more than they save. */
export function isSendingOver(messages: number): boolean {
  sentWork += messages
  if (sentWork >= nextSentLook) lookAtClockOfSending()
  return sentWork > WORK_LIMIT
}

function lookAtClockOfSending(): void {
  const now = performance.now()
  if (nextSentLook === MESSAGES_PER_LOOK) sendingEnd = now + SENDING_MS
  nextSentLook = sentWork + MESSAGES_PER_LOOK
  if (now >= sendingEnd) sentWork += WORK_LIMIT
}

/** Ends the turn, if it was long enough: as if the limit of messages was reached. */
function lookAtClock(): void {
  const now = performance.now()
  if (nextLook === MESSAGES_PER_LOOK) turnEnd = now + TURN_MS
  nextLook = work + MESSAGES_PER_LOOK
  if (now >= turnEnd) work += WORK_LIMIT
}

function beginTurn(): void {
  work = 0
  workBytes = 0
  sentWork = 0
  nextSentLook = MESSAGES_PER_LOOK
  nextLook = MESSAGES_PER_LOOK
}

/** Calls back when the event loop has turned. */
export function nextTurn(resume: () => void): void {
  if (resumptions.length === 0) setImmediate(startTurn)
  resumptions.push(resume)
}

function startTurn(): void {
  const due = resumptions
  resumptions = []
  beginTurn()
  for (const resume of due) resume()
}
