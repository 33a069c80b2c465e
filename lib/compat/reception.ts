import { constants } from 'node:os'
import { native } from '../engine/native.js'
import { isTurnOver, nextTurn } from '../engine/reactor.js'
import { isMessageLost, viewAt } from '../messages/placed.js'

const { EAGAIN } = constants.errno

/** The limit of messages that are taken at a time where it makes no difference. */
export const BATCH_LIMIT = 512

/** A message with memory of its own: programs look at `buffer` and give messages to other threads. */
function ownMessageAt(index: number): Buffer {
  const view = viewAt(index)
  if (view.length === view.buffer.byteLength) return view
  return Uint8Array.prototype.slice.call(view) as Buffer
}

function throwLater(error: unknown): void {
  process.nextTick(() => {
    throw error
  })
}

/** Takes all messages from a socket whenever there are some, whether they are read or not. */
export class Reception {
  /** Nothing is taken while this is false. */
  isOn = false
  limit = BATCH_LIMIT
  readonly #s: number
  readonly #deliver: (message: Buffer) => void
  readonly #onError: (errno: number) => void
  #isRunning = false
  #isDeferred = false

  constructor(s: number, deliver: (message: Buffer) => void, onError: (errno: number) => void) {
    this.#s = s
    this.#deliver = deliver
    this.#onError = onError
  }

  run(): void {
    if (this.#isRunning || this.#isDeferred) return
    this.#isRunning = true
    while (this.isOn && !this.#isDeferred && this.#takeBatch());
    this.#isRunning = false
  }

  /** Returns false when there is nothing more to take now. */
  #takeBatch(): boolean {
    if (isTurnOver(0)) return this.#defer([])
    const count = native.receive(this.#s, this.limit)
    if (count < 0) {
      if (count !== -EAGAIN) this.#reportError(-count)
      return isMessageLost(-count) ? this.#defer([]) : false
    }
    isTurnOver(count)
    // All of them before the first is delivered: its listener may receive elsewhere.
    return this.#deliverAll(Array.from({ length: count }, (_, i) => ownMessageAt(i)))
  }

  #deliverAll(messages: readonly Buffer[]): boolean {
    for (const [i, message] of messages.entries()) {
      try {
        this.#deliver(message)
      } catch (error) {
        // A listener's: other sockets are not to miss their turn, and what follows comes when that is dealt with.
        throwLater(error)
        return this.#defer(messages.slice(i + 1))
      }
    }
    return true
  }

  #reportError(errno: number): void {
    try {
      this.#onError(errno)
    } catch (error) {
      throwLater(error)
    }
  }

  /** Goes on when the event loop has turned. */
  #defer(messages: readonly Buffer[]): false {
    this.#isDeferred = true
    nextTurn(() => {
      this.#isRunning = true
      this.#isDeferred = false
      const isDone = this.#deliverAll(messages)
      this.#isRunning = false
      if (isDone) this.run()
    })
    return false
  }
}
