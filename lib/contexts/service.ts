import { constants } from 'node:os'
import type { Monitor } from '../connections/monitor.js'
import { addAbortListener, removeAbortListener } from '../engine/abort-listeners.js'
import { EFSM } from '../engine/constants.js'
import { errnoError, type NanomsgError } from '../engine/errors.js'
import type { Handle } from '../engine/handle.js'
import { ownOptions } from '../engine/own-options.js'
import { isRevoked } from '../engine/proxies.js'
import { type Body, bodyOf, isSent } from '../messages/bytes.js'
import type { Inbox } from '../messages/inbox.js'
import type { Outbox } from '../messages/outbox.js'
import { Asked, Askers } from './askers.js'
import { Draining } from './draining.js'
import { markReply } from './error-replies.js'
import { reportFailure } from './handler-failures.js'
import { type ContextHandler, Multiplexer } from './multiplexer.js'
import { Peer } from './peer.js'
import { checkServeOptions, type Handler, type ServeOptions } from './serve-options.js'
import { RequestFailure, Serving } from './serving.js'

/** A socket has one handler, which gets all questions. */
function isServing(syscall: string, errno: number): NanomsgError {
  return errnoError(errno, syscall, '', {
    text: 'The socket is serving already: what comes goes to the handler of serve()',
    hint: 'End serve() by its signal first, or open another socket',
  })
}

interface Request {
  readonly context: number
  readonly body: Buffer
  readonly peer: Peer
  /** Its asker understands error replies. */
  readonly isMarked: boolean
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
  #run: Serving | undefined

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
    const run = new Serving(handler, options)
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
    else run.context.runInAsyncScope(this.#answer, this, run, context, body, new Peer(this.#handle, pipe))
  }

  /** Most replies need not be waited for: they are sent at once, without a promise. Where serving ends, all that was
   * taken together counts before the first of it is answered. */
  #answer(run: Serving, context: number, body: Buffer, peer: Peer): void {
    const asked = new Asked(this.#askers, peer.pipe)
    const marked = run.unmarked(body)
    const request = { context, body, peer, isMarked: marked !== undefined }
    let given: unknown
    let failure: RequestFailure | undefined
    run.active++
    run.handledPipe = peer.pipe
    try {
      given = run.handler(marked ?? body, peer, asked)
    } catch (error) {
      failure = new RequestFailure('handler', error)
    }
    run.handledPipe = 0
    if (failure === undefined && !run.isStopping && isSent(given)) {
      failure = this.#tryReply(request, given)
      if (failure === undefined) {
        run.active--
        asked.end()
        return
      }
    }
    run.owe(peer.pipe)
    void this.#answerLater(run, request, asked, given, failure)
  }

  async #answerLater(
    run: Serving,
    request: Request,
    asked: Asked,
    given: unknown,
    failed: RequestFailure | undefined,
  ): Promise<void> {
    const failure = failed ?? (await this.#replyWhenGiven(request, given))
    if (failure !== undefined) await this.#replyInstead(run, request, failure, 2)
    run.active--
    run.pay(request.peer.pipe)
    if (this.#draining !== undefined && !run.owes(request.peer.pipe)) {
      this.#outbox.endGathering() // the answer leaves before the connection ends
      this.#draining.release(request.peer.pipe)
    }
    asked.end()
    this.#endIfDone(run)
    this.#multiplexer.onReadable()
  }

  async #replyWhenGiven(request: Request, given: unknown): Promise<RequestFailure | undefined> {
    let result: unknown
    try {
      // To wait for a Proxy that was revoked throws a TypeError of V8: the check of the body refuses it.
      result = isRevoked(given) ? given : await given
    } catch (error) {
      return new RequestFailure('handler', error)
    }
    return this.#tryReply(request, result)
  }

  /** @returns why it could not be sent */
  #tryReply({ context, isMarked }: Request, result: unknown): RequestFailure | undefined {
    try {
      const reply = result === undefined ? undefined : bodyOf(result, 'the answer', 'serve')
      this.#send(context, reply !== undefined && isMarked ? markReply(reply) : reply)
      return undefined
    } catch (error) {
      return new RequestFailure('reply', error)
    }
  }

  /** No reply ends the request as well. */
  #send(context: number, reply: Body | undefined): void {
    if (reply === undefined) this.#multiplexer.forget(context)
    else if (this.#handle.isOpen) this.#multiplexer.send(context, reply)
  }

  /** There is no reply that could be sent: another one takes its place, and if need be one that tells of that one. */
  async #replyInstead(run: Serving, request: Request, failure: RequestFailure, tries: number): Promise<void> {
    const { context, body, peer } = request
    const report = ({ kind, error }: RequestFailure) => {
      if (run.stopsOnError) this.#stop(run, error)
      else reportFailure(this.#socket, kind, error, body, peer)
    }
    try {
      this.#send(context, await run.replyTo(failure, body, peer, report))
    } catch (error) {
      const next = new RequestFailure('reply', error)
      if (tries > 1) return this.#replyInstead(run, request, next, tries - 1)
      this.#multiplexer.forget(context)
      report(next)
    }
  }

  #drain(run: Serving, limitMs: number): void {
    if (this.#draining !== undefined || !this.#handle.isOpen) return
    this.#outbox.endGathering()
    const owes = (pipe: number) => run.owes(pipe) || this.#multiplexer.hasTaken(pipe)
    const draining = new Draining(this.#handle, this.#monitored(), owes)
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

  #stop(run: Serving, error: unknown): void {
    run.isStopping = true
    run.end({ error })
  }

  #endIfDone(run: Serving): void {
    if (run.isStopping && run.active === 0) run.end()
  }

  close(): void {
    this.#askers.end()
    this.#run?.end()
  }

  updateReferences(): void {}
}
