import { AsyncResource } from 'node:async_hooks'
import { constants } from 'node:os'
import type { Monitor } from '../connections/monitor.js'
import { addAbortListener, removeAbortListener } from '../engine/abort-listeners.js'
import { EFSM } from '../engine/constants.js'
import { argumentError, errnoError, type NanomsgError } from '../engine/errors.js'
import type { Handle } from '../engine/handle.js'
import { ownOptions } from '../engine/own-options.js'
import { isFunction, isRevoked } from '../engine/proxies.js'
import { checkWaitOptions } from '../engine/waits.js'
import { type Body, bodyOf } from '../messages/bytes.js'
import type { Inbox } from '../messages/inbox.js'
import type { Outbox } from '../messages/outbox.js'
import { Asked, Askers, type HandlerContext } from './askers.js'
import { checkDrain, Draining } from './draining.js'
import { errorReply, markReply, unmarkRequest } from './error-replies.js'
import { type FailureKind, reportFailure } from './handler-failures.js'
import { type ContextHandler, Multiplexer } from './multiplexer.js'
import { Peer } from './peer.js'

/** Answers one question that a peer has: with its result, or not at all when that is undefined. */
export type Handler<In = Buffer, Out = Body> = (
  body: In,
  peer: Peer,
  context: HandlerContext,
) => Out | undefined | Promise<Out | undefined>

/** A failure of a request: which of the steps to its reply has failed. */
class RequestFailure {
  constructor(
    readonly kind: FailureKind,
    readonly error: unknown,
  ) {}
}

export interface ServeOptions {
  /** How many questions may be worked on at a time; others wait at their peers. Default: 64. */
  concurrency?: number | undefined
  /** Ends serving: no more questions are taken, and those at hand are answered. */
  signal?: AbortSignal | undefined
  /** Milliseconds for the end of serving by `signal`, in which askers can turn to others: connections on which
   * no answer is owed close at once, the others behind their last answer; until then questions that come by them are
   * answered. When the time is over, all are closed. No peer can connect until `serve()` is called again, and endpoints
   * that connect are closed. Default: connections stay. */
  drain?: number | undefined
  /** Is called when the handler has thrown, or its result cannot be sent; what it returns, or its promise resolves to,
   * is the reply, undefined: none. Serving goes on. Without it, the channel `nanomsg:handler-failure` of
   * node:diagnostics_channel reports the failure, or, if that has no subscriber, a warning of the process, once for
   * each kind of failure. */
  onError?: ((error: unknown, body: Buffer, peer: Peer) => Reply | Promise<Reply>) | undefined
  /** The first error ends serving and rejects the promise of serve(). Not together with `onError`. Default: false. */
  stopOnError?: boolean | undefined
  /** A request of `request(…, { expectErrors: true })` gets an error as its reply when its handler fails: the name, the
   * message and the code of the error, which its asker can read. Other askers never see such a reply. Default:
   * false. */
  replyErrors?: boolean | undefined
}

// biome-ignore lint/suspicious/noConfusingVoidType: a handler that only logs returns nothing
type Reply = Body | undefined | void

const DEFAULT_CONCURRENCY = 64

function checkServeOptions(handler: unknown, options: unknown): void {
  if (!isFunction(handler)) {
    throw argumentError('serve', 'the handler', 'a function that returns the answer to a body', handler)
  }
  if (typeof options !== 'object' || options === null) {
    throw argumentError('serve', 'options', 'an object such as { concurrency: 10 }', options)
  }
  const { concurrency, signal, drain, onError, stopOnError, replyErrors } = options as ServeOptions
  checkWaitOptions(ownOptions({ signal }, 'serve'), 'serve')
  checkDrain(drain, 'serve')
  if (concurrency !== undefined && !(Number.isInteger(concurrency) && concurrency > 0)) {
    throw argumentError('serve', 'concurrency', 'a whole number from 1 on', concurrency)
  }
  if (onError !== undefined && !isFunction(onError)) {
    throw argumentError('serve', 'onError', 'a function of an error and a body', onError)
  }
  for (const [name, value] of Object.entries({ stopOnError, replyErrors })) {
    if (value !== undefined && typeof value !== 'boolean') throw argumentError('serve', name, 'true or false', value)
  }
  if (stopOnError && onError !== undefined) {
    throw argumentError('serve', 'stopOnError', 'left out where there is onError', true)
  }
}

/** From a call of serve() until its promise settles. */
class Run {
  readonly concurrency: number
  readonly settled: Promise<void>
  active = 0
  isStopping = false
  /** How many requests are worked on, by connection. */
  readonly owed = new Map<number, number>()
  /** Handlers run in the context of AsyncLocalStorage in which serve() was called, as those of node:http do. */
  readonly context = new AsyncResource('NanomsgServe')
  #resolve!: () => void
  #reject!: (error: unknown) => void
  readonly stopsOnError: boolean
  readonly #handler: Handler
  readonly #onError: ServeOptions['onError']
  readonly #repliesErrors: boolean

  constructor(handler: Handler, options: ServeOptions) {
    this.concurrency = options.concurrency ?? DEFAULT_CONCURRENCY
    this.stopsOnError = options.stopOnError ?? false
    this.#handler = handler
    this.#onError = options.onError
    this.#repliesErrors = options.replyErrors ?? false
    this.settled = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  /** The reply to a request. `report` is called with a failure that onError does not get. */
  async reply(
    request: Buffer,
    peer: Peer,
    context: HandlerContext,
    report: (failure: RequestFailure) => void,
  ): Promise<Body | undefined> {
    const marked = this.#repliesErrors ? unmarkRequest(request) : undefined
    const body = marked ?? request
    let kind: FailureKind = 'handler'
    try {
      const given: unknown = this.#handler(body, peer, context)
      // To wait for a Proxy that was revoked throws a TypeError of V8: the check of the body refuses it.
      const result = isRevoked(given) ? given : await given
      if (result === undefined) return undefined
      kind = 'reply'
      const reply = bodyOf(result, 'the answer', 'serve')
      return marked === undefined ? reply : markReply(reply)
    } catch (error) {
      return this.replyTo(new RequestFailure(kind, error), request, peer, report)
    }
  }

  /** The reply to a request that has failed. */
  async replyTo(
    failure: RequestFailure,
    request: Buffer,
    peer: Peer,
    report: (failure: RequestFailure) => void,
  ): Promise<Body | undefined> {
    const marked = this.#repliesErrors ? unmarkRequest(request) : undefined
    const reply = await this.#replyToError(failure, marked ?? request, peer, report)
    if (marked === undefined) return reply
    return reply === undefined ? errorReply(failure.error) : markReply(reply)
  }

  async #replyToError(
    failure: RequestFailure,
    body: Buffer,
    peer: Peer,
    report: (failure: RequestFailure) => void,
  ): Promise<Body | undefined> {
    if (this.#onError === undefined) {
      report(failure)
      return undefined
    }
    try {
      const given: unknown = this.#onError(failure.error, body, peer)
      const result = isRevoked(given) ? given : await given
      return result === undefined ? undefined : bodyOf(result, 'the answer of onError', 'serve')
    } catch (error) {
      report(new RequestFailure('onError', error))
      return undefined
    }
  }

  end(failure?: { error: unknown }): void {
    if (failure === undefined) this.#resolve()
    else this.#reject(failure.error)
  }
}

/** A socket has one handler, which gets all questions. */
function isServing(syscall: string, errno: number): NanomsgError {
  return errnoError(errno, syscall, '', {
    text: 'The socket is serving already: what comes goes to the handler of serve()',
    hint: 'End serve() by its signal first, or open another socket',
  })
}

/** What a Rep or a Respondent does while it serves: questions are answered as they come, in any order. */
export class Service implements ContextHandler {
  readonly #socket: object
  readonly #handle: Handle
  readonly #inbox: Inbox
  readonly #multiplexer: Multiplexer
  readonly #askers: Askers
  readonly #outbox: Outbox
  readonly #monitored: () => Monitor
  #draining: Draining | undefined
  #limit: NodeJS.Timeout | undefined
  #run: Run | undefined

  /**
   * @param socket the one that failures are reported of
   * @param monitored its events
   */
  constructor(socket: object, handle: Handle, inbox: Inbox, outbox: Outbox, monitored: () => Monitor) {
    this.#socket = socket
    this.#handle = handle
    this.#inbox = inbox
    this.#outbox = outbox
    this.#monitored = monitored
    this.#askers = new Askers(handle, monitored)
    this.#multiplexer = new Multiplexer(handle.s, inbox, outbox, this)
    // Messages of contexts come first: what the multiplexer leaves is for the inbox.
    handle.addFirst(this.#multiplexer)
  }

  get room(): number {
    const run = this.#run
    const isTaking = run !== undefined && (!run.isStopping || this.#limit !== undefined)
    return isTaking ? run.concurrency - run.active : 0
  }

  async serve(handler: Handler, given: ServeOptions): Promise<void> {
    const options = ownOptions(given, 'serve')
    checkServeOptions(handler, options)
    if (this.#run !== undefined) throw isServing('serve', constants.errno.EINVAL)
    const { signal } = options
    if (signal?.aborted) return
    const run = new Run(handler, options)
    const onAbort = () => {
      if (options.drain !== undefined) this.#drain(run, options.drain)
      run.isStopping = true
      this.#endIfDone(run)
    }
    this.#draining?.undo()
    this.#draining = undefined
    this.#run = run
    this.#askers.begin()
    this.#inbox.refusal = () => isServing('receive', EFSM)
    this.#handle.waitAdded()
    if (signal !== undefined) addAbortListener(signal, onAbort)
    try {
      this.#multiplexer.onReadable()
      await run.settled
    } finally {
      clearTimeout(this.#limit)
      this.#limit = undefined
      if (this.#run === run) {
        this.#run = undefined
        this.#inbox.refusal = undefined
        this.#askers.rest()
      }
      if (signal !== undefined) removeAbortListener(signal, onAbort)
      this.#handle.waitRemoved()
    }
  }

  onMessage(context: number, body: Buffer, pipe: number): void {
    const run = this.#run
    if (run === undefined) this.#multiplexer.forget(context)
    else void run.context.runInAsyncScope(this.#answer, this, run, context, body, new Peer(this.#handle, pipe))
  }

  async #answer(run: Run, context: number, body: Buffer, peer: Peer): Promise<void> {
    const report = ({ kind, error }: RequestFailure) => {
      if (run.stopsOnError) this.#stop(run, error)
      else reportFailure(this.#socket, kind, error, body, peer)
    }
    run.active++
    run.owed.set(peer.pipe, (run.owed.get(peer.pipe) ?? 0) + 1)
    const asked = new Asked(this.#askers, peer.pipe)
    try {
      this.#send(context, await run.reply(body, peer, asked, report))
    } catch (error) {
      await this.#sendInstead(run, context, new RequestFailure('reply', error), body, peer, report)
    }
    run.active--
    this.#paid(run, peer.pipe)
    asked.end()
    this.#endIfDone(run)
    this.#multiplexer.onReadable()
  }

  /** No reply ends the request as well. */
  #send(context: number, reply: Body | undefined): void {
    if (reply === undefined) this.#multiplexer.forget(context)
    else if (this.#handle.isOpen) this.#multiplexer.send(context, reply)
  }

  /** The reply could not be sent: another one takes its place. */
  async #sendInstead(
    run: Run,
    context: number,
    failure: RequestFailure,
    body: Buffer,
    peer: Peer,
    report: (failure: RequestFailure) => void,
  ): Promise<void> {
    try {
      this.#send(context, await run.replyTo(failure, body, peer, report))
    } catch (error) {
      this.#multiplexer.forget(context)
      report(new RequestFailure('reply', error))
    }
  }

  #paid(run: Run, pipe: number): void {
    const count = run.owed.get(pipe)! - 1
    if (count > 0) {
      run.owed.set(pipe, count)
      return
    }
    run.owed.delete(pipe)
    if (this.#draining === undefined) return
    this.#outbox.endGathering() // the answer leaves before the connection ends
    this.#draining.release(pipe)
  }

  #drain(run: Run, limitMs: number): void {
    if (this.#draining !== undefined || !this.#handle.isOpen) return
    this.#outbox.endGathering()
    const draining = new Draining(this.#handle, this.#monitored(), (pipe) => run.owed.has(pipe))
    this.#draining = draining
    this.#limit = setTimeout(() => {
      draining.disconnectAll()
      run.end()
    }, limitMs)
  }

  /** Ends serving as its signal does, with a limit. */
  async drain(limitMs: number): Promise<void> {
    const run = this.#run
    if (run === undefined) return
    this.#drain(run, limitMs)
    run.isStopping = true
    this.#endIfDone(run)
    await run.settled.catch(() => {}) // serve() tells
  }

  #stop(run: Run, error: unknown): void {
    run.isStopping = true
    run.end({ error })
  }

  #endIfDone(run: Run): void {
    if (run.isStopping && run.active === 0) run.end()
  }

  close(): void {
    this.#askers.end()
    this.#run?.end()
  }

  updateReferences(): void {}
}
