import { checkConnected, timeoutError } from '../connections/circumstances.js'
import { argumentError, traced } from '../engine/errors.js'
import type { Handle } from '../engine/handle.js'
import { ownOptions } from '../engine/own-options.js'
import { checkWaitOptions, MAX_TIMEOUT_MS, type WaitOptions } from '../engine/waits.js'
import type { Body } from '../messages/bytes.js'
import type { Inbox } from '../messages/inbox.js'
import type { Outbox } from '../messages/outbox.js'
import { markRequest, unmarkReply } from './error-replies.js'
import { type ContextHandler, Multiplexer } from './multiplexer.js'
import { RequestTable } from './request-table.js'

/** How long to wait for a reply. `timeout` is `receiveTimeout` unless it is given. */
export interface RequestOptions extends WaitOptions {
  /** Milliseconds after which the request is sent once more, to the next Rep in turn, and again after as many; the
   * first reply counts. Default: never before `resendInterval`, which is the same for all requests. */
  retry?: number | undefined
  /** The request rejects with a `RemoteError` when its handler fails at a server with `serve(…, { replyErrors: true
   * })`. Only for such servers: others would receive the mark of this convention as a part of the body. Default:
   * false. */
  expectErrors?: boolean | undefined
  /** Fails at once with `ENOTCONN` when no peer is connected, instead of waiting for one. Default: false. */
  ifConnected?: boolean | undefined
}

/** What settles a promise. */
type Settle = (reply: Buffer | Promise<never>) => void

let settle: Settle

/** Makes a promise, and leaves what settles it in `settle`. */
const keepSettle = (resolve: Settle): void => {
  settle = resolve
}

/** A request with a timeout, a signal or retries. */
class Request {
  /** The one it was sent in first; 0 before that. */
  context = 0
  /** Those of its retries. */
  #retries: number[] | undefined
  readonly #settle: Settle
  #timers: NodeJS.Timeout[] | undefined
  #signal: AbortSignal | undefined
  #onAbort: (() => void) | undefined

  readonly #expectsErrors: boolean

  constructor(settle: Settle, expectsErrors: boolean) {
    this.#settle = settle
    this.#expectsErrors = expectsErrors
  }

  /** Settles with a reply, or with the error that it carries. */
  reply(body: Buffer): void {
    try {
      this.settle(this.#expectsErrors ? unmarkReply(body) : body)
    } catch (error) {
      this.settle(Promise.reject(error))
    }
  }

  addContext(context: number): void {
    if (this.context === 0) {
      this.context = context
    } else {
      this.#retries ??= []
      this.#retries.push(context)
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

  settle(reply: Buffer | Promise<never>): void {
    if (this.#timers !== undefined) for (const timer of this.#timers) clearTimeout(timer)
    if (this.#onAbort !== undefined) this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#settle(reply)
  }
}

function checkRequestOptions(options: RequestOptions | undefined): void {
  checkWaitOptions(options, 'request')
  const retry = options?.retry
  if (retry !== undefined && !(typeof retry === 'number' && retry > 0 && retry <= MAX_TIMEOUT_MS)) {
    throw argumentError('request', 'retry', 'a number of milliseconds above 0', retry)
  }
  for (const name of ['expectErrors', 'ifConnected'] as const) {
    const value = options?.[name]
    if (value !== undefined && typeof value !== 'boolean') throw argumentError('request', name, 'true or false', value)
  }
}

/** The requests of a Req that are on their way, side by side. */
export class Requests implements ContextHandler {
  readonly room = Number.POSITIVE_INFINITY
  readonly #handle: Handle
  readonly #inbox: Inbox
  readonly #multiplexer: Multiplexer
  /** Thousands are on their way at a time, and outlive many a collection of garbage: most are no more than what settles
   * their promise. */
  readonly #pending = new RequestTable<Request | Settle>()

  constructor(handle: Handle, inbox: Inbox, outbox: Outbox) {
    this.#handle = handle
    this.#inbox = inbox
    this.#multiplexer = new Multiplexer(handle.s, inbox, outbox, this)
    // Messages of contexts come first: what the multiplexer leaves is for the inbox.
    handle.addFirst(this.#multiplexer)
  }

  request(body: Body, options: RequestOptions | undefined): Promise<Buffer> {
    const own = ownOptions(options, 'request')
    const timeout = own?.timeout ?? this.#inbox.defaultTimeout
    if (own !== undefined || timeout >= 0) return this.#requestWith(body, own, timeout)
    const promise = new Promise<Buffer>(keepSettle)
    this.#send(settle, body)
    this.#handle.waitAdded()
    return promise
  }

  #requestWith(given: Body, options: RequestOptions | undefined, timeout: number): Promise<Buffer> {
    checkRequestOptions(options)
    checkConnected(this.#handle, 'request', options)
    const signal = options?.signal
    const retry = options?.retry
    if (signal?.aborted) return Promise.reject(signal.reason)
    const promise = new Promise<Buffer>(keepSettle)
    const expectsErrors = options?.expectErrors ?? false
    const body = expectsErrors ? markRequest(given) : given
    const request = new Request(settle, expectsErrors)
    request.addContext(this.#send(request, body))
    this.#handle.waitAdded()
    if (timeout >= 0 && timeout <= MAX_TIMEOUT_MS) this.#startTimer(request, timeout)
    if (retry !== undefined) this.#startRetrying(request, body, retry)
    if (signal !== undefined) request.watch(signal, () => this.#fail(request, signal.reason))
    return timeout >= 0 ? traced(promise, signal) : promise
  }

  /** Returns the context. */
  #send(request: Request | Settle, body: Body): number {
    const context = this.#pending.add(request)
    try {
      this.#multiplexer.send(context, body)
    } catch (error) {
      this.#pending.delete(context)
      throw error
    }
    return context
  }

  #startTimer(request: Request, timeout: number): void {
    const onTimeout = () => {
      const contexts = [request.context, ...request.retries]
      const sent = contexts.reduce((sum, context) => sum + this.#multiplexer.sentTimes(context), 0)
      this.#fail(request, timeoutError(this.#handle, 'request', { sent }))
    }
    request.addTimer(setTimeout(onTimeout, timeout), this.#handle.isReferenced)
  }

  #startRetrying(request: Request, body: Body, retry: number): void {
    const sendAgain = () => {
      try {
        request.addContext(this.#send(request, body))
      } catch (error) {
        this.#fail(request, error)
      }
    }
    request.addTimer(setInterval(sendAgain, retry), this.#handle.isReferenced)
  }

  onMessage(context: number, body: Buffer): void {
    const request = this.#pending.get(context)
    if (request === undefined) return
    if (request instanceof Request) {
      this.#end(request, context)
      request.reply(body)
      return
    }
    this.#pending.delete(context)
    this.#handle.waitRemoved()
    request(body)
  }

  #fail(request: Request, error: unknown): void {
    this.#end(request)
    request.settle(Promise.reject(error))
  }

  /** @param answered the context that is over by itself */
  #end(request: Request, answered?: number): void {
    this.#endContext(request.context, answered)
    for (const context of request.retries) this.#endContext(context, answered)
    this.#handle.waitRemoved()
  }

  #endContext(context: number, answered: number | undefined): void {
    this.#pending.delete(context)
    if (context !== answered) this.#multiplexer.forget(context)
  }

  close(closedError: (syscall: string) => Error): void {
    for (const [context, request] of this.#pending.entries()) {
      // Of one that was sent several times, all are over with the first.
      if (this.#pending.get(context) === undefined) continue
      if (request instanceof Request) {
        this.#fail(request, closedError('request'))
        continue
      }
      this.#endContext(context, undefined)
      this.#handle.waitRemoved()
      request(Promise.reject(closedError('request')))
    }
  }

  updateReferences(): void {
    for (const [, request] of this.#pending.entries()) {
      if (request instanceof Request) request.updateReferences(this.#handle.isReferenced)
    }
  }
}
