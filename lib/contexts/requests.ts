import { checkConnected, lostError, timeoutError } from '../connections/circumstances.js'
import { addAbortListener, removeAbortListener } from '../engine/abort-listeners.js'
import { protocols } from '../engine/constants.js'
import { argumentError, traced } from '../engine/errors.js'
import type { Handle } from '../engine/handle.js'
import { native } from '../engine/native.js'
import { NN_REQ_CONTEXT_ATTEMPTS, NN_REQ_CONTEXT_RESEND_IVL } from '../engine/option-numbers.js'
import { ownOptions } from '../engine/own-options.js'
import { checkWaitOptions, MAX_TIMEOUT_MS, type WaitOptions } from '../engine/waits.js'
import type { Body } from '../messages/bytes.js'
import type { Inbox } from '../messages/inbox.js'
import type { Outbox } from '../messages/outbox.js'
import { markRequest, unmarkReply } from './error-replies.js'
import { type ContextHandler, type ContextOption, Multiplexer } from './multiplexer.js'
import { RequestTable } from './request-table.js'

/** How long to wait for a reply. `timeout` is `receiveTimeout` unless it is given. */
export interface RequestOptions extends WaitOptions {
  /** Milliseconds after which the request is sent once more, to the next Rep in turn, and again after as many; the
   * first reply counts. Default: never before `resendInterval`, which is the same for all requests. */
  retryAfter?: number | undefined
  /** The former name of `retryAfter`. */
  retry?: number | undefined
  /** How many peers may go away while they have the request, before it fails with `ECONNRESET`: a request that ends its
   * servers does not end all of them. `Infinity`: any number. What was sent again after `retryAfter` or
   * `resendInterval` is no attempt more, and a request goes on while a peer has it that is connected. Default: 3. */
  attempts?: number | undefined
  /** The request rejects with a `RemoteError` when its handler fails at a server with `serve(…, { replyErrors: true
   * })`. Only for such servers: others would receive the mark of this convention as a part of the body. Default:
   * false. */
  expectErrors?: boolean | undefined
  /** Fails at once with `ENOTCONN` when no peer is connected, instead of waiting for one. Default: false. */
  ifConnected?: boolean | undefined
}

const DEFAULT_ATTEMPTS = 3
const MAX_INT = 0x7fffffff
const none: readonly ContextOption[] = []

/** What settles a promise. */
type Settle = (reply: Buffer | Promise<never>) => void

let settle: Settle

/** Makes a promise, and leaves what settles it in `settle`. */
const keepSettle = (resolve: Settle): void => {
  settle = resolve
}

/** A request with options or a timeout. */
class Request {
  context = 0
  readonly #settle: Settle
  #timer: NodeJS.Timeout | undefined
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

  setTimer(timer: NodeJS.Timeout, isReferenced: boolean): void {
    if (!isReferenced) timer.unref()
    this.#timer = timer
  }

  watch(signal: AbortSignal, onAbort: () => void): void {
    this.#signal = signal
    this.#onAbort = onAbort
    addAbortListener(signal, onAbort)
  }

  updateReferences(isReferenced: boolean): void {
    if (isReferenced) this.#timer?.ref()
    else this.#timer?.unref()
  }

  settle(reply: Buffer | Promise<never>): void {
    clearTimeout(this.#timer)
    if (this.#onAbort !== undefined) removeAbortListener(this.#signal!, this.#onAbort)
    this.#settle(reply)
  }
}

const isCount = (value: unknown): boolean =>
  Number.isInteger(value) && (value as number) > 0 && (value as number) <= MAX_INT

/** What the engine is told of a request besides its body. */
function contextOptionsOf(options: RequestOptions | undefined): ContextOption[] {
  const { attempts, retryAfter = options?.retry } = options ?? {}
  const own: ContextOption[] = []
  if (attempts !== undefined) {
    own.push({ number: NN_REQ_CONTEXT_ATTEMPTS, value: Number.isFinite(attempts) ? attempts : 0 })
  }
  if (retryAfter !== undefined) own.push({ number: NN_REQ_CONTEXT_RESEND_IVL, value: Math.ceil(retryAfter) })
  return own
}

function checkRequestOptions(options: RequestOptions | undefined): void {
  checkWaitOptions(options, 'request')
  for (const name of ['retryAfter', 'retry'] as const) {
    const value = options?.[name]
    if (value !== undefined && !(typeof value === 'number' && value > 0 && value <= MAX_TIMEOUT_MS)) {
      throw argumentError('request', name, 'a number of milliseconds above 0', value)
    }
  }
  const attempts = options?.attempts
  if (attempts !== undefined && attempts !== Number.POSITIVE_INFINITY && !isCount(attempts)) {
    throw argumentError('request', 'attempts', 'a whole number from 1 on, or Infinity', attempts)
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
    native.setOption(handle.s, protocols.req, NN_REQ_CONTEXT_ATTEMPTS, DEFAULT_ATTEMPTS)
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
    if (signal?.aborted) return Promise.reject(signal.reason)
    const promise = new Promise<Buffer>(keepSettle)
    const expectsErrors = options?.expectErrors ?? false
    const body = expectsErrors ? markRequest(given) : given
    const request = new Request(settle, expectsErrors)
    request.context = this.#send(request, body, contextOptionsOf(options))
    this.#handle.waitAdded()
    if (timeout >= 0 && timeout <= MAX_TIMEOUT_MS) this.#startTimer(request, timeout)
    if (signal !== undefined) request.watch(signal, () => this.#fail(request, signal.reason))
    return timeout >= 0 ? traced(promise, signal) : promise
  }

  /** Returns the context. */
  #send(request: Request | Settle, body: Body, options: readonly ContextOption[] = none): number {
    const context = this.#pending.add(request)
    try {
      if (options.length === 0) this.#multiplexer.send(context, body)
      else this.#multiplexer.sendWith(context, body, options)
    } catch (error) {
      this.#pending.delete(context)
      throw error
    }
    return context
  }

  #startTimer(request: Request, timeout: number): void {
    const onTimeout = () => {
      const sent = this.#multiplexer.sentTimes(request.context)
      this.#fail(request, timeoutError(this.#handle, 'request', { sent }))
    }
    request.setTimer(setTimeout(onTimeout, timeout), this.#handle.isReferenced)
  }

  onMessage(context: number, body: Buffer): void {
    const request = this.#pending.get(context)
    if (request === undefined) return
    this.#over(context)
    if (request instanceof Request) request.reply(body)
    else request(body)
  }

  onLost(context: number, peers: number): void {
    const request = this.#pending.get(context)
    if (request === undefined) return
    this.#over(context)
    const failure = Promise.reject(lostError(this.#handle, peers))
    if (request instanceof Request) request.settle(failure)
    else request(failure)
  }

  /** The engine knows its context no more. */
  #over(context: number): void {
    this.#pending.delete(context)
    this.#handle.waitRemoved()
  }

  #fail(request: Request, error: unknown): void {
    this.#giveUp(request.context)
    request.settle(Promise.reject(error))
  }

  /** Gives a request up. */
  #giveUp(context: number): void {
    this.#over(context)
    this.#multiplexer.forget(context)
  }

  close(closedError: (syscall: string) => Error): void {
    for (const [context, request] of this.#pending.entries()) {
      if (request instanceof Request) {
        this.#fail(request, closedError('request'))
        continue
      }
      this.#giveUp(context)
      request(Promise.reject(closedError('request')))
    }
  }

  updateReferences(): void {
    for (const [, request] of this.#pending.entries()) {
      if (request instanceof Request) request.updateReferences(this.#handle.isReferenced)
    }
  }
}
