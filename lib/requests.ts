import { constants } from 'node:os'
import type { Body } from './bytes.js'
import { argumentError, errnoError } from './errors.js'
import { Exchange, type Parties } from './exchange.js'
import type { Handle } from './handle.js'
import type { Inbox } from './inbox.js'
import { nextConversation } from './numbers.js'
import type { Outbox } from './outbox.js'
import { checkWaiting, LONGEST_TIMEOUT_MS, type Waiting } from './waits.js'

/** How long to wait for a reply. `timeout` is `receiveTimeout` unless it is given. */
export interface Requesting extends Waiting {
  /** Milliseconds after which the request is sent once more, to the next Rep in turn, and again after as many; the
   * first reply counts. Default: never before `resendInterval`, which is the same for all requests. */
  retry?: number | undefined
}

/** One request on its way. Thousands are, at a time, and outlive many a collection of garbage: most need no array, and
 * have none. */
class Request {
  /** The one it was sent in first; 0 before that. */
  conversation = 0
  /** Those of its retries. */
  #retries: number[] | undefined
  readonly #resolve: (reply: Buffer) => void
  readonly #reject: (error: unknown) => void
  #timers: NodeJS.Timeout[] | undefined
  #signal: AbortSignal | undefined
  #onAbort: (() => void) | undefined

  constructor(resolve: (reply: Buffer) => void, reject: (error: unknown) => void) {
    this.#resolve = resolve
    this.#reject = reject
  }

  addConversation(conversation: number): void {
    if (this.conversation === 0) {
      this.conversation = conversation
    } else {
      this.#retries ??= []
      this.#retries.push(conversation)
    }
  }

  get retries(): readonly number[] {
    return this.#retries ?? []
  }

  addTimer(timer: NodeJS.Timeout, isReferenced: boolean): void {
    if (!isReferenced) timer.unref()
    this.#timers ??= []
    this.#timers.push(timer)
  }

  watch(signal: AbortSignal, onAbort: () => void): void {
    this.#signal = signal
    this.#onAbort = onAbort
    signal.addEventListener('abort', onAbort, { once: true })
  }

  updateReferences(isReferenced: boolean): void {
    for (const timer of this.#timers ?? []) {
      if (isReferenced) timer.ref()
      else timer.unref()
    }
  }

  resolve(reply: Buffer): void {
    this.#end()
    this.#resolve(reply)
  }

  reject(error: unknown): void {
    this.#end()
    this.#reject(error)
  }

  #end(): void {
    if (this.#timers !== undefined) for (const timer of this.#timers) clearTimeout(timer)
    if (this.#onAbort !== undefined) this.#signal?.removeEventListener('abort', this.#onAbort)
  }
}

function checkRequesting(options: Requesting | undefined): void {
  checkWaiting(options, 'request')
  const retry = options?.retry
  if (retry !== undefined && !(typeof retry === 'number' && retry > 0 && retry <= LONGEST_TIMEOUT_MS)) {
    throw argumentError('request', 'retry', 'a number of milliseconds above 0', retry)
  }
}

/** The requests of a Req that are on their way, side by side. */
export class Requests implements Parties {
  readonly room = Number.POSITIVE_INFINITY
  readonly #handle: Handle
  readonly #inbox: Inbox
  readonly #exchange: Exchange
  readonly #pending = new Map<number, Request>()

  constructor(handle: Handle, inbox: Inbox, outbox: Outbox) {
    this.#handle = handle
    this.#inbox = inbox
    this.#exchange = new Exchange(handle.s, inbox, outbox, this)
    handle.attach({ exchange: this.#exchange })
  }

  request(body: Body, options: Requesting | undefined): Promise<Buffer> {
    checkRequesting(options)
    const { signal, retry } = options ?? {}
    const timeout = options?.timeout ?? this.#inbox.defaultTimeout
    if (signal?.aborted) return Promise.reject(signal.reason)
    return new Promise((resolve, reject) => {
      const request = new Request(resolve, reject)
      this.#send(request, body)
      this.#handle.waitAdded()
      if (timeout >= 0 && timeout <= LONGEST_TIMEOUT_MS) this.#startTimer(request, timeout)
      if (retry !== undefined) this.#startRetrying(request, body, retry)
      if (signal !== undefined) request.watch(signal, () => this.#fail(request, signal.reason))
    })
  }

  #send(request: Request, body: Body): void {
    const conversation = nextConversation()
    this.#exchange.send(conversation, body)
    request.addConversation(conversation)
    this.#pending.set(conversation, request)
  }

  #startTimer(request: Request, timeout: number): void {
    const onTimeout = () => this.#fail(request, errnoError(constants.errno.ETIMEDOUT, 'request'))
    request.addTimer(setTimeout(onTimeout, timeout), this.#handle.isReferenced)
  }

  #startRetrying(request: Request, body: Body, retry: number): void {
    const sendAgain = () => {
      try {
        this.#send(request, body)
      } catch (error) {
        this.#fail(request, error)
      }
    }
    request.addTimer(setInterval(sendAgain, retry), this.#handle.isReferenced)
  }

  onMessage(conversation: number, body: Buffer): void {
    const request = this.#pending.get(conversation)
    if (request === undefined) return
    this.#end(request, conversation)
    request.resolve(body)
  }

  #fail(request: Request, error: unknown): void {
    this.#end(request)
    request.reject(error)
  }

  /** @param answered the conversation that is over by itself */
  #end(request: Request, answered?: number): void {
    this.#endConversation(request.conversation, answered)
    for (const conversation of request.retries) this.#endConversation(conversation, answered)
    this.#handle.waitRemoved()
  }

  #endConversation(conversation: number, answered: number | undefined): void {
    this.#pending.delete(conversation)
    if (conversation !== answered) this.#exchange.forget(conversation)
  }

  close(makeError: () => Error): void {
    for (const request of new Set(this.#pending.values())) this.#fail(request, makeError())
  }

  updateReferences(): void {
    for (const request of new Set(this.#pending.values())) request.updateReferences(this.#handle.isReferenced)
  }
}
