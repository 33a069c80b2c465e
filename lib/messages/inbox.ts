import { constants } from 'node:os'
import { errnoError, type NanomsgError } from '../engine/errors.js'
import { native } from '../engine/native.js'
import type { OptionName } from '../engine/options.js'
import type { Part } from '../engine/part.js'
import { isTurnOver, nextTurn } from '../engine/reactor.js'
import { type RefCounter, type WaitOptions, WaitQueue } from '../engine/waits.js'
import { Placed, viewAt, viewsOf } from './placed.js'

const { EAGAIN } = constants.errno

/** The receiving side of a socket: messages that have been taken from the engine, or else calls that wait for some. */
export class Inbox implements Part {
  readonly #s: number
  readonly #limit: number
  /** Taken and not yet received. Empty while calls wait. */
  readonly #messages = new Placed()
  /** The engine may have messages: it reports when there are some again, not while there are. */
  #isReadable: boolean
  /** onReadable() follows when the event loop has turned. */
  #isDeferred = false
  /** The job: whether the call wants all that there is, or one message. */
  readonly #waits: WaitQueue<boolean, Buffer | Buffer[]>
  defaultTimeout = -1
  /** Why no call can wait for a message; undefined: any can. */
  refusal: (() => NanomsgError) | undefined

  /**
   * @param limit messages to take at a time. 1 where taking a message changes the socket's state, which is then asked
   *     each time.
   * @param timeoutOf makes the error of a call whose time is over
   */
  constructor(s: number, limit: number, refCounter: RefCounter, timeoutOf: (syscall: string) => NanomsgError) {
    this.#s = s
    this.#limit = limit
    this.#isReadable = limit === 1
    this.#waits = new WaitQueue('receive', refCounter, (_, syscall) => timeoutOf(syscall))
  }

  /** The next message; undefined when there is none now. */
  tryReceive(): Buffer | undefined {
    return this.#take(true)
  }

  /** @param isUrgent false when the caller can wait until the event loop has turned, where it is time for that */
  #take(isUrgent: boolean): Buffer | undefined {
    if (this.#messages.isEmpty) {
      const count = this.#fetch(isUrgent)
      if (count === 0) return undefined
      if (count === 1) return viewAt(0)
      this.#messages.take(count)
    }
    return this.#messages.next()
  }

  receive(options?: WaitOptions): Promise<Buffer> {
    if (this.#waits.isEmpty) {
      if (options?.signal?.aborted) return Promise.reject(options.signal.reason)
      const message = this.#take((options?.timeout ?? this.defaultTimeout) === 0)
      if (message !== undefined) return Promise.resolve(message)
    }
    if (this.refusal !== undefined) return Promise.reject(this.refusal())
    return this.#waits.add(false, options, this.defaultTimeout) as Promise<Buffer>
  }

  /** The same for all messages that there are then, as many as are taken at a time. */
  receiveAll(options?: WaitOptions): Promise<Buffer[]> {
    const messages = this.tryReceiveAll()
    if (messages !== undefined) return Promise.resolve(messages)
    if (this.refusal !== undefined) return Promise.reject(this.refusal())
    return this.#waits.add(true, options, this.defaultTimeout) as Promise<Buffer[]>
  }

  /** The next message, unless other calls wait for it. */
  tryReceiveNext(): Buffer | undefined {
    return this.#waits.isEmpty ? this.#take(false) : undefined
  }

  /** All messages that there are now, as many as are taken at a time; undefined when there is none. */
  tryReceiveAll(): Buffer[] | undefined {
    return this.#waits.isEmpty ? this.#takeAll() : undefined
  }

  #takeAll(): Buffer[] | undefined {
    if (!this.#messages.isEmpty) return this.#messages.rest()
    const count = this.#fetch(false)
    return count === 0 ? undefined : viewsOf(count)
  }

  /** Adds the oldest of messages that were taken elsewhere. */
  addFrom(placed: Placed): void {
    placed.moveTo(this.#messages)
  }

  onReadable(): void {
    this.#isReadable = true
    while (!this.#waits.isEmpty) {
      try {
        const result = this.#waits.firstJob ? this.#takeAll() : this.#take(false)
        if (result === undefined) return
        this.#waits.resolveFirst(result)
      } catch (error) {
        this.#waits.rejectFirst(error)
      }
    }
  }

  onOption(name: OptionName, value: number): void {
    if (name === 'receiveTimeout') this.defaultTimeout = value
  }

  close(closedError: (syscall: string) => NanomsgError): void {
    this.#messages.clear()
    this.#waits.rejectAll(closedError)
  }

  updateReferences(): void {
    this.#waits.updateReferences()
  }

  /** Makes the engine place messages. Returns their number; 0 when it has none. */
  #fetch(isUrgent: boolean): number {
    if (!this.#isReadable) return 0
    if (!isUrgent && isTurnOver(0)) return this.#fetchLater()
    const count = native.receive(this.#s, this.#limit)
    if (count < 0) {
      if (count !== -EAGAIN) throw errnoError(-count, 'receive')
      this.#isReadable = this.#limit === 1
      return 0
    }
    isTurnOver(count)
    return count
  }

  #fetchLater(): 0 {
    if (this.#isDeferred) return 0
    this.#isDeferred = true
    nextTurn(() => {
      this.#isDeferred = false
      this.onReadable()
    })
    return 0
  }
}
