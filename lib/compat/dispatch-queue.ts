import { type Bytes, toUint8Array } from '../bytes.js'
import { NanomsgError } from '../errors.js'
import { native } from '../native.js'
import type { Descriptor } from '../nn/descriptor.js'
import { Outbox } from '../outbox.js'

/** A message that was given to send(), with its flags. */
export type Entry = [message: unknown, flags: number | undefined]

/** Bytes of what a caller has sent: views as they are, all else as text. */
export function bytesOf(message: unknown): Bytes {
  if (message instanceof Uint8Array) return message
  if (ArrayBuffer.isView(message)) return new Uint8Array(message.buffer, message.byteOffset, message.byteLength)
  return `${message}`
}

/** Messages that wait to be sent, in their order. */
export class DispatchQueue {
  /** Visible to programs. */
  readonly entries: Entry[] = []
  readonly #descriptor: Descriptor
  readonly #outbox: Outbox
  readonly #transform: (message: unknown) => unknown
  /** The first entry's bytes, once they have been asked for: transforming twice could give others. */
  #first: Bytes | undefined

  constructor(descriptor: Descriptor, isStateful: boolean, transform: (message: unknown) => unknown) {
    this.#descriptor = descriptor
    this.#outbox = new Outbox(descriptor.s, !isStateful, descriptor)
    this.#transform = transform
  }

  /** Sends what peers can take now. Returns how many messages; the error that has ended it comes second. */
  send(): { sent: number; errno: number } {
    let sent = 0
    try {
      while (sent < this.entries.length && this.#outbox.trySend(this.#bytesAt(sent))) {
        this.#first = undefined
        sent++
      }
      this.entries.splice(0, sent)
      return { sent, errno: 0 }
    } catch (error) {
      this.entries.splice(0, sent)
      if (error instanceof NanomsgError) return { sent, errno: error.errno }
      // Of transform(), which would fail again.
      this.drop()
      throw error
    }
  }

  /** Gives the engine all that is left: it keeps what no peer takes now, also when the socket is closed. */
  handOver(): number {
    this.#outbox.close(() => new Error())
    let rc = 0
    let count = 0
    for (; rc === 0 && count < this.entries.length; count++) {
      rc = native.queueBody(this.#descriptor.s, toUint8Array(this.#bytesAt(count)))
      if (rc === 0) this.#first = undefined
    }
    // All at once: taking from the front of a long array one by one takes long.
    this.entries.splice(0, rc === 0 ? count : count - 1)
    return -rc
  }

  /** Forgets the first message. */
  drop(): void {
    this.#first = undefined
    this.entries.shift()
  }

  #bytesAt(index: number): Bytes {
    this.#first ??= bytesOf(this.#transform(this.entries[index]![0]))
    return this.#first
  }
}
