import { constants } from 'node:os'
import { IN_BODIES, SHARED_IN_BODIES } from '../engine/binding.js'
import { errnoError } from '../engine/errors.js'
import { native, shared } from '../engine/native.js'
import { bodyAt, emptyBody, noteCopied, ownCopyOf, rescued, setSlabReader } from '../engine/slabs.js'

const { received, bodies, slabPins } = shared

setSlabReader((token, offset, length) => {
  const copy = native.slabBytes(token, offset, length)
  if (copy === undefined) throw errnoError(constants.errno.ENOMEM, 'receive')
  return copy
})

/** Whether a message was lost, and not the socket: those behind it can still be received. */
export const isMessageLost = (errno: number): boolean =>
  errno === constants.errno.EMSGSIZE || errno === constants.errno.ENOMEM

const isInSlab = (token: number): boolean => token >= 0

/** The message that the engine has placed there. */
export function viewAt(index: number): Buffer {
  const token = received[3 * index]!
  if (isInSlab(token)) return bodyAt(token, received[3 * index + 1]!, received[3 * index + 2]!)
  if (token !== IN_BODIES && token !== SHARED_IN_BODIES) return emptyBody()
  const body = bodies[index]!
  bodies[index] = undefined
  return token === IN_BODIES ? body : noteCopied(body)
}

/** The first `count` messages that the engine has placed. */
export function viewsOf(count: number): Buffer[] {
  const views = new Array<Buffer>(count)
  for (let i = 0; i < count; i++) views[i] = viewAt(i)
  return views
}

/** The number of messages that have room at first. */
const FIRST_ROOM = 16

/** Slabs beyond the pins cannot be kept. */
const isKept = (token: number): boolean => isInSlab(token) && token < slabPins.length

/**
 * Messages that were taken from the engine and were not received yet. The receiver of an earlier one may give its
 * memory, which is that of others too, to a byte stream: their slabs are kept until the messages are received, so that
 * those whose view has lost its bytes can be copied.
 */
export class Placed {
  #messages: Buffer[] = []
  #head = 0
  /** Triples, as in `received`, of #messages. */
  #where = new Int32Array(3 * FIRST_ROOM)
  /** Tokens of the slabs that are kept for us. */
  readonly #pinned: number[] = []

  get isEmpty(): boolean {
    return this.#head === this.#messages.length
  }

  /** Takes over the first `count` messages that the engine has placed. Nothing may be left of others. */
  take(count: number): void {
    const messages = viewsOf(count)
    this.#withRoomFor(count).set(received.subarray(0, 3 * count))
    let last = -1
    for (let i = 0; i < count; i++) {
      const token = received[3 * i]!
      if (token === last || !isInSlab(token)) continue
      if (!isKept(token)) {
        messages[i] = ownCopyOf(messages[i]!)
        continue
      }
      last = token
      this.#pin(token)
    }
    this.#messages = messages
  }

  /** Takes the oldest one out; there must be one. */
  next(): Buffer {
    const head = this.#head
    let message = this.#messages[head]!
    if (message.length === 0) message = this.#withBytes(message, head)
    this.#messages[head] = undefined as never
    this.#head = head + 1
    if (this.#head === this.#messages.length) this.clear()
    return message
  }

  /** The oldest one goes to the end of others. */
  moveTo(others: Placed): void {
    const at = others.#messages.length
    const from = 3 * this.#head
    const where = others.#withRoomFor(at + 1)
    where.set(this.#where.subarray(from, from + 3), 3 * at)
    if (isKept(where[3 * at]!)) others.#pin(where[3 * at]!)
    others.#messages.push(this.next())
  }

  /** Takes out all. */
  rest(): Buffer[] {
    const messages: Buffer[] = []
    while (!this.isEmpty) messages.push(this.next())
    return messages
  }

  clear(): void {
    for (const token of this.#pinned) slabPins[token]!--
    this.#pinned.length = 0
    this.#messages = []
    this.#head = 0
  }

  /** The message, unless it has lost its bytes since it was placed: then a copy. */
  #withBytes(message: Buffer, index: number): Buffer {
    const token = this.#where[3 * index]!
    return isKept(token) ? rescued(token, this.#where[3 * index + 1]!, this.#where[3 * index + 2]!) : message
  }

  #withRoomFor(count: number): Int32Array {
    if (3 * count <= this.#where.length) return this.#where
    const grown = new Int32Array(3 * Math.max(count, 2 * this.#messages.length))
    grown.set(this.#where)
    this.#where = grown
    return grown
  }

  #pin(token: number): void {
    slabPins[token]!++
    this.#pinned.push(token)
  }
}
