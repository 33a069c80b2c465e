import { constants } from 'node:os'
import { isUint8Array } from 'node:util/types'
import { isGone } from '../engine/detached.js'
import { errnoError, type NanomsgError } from '../engine/errors.js'
import { native } from '../engine/native.js'
import type { OptionName } from '../engine/options.js'
import { ownOptions } from '../engine/own-options.js'
import type { Part } from '../engine/part.js'
import { isSendingOver, nextTurn } from '../engine/reactor.js'
import { type RefCounter, type WaitOptions, WaitQueue } from '../engine/waits.js'
import { type Body, goneError, toUint8Array } from './bytes.js'
import {
  beginGathering,
  flush,
  gather,
  gatherBytes,
  MAX_GATHERED_BYTES,
  roomFor,
  type Sender,
  sendNow,
  sendTogether,
} from './gatherer.js'
import { type SendOptions, Transfer, tryTransfer } from './transfer.js'

const { EAGAIN, ETIMEDOUT } = constants.errno
const sent = Promise.resolve()

/** What the sender of an accepted message waits for: mostly nothing. */
const accepted = (): Promise<void> => (isSendingOver(1) ? new Promise(nextTurn) : sent)

/** What the engine sends from where it is, or joins. */
function toMemory(body: Body): Uint8Array | Uint8Array[] {
  if (typeof body === 'string' || isUint8Array(body)) return toUint8Array(body)
  for (const part of body) if (part.length === 0 && isGone(toUint8Array(part))) throw goneError('body', 'send')
  return body.map(toUint8Array)
}

const plainTimeout = (syscall: string): NanomsgError => errnoError(ETIMEDOUT, syscall)

/** The sending side of a socket: messages go to the engine, or wait until it can take them. */
export class Outbox implements Part, Sender {
  readonly s: number
  isGathering = false
  isGathered = false
  readonly #mayGather: boolean
  readonly #waits: WaitQueue<Body | Transfer, void>
  #failure: NanomsgError | undefined
  /** No peer takes a message, as far as is known. */
  #isFull = false
  defaultTimeout = -1

  /**
   * @param mayGather false where sending may fail by the socket's state, which a caller has to hear of at once
   * @param timeoutOf makes the error of a call whose time is over
   */
  constructor(s: number, mayGather: boolean, refCounter: RefCounter, timeoutOf = plainTimeout) {
    this.s = s
    this.#mayGather = mayGather
    this.#waits = new WaitQueue('send', refCounter, (_, syscall) => timeoutOf(syscall))
  }

  /** Sends a body that can be gathered at once, as most can. Nothing is done where this returns undefined. */
  sendGathered(body: Body): Promise<void> | undefined {
    return this.#tryGather(body) ? accepted() : undefined
  }

  #tryGather(body: Body): boolean {
    // While messages are gathered no call waits, and none has failed. Those of contexts are, too, where others are not.
    return this.#mayGather && this.isGathering && isUint8Array(body) && gatherBytes(this, body)
  }

  send(body: Body, options?: SendOptions): Promise<void> {
    if (options?.signal?.aborted) return Promise.reject(options.signal.reason)
    if (options?.transfer) return this.#transfer(new Transfer(body as Uint8Array), options)
    return this.#send(body, options)
  }

  #send(body: Body, options?: WaitOptions, syscall?: string): Promise<void> {
    return this.trySend(body) ? accepted() : this.#waits.add(body, options, this.defaultTimeout, syscall)
  }

  #transfer(message: Transfer, options: SendOptions): Promise<void> {
    if (!this.#waits.isEmpty || !this.#tryTransfer(message)) {
      return this.#waits.add(message, options, this.defaultTimeout)
    }
    return accepted()
  }

  /** Returns false when no peer can take the message now, or others wait before it. */
  trySend(body: Body): boolean {
    return this.#waits.isEmpty && this.#trySend(body, 0)
  }

  /** Sends bodies from the one at `begin` on, as many as peers take now. Returns the index of the first that was
   *  not. */
  trySendFrom(bodies: readonly Body[], begin: number): number {
    let i = begin + this.#tryTogether(bodies, begin)
    while (i < bodies.length) {
      const body = bodies[i]!
      if (!this.#tryGather(body) && !this.trySend(body)) break
      i++
    }
    return i
  }

  /** Sends the first messages of a tick together, as many as can be. Returns how many; 0 where one has to be sent by
   * itself, or none can be sent now. */
  #tryTogether(bodies: readonly Body[], begin: number): number {
    const isFirst = this.#mayGather && !this.isGathering && !this.#isFull && this.#waits.isEmpty
    if (!isFirst || bodies.length - begin < 2 || roomFor(bodies[begin]!) > MAX_GATHERED_BYTES) return 0
    this.#throwFailure()
    const taken = sendTogether(this.s, bodies, begin)
    this.#isFull = taken === -EAGAIN
    if (this.#isFull) return 0
    if (taken < 0) throw errnoError(-taken, 'send')
    beginGathering(this)
    return taken
  }

  async sendBatch(bodies: readonly Body[], options: WaitOptions | undefined): Promise<void> {
    const timeout = options?.timeout ?? this.defaultTimeout
    const signal = options?.signal
    const giveUpAt = performance.now() + timeout
    for (let i = this.trySendFrom(bodies, 0); i < bodies.length; i = this.trySendFrom(bodies, i + 1)) {
      const left = timeout > 0 ? Math.max(0, giveUpAt - performance.now()) : timeout
      await this.#send(bodies[i]!, ownOptions({ timeout: left, signal }, 'sendBatch'), 'sendBatch')
    }
    if (isSendingOver(bodies.length)) await new Promise<void>(nextTurn)
  }

  /** Sends in a context, which never waits. */
  sendInContext(context: number, body: Body): void {
    if (!this.#trySend(body, context)) this.#trySend(body, context)
  }

  onWritable(): void {
    this.#isFull = false
    while (!this.#waits.isEmpty) {
      try {
        const job = this.#waits.firstJob
        if (!(job instanceof Transfer ? this.#tryTransfer(job) : this.#trySend(job, 0))) return
        this.#waits.resolveFirst()
      } catch (error) {
        this.#waits.rejectFirst(error)
      }
    }
  }

  onRefused(count: number, errno: number): void {
    this.#failure = errnoError(errno, 'send', `(${count} messages accepted before were lost)`)
  }

  onOption(name: OptionName, value: number): void {
    if (name === 'sendTimeout') this.defaultTimeout = value
  }

  close(closedError: (syscall: string) => NanomsgError): void {
    this.endGathering()
    this.#waits.rejectAll(closedError)
  }

  /** Hands over what was gathered. What follows is not gathered before another message was sent at once. */
  endGathering(): void {
    if (this.isGathering) flush()
    this.isGathering = false
  }

  updateReferences(): void {
    this.#waits.updateReferences()
  }

  #trySend(body: Body, context: number): boolean {
    this.#throwFailure()
    const isShort = roomFor(body) <= MAX_GATHERED_BYTES
    const mayGather = this.#mayGather || context !== 0
    if (isShort && mayGather && this.isGathering) return gather(this, body, context)
    if (this.isGathering) flush()
    const rc = isShort ? sendNow(this.s, body, context) : native.sendBody(this.s, toMemory(body), context)
    this.#isFull = rc === -EAGAIN
    if (this.#isFull) return this.#refuse()
    if (rc < 0) throw errnoError(-rc, 'send')
    if (mayGather && !this.isGathering) beginGathering(this)
    return true
  }

  #tryTransfer(message: Transfer): boolean {
    this.#throwFailure()
    if (this.isGathering) flush()
    return tryTransfer(this.s, message) || this.#refuse()
  }

  /** A call waits from now on: no later message may be gathered, and overtake it. */
  #refuse(): false {
    this.isGathering = false
    return false
  }

  #throwFailure(): void {
    const failure = this.#failure
    if (failure === undefined) return
    this.#failure = undefined
    throw failure
  }
}
