import { isUint8Array } from 'node:util/types'
import { lengthOf } from '../engine/detached.js'
import { native, shared } from '../engine/native.js'
import { onExit } from '../engine/reactor.js'
import { type Body, type Bytes, goneError } from './bytes.js'

/** A socket whose messages are gathered. */
export interface Sender {
  readonly s: number
  /** True from its first message of a tick until the tick ends, or until a peer takes no more. */
  isGathering: boolean
  /** Some of its messages are among those gathered. */
  isGathered: boolean
  /** The engine has refused messages that were gathered: it has no memory. */
  onRefused(count: number, errno: number): void
}

const { outgoing, records, gathered } = shared
const buffer = outgoing as Buffer
const RECORD_NUMBERS = 4
const RECORDS_LIMIT = records.length / RECORD_NUMBERS
const OUTGOING_BYTES = outgoing.length

/** Longer bodies are sent from where they are. */
export const MAX_GATHERED_BYTES = 8 * 1024

/** No tick ends any more: each message is sent at once. */
let isEnding = false
let usedBytes = 0
let count = 0
let senders: Sender[] = []
/** The senders of the records, each with its first one: there the engine answers for all of them. */
let firsts: { sender: Sender; first: number }[] = []

/** @param room what roomForBytes() has said: the length, unless it is a string */
function placeAt(bytes: Bytes, offset: number, room: number): number {
  if (typeof bytes === 'string') return buffer.write(bytes, offset)
  try {
    outgoing.set(bytes, offset)
  } catch {
    // It was there when the call began, which has waited since.
    throw goneError('body', 'send')
  }
  return room
}

/** Copies a body, for which roomFor() has just been asked, into the memory that the engine sends from. Returns its
 * length. */
function placeBody(body: Body, offset: number, room: number): number {
  if (typeof body === 'string' || isUint8Array(body)) return placeAt(body, offset, room)
  let length = 0
  for (const part of body) length += placeAt(part, offset + length, roomForBytes(part))
  return length
}

const roomForBytes = (bytes: Bytes): number => (typeof bytes === 'string' ? bytes.length * 3 : lengthOf(bytes))

/** An upper limit of the bytes that a body takes. */
export function roomFor(body: Body): number {
  if (typeof body === 'string' || isUint8Array(body)) return roomForBytes(body)
  let room = 0
  for (const part of body) room += roomForBytes(part)
  return room
}

function makeRoom(bytes: number): void {
  if (usedBytes + bytes > OUTGOING_BYTES || count === RECORDS_LIMIT) flush()
}

/** Sends one body now, or not at all. Returns 0 or a negated errno. */
export function sendNow(s: number, body: Body, context: number): number {
  const room = roomFor(body)
  makeRoom(room)
  const length = placeBody(body, usedBytes, room)
  return native.send(s, usedBytes, length, context)
}

/** From now until the end of the tick the sender's messages are gathered. */
export function beginGathering(sender: Sender): void {
  if (isEnding) return
  sender.isGathering = true
  if (senders.length === 0) process.nextTick(endTick)
  senders.push(sender)
}

/** Adds a message of a sender that is gathering. Returns false when a peer takes no more: the message is not sent. */
export function gather(sender: Sender, body: Body, context: number): boolean {
  const room = roomFor(body)
  makeRoom(room)
  if (!sender.isGathering) return false
  addRecord(sender, placeBody(body, usedBytes, room), context)
  return true
}

function addRecord(sender: Sender, length: number, context: number): void {
  if (!sender.isGathered) {
    sender.isGathered = true
    firsts.push({ sender, first: count })
  }
  writeRecord(count, sender.s, usedBytes, length, context)
  // What a Worker has accepted when it is terminated is sent by the binding, by this number.
  gathered[0] = ++count
  usedBytes += length
}

function writeRecord(number: number, s: number, offset: number, length: number, context: number): void {
  const record = RECORD_NUMBERS * number
  records[record] = s
  records[record + 1] = offset
  records[record + 2] = length
  records[record + 3] = context
}

/** As placeBody; a body that has lost its memory is an error for the first of a batch, and -1 for others: those before
 * it are sent. */
function placeUnlessGone(body: Body, offset: number, room: number, isFirst: boolean): number {
  try {
    return placeBody(body, offset, room)
  } catch (error) {
    if (isFirst) throw error
    return -1
  }
}

/** Sends short bodies from the one at `begin` on, as many as there is room for, if a peer takes the first of them now.
 * Returns how many were taken, or a negated errno. */
export function sendTogether(s: number, bodies: readonly Body[], begin: number): number {
  makeRoom(MAX_GATHERED_BYTES)
  let number = count
  let offset = usedBytes
  for (let i = begin; i < bodies.length && number < RECORDS_LIMIT; i++) {
    const body = bodies[i]!
    const room = roomFor(body)
    if (room > MAX_GATHERED_BYTES || offset + room > OUTGOING_BYTES) break
    const length = placeUnlessGone(body, offset, room, number === count)
    if (length < 0) break
    writeRecord(number++, s, offset, length, 0)
    offset += length
  }
  return native.sendTogether(s, count, number - count)
}

/** The same as gather() for bytes of a sender that is gathering, as long as there is room for them. Returns false when
 * that is not so, with nothing done. */
export function gatherBytes(sender: Sender, bytes: Uint8Array): boolean {
  const length = lengthOf(bytes)
  // Where memory was transferred, there is no length, either.
  if (length === 0 || length > MAX_GATHERED_BYTES) return false
  if (usedBytes + length > OUTGOING_BYTES || count === RECORDS_LIMIT) return false
  outgoing.set(bytes, usedBytes)
  addRecord(sender, length, 0)
  return true
}

/** Hands over what is gathered. */
export function flush(): void {
  if (count === 0) return
  const flushed = firsts
  gathered[0] = 0
  native.flush(count)
  firsts = []
  count = 0
  usedBytes = 0
  for (const { sender, first } of flushed) {
    sender.isGathered = false
    const record = RECORD_NUMBERS * first
    if (records[record]! >= 0) continue
    sender.isGathering = false
    const refused = records[record + 1]!
    if (refused > 0) sender.onRefused(refused, records[record + 2]!)
  }
}

function endTick(): void {
  flush()
  for (const sender of senders) sender.isGathering = false
  senders = []
}

// What was accepted before process.exit() is sent, too. The main thread ends without the hooks of the binding.
onExit(() => {
  isEnding = true
  endTick()
})
