import { protocols } from '../engine/constants.js'
import type { NanomsgError } from '../engine/errors.js'
import { native, shared } from '../engine/native.js'
import type { Part } from '../engine/part.js'
import { isTurnOver, nextTurn } from '../engine/reactor.js'
import type { Body } from '../messages/bytes.js'
import type { Inbox } from '../messages/inbox.js'
import type { Outbox } from '../messages/outbox.js'
import { isMessageLost, Placed } from '../messages/placed.js'

const { contexts } = shared
const MESSAGES_AT_A_TIME = 512
const NONE = new Int32Array(0)

/** Handles the messages of a socket's contexts: requests, surveys or a service. */
export interface ContextHandler {
  onMessage(context: number, body: Buffer, pipe: number): void
  /** As many peers have gone away while they had the request of this context as it had attempts: it is over. */
  onLost?(context: number, peers: number): void
  /** The number of messages that can be handled now. */
  readonly room: number
  close(closedError: (syscall: string) => Error): void
  updateReferences(): void
}

/** An option of requests in contexts, and its value. */
export interface ContextOption {
  readonly number: number
  readonly value: number
}

/** The traffic of a socket's contexts: their messages go to the handler, those without a context to the inbox. */
export class Multiplexer implements Part {
  readonly #s: number
  readonly #inbox: Inbox
  readonly #outbox: Outbox
  readonly #handler: ContextHandler
  readonly #placed = new Placed()
  #isOpen = true
  #isDeferred = false
  #isTaking = false
  /** The contexts and pipes of the messages that were taken together, and where the next one stands. */
  #from = NONE
  #next = 0

  constructor(s: number, inbox: Inbox, outbox: Outbox, handler: ContextHandler) {
    this.#s = s
    this.#inbox = inbox
    this.#outbox = outbox
    this.#handler = handler
  }

  send(context: number, body: Body): void {
    this.#outbox.sendInContext(context, body)
  }

  /** Sends with options of the engine that count for requests in contexts which begin later. */
  sendWith(context: number, body: Body, options: readonly ContextOption[]): void {
    // What was gathered before leaves with the options that it was sent with.
    this.#outbox.endGathering()
    const before = options.map(({ number }) => native.getOption(this.#s, protocols.req, number))
    try {
      for (const { number, value } of options) native.setOption(this.#s, protocols.req, number, value)
      this.send(context, body)
      this.#outbox.endGathering()
    } finally {
      for (const [i, { number }] of options.entries()) {
        const option = before[i]
        if (typeof option === 'object') native.setOption(this.#s, protocols.req, number, option.value)
      }
    }
  }

  /** How often the request of a context was sent; 0: it waits for a peer, or there is none. */
  sentTimes(context: number): number {
    return Math.max(0, native.sentTimes(this.#s, context))
  }

  forget(context: number): void {
    if (this.#isOpen) native.closeContext(this.#s, context)
  }

  /** Whether a message of the pipe is taken, and comes to the handler next. */
  hasTaken(pipe: number): boolean {
    for (let i = this.#next; i < this.#from.length / 2; i++) {
      if (this.#from[2 * i]! > 0 && this.#from[2 * i + 1] === pipe) return true
    }
    return false
  }

  /** Takes what has come, as far as there is room for it. */
  onReadable(): void {
    if (this.#isTaking || this.#isDeferred) return
    this.#isTaking = true
    try {
      while (this.#isOpen && this.#handler.room > 0) {
        if (isTurnOver(0)) {
          this.#takeLater()
          return
        }
        if (!this.#take()) return
      }
    } finally {
      this.#isTaking = false
    }
  }

  /** Returns false when nothing was there. */
  #take(): boolean {
    const count = native.receiveInContexts(this.#s, Math.min(this.#handler.room, MESSAGES_AT_A_TIME))
    if (count < 0) {
      // No call waits for this message in particular. If the socket is gone, an event says so.
      if (isMessageLost(-count)) this.#takeLater()
      return false
    }
    isTurnOver(count)
    // The handler of a message may receive others into the same places.
    const from = contexts.slice(0, 2 * count)
    this.#from = from
    this.#placed.take(count)
    let bytes = 0
    try {
      for (let i = 0; i < count; i++) {
        this.#next = i + 1
        const context = from[2 * i]!
        if (context === 0) this.#inbox.addFrom(this.#placed)
        else if (context < 0) this.#tellLost(-context, from[2 * i + 1]!)
        else bytes += this.#give(context, from[2 * i + 1]!)
      }
    } finally {
      this.#from = NONE
      this.#placed.clear()
    }
    isTurnOver(0, bytes)
    return true
  }

  /** @returns its bytes */
  #give(context: number, pipe: number): number {
    const message = this.#placed.next()
    const { length } = message
    this.#handler.onMessage(context, message, pipe)
    return length
  }

  /** A message without bytes stands for it. */
  #tellLost(context: number, peers: number): void {
    this.#placed.next()
    this.#handler.onLost?.(context, peers)
  }

  #takeLater(): void {
    this.#isDeferred = true
    nextTurn(() => {
      this.#isDeferred = false
      this.onReadable()
      this.#inbox.onReadable()
    })
  }

  close(closedError: (syscall: string) => NanomsgError): void {
    this.#isOpen = false
    this.#handler.close(closedError)
  }

  updateReferences(): void {
    this.#handler.updateReferences()
  }
}
