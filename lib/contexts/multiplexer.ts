import type { NanomsgError } from '../engine/errors.js'
import { native, shared } from '../engine/native.js'
import type { Part } from '../engine/part.js'
import { isTurnOver, nextTurn } from '../engine/reactor.js'
import type { Body } from '../messages/bytes.js'
import type { Inbox } from '../messages/inbox.js'
import type { Outbox } from '../messages/outbox.js'
import { isMessageLost, Placed } from '../messages/placed.js'

const { conversations } = shared
const MESSAGES_AT_A_TIME = 512

/** What goes on in conversations, as the socket sees it. */
export interface Parties {
  onMessage(conversation: number, body: Buffer, pipe: number): void
  /** How many more messages can be dealt with now. */
  readonly room: number
  close(makeError: () => Error): void
  updateReferences(): void
}

/** The traffic of a socket's conversations: messages go to whoever takes part, those of none to the inbox. */
export class Exchange implements Part {
  readonly #s: number
  readonly #inbox: Inbox
  readonly #outbox: Outbox
  readonly #parties: Parties
  readonly #placed = new Placed()
  #isOpen = true
  #isDeferred = false
  #isTaking = false

  constructor(s: number, inbox: Inbox, outbox: Outbox, parties: Parties) {
    this.#s = s
    this.#inbox = inbox
    this.#outbox = outbox
    this.#parties = parties
  }

  send(conversation: number, body: Body): void {
    this.#outbox.sendIn(conversation, body)
  }

  forget(conversation: number): void {
    if (this.#isOpen) native.forget(this.#s, conversation)
  }

  /** Takes what has come, as far as there is room for it. */
  onReadable(): void {
    if (this.#isTaking || this.#isDeferred) return
    this.#isTaking = true
    try {
      while (this.#isOpen && this.#parties.room > 0) {
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
    const count = native.receiveAny(this.#s, Math.min(this.#parties.room, MESSAGES_AT_A_TIME))
    if (count < 0) {
      // No call waits for this message in particular. If the socket is gone, an event says so.
      if (isMessageLost(-count)) this.#takeLater()
      return false
    }
    isTurnOver(count)
    // Whoever hears of a message may receive others into the same places.
    const from = conversations.slice(0, 2 * count)
    this.#placed.take(count)
    try {
      for (let i = 0; i < count; i++) {
        const conversation = from[2 * i]!
        if (conversation === 0) this.#inbox.addFrom(this.#placed)
        else this.#parties.onMessage(conversation, this.#placed.next(), from[2 * i + 1]!)
      }
    } finally {
      this.#placed.clear()
    }
    return true
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
    this.#parties.close(() => closedError('receive'))
  }

  updateReferences(): void {
    this.#parties.updateReferences()
  }
}
