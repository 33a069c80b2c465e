import { constants } from 'node:os'
import { isUint8Array } from 'node:util/types'
import { isGone } from '../engine/detached.js'
import { argumentError, NanomsgError } from '../engine/errors.js'
import { native } from '../engine/native.js'
import { type Bytes, toUint8Array } from '../messages/bytes.js'
import { Outbox } from '../messages/outbox.js'
import type { Descriptor } from '../nn/descriptor.js'

const { EAGAIN } = constants.errno

/** A message that was given to send(), with its flags. */
export type Entry = [message: unknown, flags: number | undefined]

/** Throws a TypeError where the memory is gone. */
function viewOf(message: ArrayBufferView): Uint8Array {
  if (!isUint8Array(message)) return new Uint8Array(message.buffer, message.byteOffset, message.byteLength)
  if (message.length === 0 && isGone(message)) throw new TypeError('The memory of a message is gone')
  return message
}

/** Bytes of what a caller has sent: views as they are, all else as text. */
export function bytesOf(message: unknown): Bytes {
  try {
    return ArrayBuffer.isView(message) ? viewOf(message) : `${message}`
  } catch {
    throw argumentError('send', 'a message', 'bytes, or something that has a text', message)
  }
}

/** Messages that wait to be sent, in their order. */
export class DispatchQueue {
  /** Visible to programs. */
  readonly entries: Entry[] = []
  readonly #descriptor: Descriptor
  readonly #outbox: Outbox
  readonly #transform: (message: unknown) => unknown
  /** What the first entry was transformed to, once it was: a second time could give something else. */
  #first: { readonly message: unknown } | undefined

  constructor(descriptor: Descriptor, isStateful: boolean, transform: (message: unknown) => unknown) {
    this.#descriptor = descriptor
    this.#outbox = new Outbox(descriptor.s, !isStateful, descriptor)
    this.#transform = transform
  }

  /** Sends what peers can take now. Returns how many messages; the error that has ended it comes second. */
  send(): { sent: number; errno: number } {
    return this.#take((bytes) => (this.#outbox.trySend(bytes) ? 0 : EAGAIN))
  }

  /** Gives the engine all that is left: it keeps what no peer takes now, also when the socket is closed. */
  handOver(): number {
    this.#outbox.endGathering()
    return this.#take((bytes) => -native.queueBody(this.#descriptor.s, toUint8Array(bytes))).errno
  }

  /** Forgets the first message. */
  drop(): void {
    this.#first = undefined
    this.entries.shift()
  }

  /** Passes on one message after the other, as long as that returns 0. */
  #take(passOn: (bytes: Bytes) => number): { sent: number; errno: number } {
    let sent = 0
    let errno = 0
    try {
      while (sent < this.entries.length) {
        errno = passOn(bytesOf(this.#messageAt(sent)))
        if (errno !== 0) break
        this.#first = undefined
        sent++
      }
    } catch (error) {
      // All at once: taking from the front of a long array one by one takes long.
      this.entries.splice(0, sent)
      if (error instanceof NanomsgError) return { sent, errno: error.errno }
      // Of transform(), which would fail again.
      this.drop()
      throw error
    }
    this.entries.splice(0, sent)
    return { sent, errno: errno === EAGAIN ? 0 : errno }
  }

  #messageAt(index: number): unknown {
    this.#first ??= { message: this.#transform(this.entries[index]![0]) }
    return this.#first.message
  }
}
