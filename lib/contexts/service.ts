import { argumentError } from '../engine/errors.js'
import type { Handle } from '../engine/handle.js'
import { ownOptions } from '../engine/own-options.js'
import { checkWaitOptions } from '../engine/waits.js'
import { type Body, checkBody } from '../messages/bytes.js'
import type { Inbox } from '../messages/inbox.js'
import type { Outbox } from '../messages/outbox.js'
import { type ContextHandler, Multiplexer } from './multiplexer.js'
import { Peer } from './peer.js'

/** Answers one question that a peer has: with its result, or not at all when that is undefined. */
export type Handler = (body: Buffer, peer: Peer) => Body | undefined | Promise<Body | undefined>

export interface ServeOptions {
  /** How many questions may be worked on at a time; others wait at their peers. Default: 64. */
  concurrency?: number | undefined
  /** Ends serving: no more questions are taken, and those at hand are answered. */
  signal?: AbortSignal | undefined
  /** Hears what the handler has thrown, and may answer instead of it. Without it, the first error ends serving and
   * rejects its promise. */
  onError?: ((error: unknown, body: Buffer, peer: Peer) => Body | undefined) | undefined
}

const DEFAULT_CONCURRENCY = 64

function checkServeOptions(handler: unknown, options: unknown): void {
  if (typeof handler !== 'function') {
    throw argumentError('serve', 'the handler', 'a function that returns the answer to a body', handler)
  }
  if (typeof options !== 'object' || options === null) {
    throw argumentError('serve', 'options', 'an object such as { concurrency: 10 }', options)
  }
  const { concurrency, signal, onError } = options as ServeOptions
  checkWaitOptions(ownOptions({ signal }), 'serve')
  if (concurrency !== undefined && !(Number.isInteger(concurrency) && concurrency > 0)) {
    throw argumentError('serve', 'concurrency', 'a whole number from 1 on', concurrency)
  }
  if (onError !== undefined && typeof onError !== 'function') {
    throw argumentError('serve', 'onError', 'a function of an error and a body', onError)
  }
}

/** From a call of serve() until its promise settles. */
class Run {
  readonly concurrency: number
  readonly settled: Promise<void>
  active = 0
  isStopping = false
  #resolve!: () => void
  #reject!: (error: unknown) => void
  readonly #handler: Handler
  readonly #onError: ServeOptions['onError']

  constructor(handler: Handler, { concurrency = DEFAULT_CONCURRENCY, onError }: ServeOptions) {
    this.concurrency = concurrency
    this.#handler = handler
    this.#onError = onError
    this.settled = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  async answer(body: Buffer, peer: Peer): Promise<Body | undefined> {
    let answer: Body | undefined
    try {
      answer = await this.#handler(body, peer)
      if (answer !== undefined) checkBody(answer, 'the answer', 'serve')
    } catch (error) {
      if (this.#onError === undefined) throw error
      answer = this.#onError(error, body, peer)
      if (answer !== undefined) checkBody(answer, 'the answer of onError', 'serve')
    }
    return answer
  }

  end(failure?: { error: unknown }): void {
    if (failure === undefined) this.#resolve()
    else this.#reject(failure.error)
  }
}

/** What a Rep or a Respondent does while it serves: questions are answered as they come, in any order. */
export class Service implements ContextHandler {
  readonly #handle: Handle
  readonly #multiplexer: Multiplexer
  #run: Run | undefined

  constructor(handle: Handle, inbox: Inbox, outbox: Outbox) {
    this.#handle = handle
    this.#multiplexer = new Multiplexer(handle.s, inbox, outbox, this)
    // Messages of contexts come first: what the multiplexer leaves is for the inbox.
    handle.addFirst(this.#multiplexer)
  }

  get room(): number {
    const run = this.#run
    return run === undefined || run.isStopping ? 0 : run.concurrency - run.active
  }

  async serve(handler: Handler, given: ServeOptions): Promise<void> {
    const options = ownOptions(given)
    checkServeOptions(handler, options)
    if (this.#run !== undefined) throw argumentError('serve', 'the socket', 'one that is not serving', 'one that is')
    const { signal } = options
    if (signal?.aborted) return
    const run = new Run(handler, options)
    const onAbort = () => {
      run.isStopping = true
      this.#endIfDone(run)
    }
    this.#run = run
    this.#handle.waitAdded()
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      this.#multiplexer.onReadable()
      await run.settled
    } finally {
      if (this.#run === run) this.#run = undefined
      signal?.removeEventListener('abort', onAbort)
      this.#handle.waitRemoved()
    }
  }

  onMessage(context: number, body: Buffer, pipe: number): void {
    const run = this.#run
    if (run === undefined) this.#multiplexer.forget(context)
    else void this.#answer(run, context, body, new Peer(this.#handle, pipe))
  }

  async #answer(run: Run, context: number, body: Buffer, peer: Peer): Promise<void> {
    run.active++
    try {
      const answer = await run.answer(body, peer)
      if (answer === undefined) this.#multiplexer.forget(context)
      else if (this.#handle.isOpen) this.#multiplexer.send(context, answer)
    } catch (error) {
      this.#multiplexer.forget(context)
      run.isStopping = true
      run.end({ error })
    }
    run.active--
    this.#endIfDone(run)
    this.#multiplexer.onReadable()
  }

  #endIfDone(run: Run): void {
    if (run.isStopping && run.active === 0) run.end()
  }

  close(): void {
    this.#run?.end()
  }

  updateReferences(): void {}
}
