import { AsyncResource } from 'node:async_hooks'
import { isRevoked } from '../engine/proxies.js'
import { type Body, bodyOf } from '../messages/bytes.js'
import { errorReply, markReply, unmarkRequest } from './error-replies.js'
import type { FailureKind } from './handler-failures.js'
import type { Peer } from './peer.js'
import type { Handler, ServeOptions } from './serve-options.js'

const DEFAULT_CONCURRENCY = 64

/** A failure of a request: which of the steps to its reply has failed. */
export class RequestFailure {
  constructor(
    readonly kind: FailureKind,
    readonly error: unknown,
  ) {}
}

/** From a call of serve() until its promise settles. */
export class Serving {
  readonly concurrency: number
  readonly settled: Promise<void>
  active = 0
  isStopping = false
  /** The connection of the request whose handler is called just now, 0: none. */
  handledPipe = 0
  readonly handler: Handler
  /** How many requests wait for what their handlers promised, by connection. */
  readonly #owed = new Map<number, number>()
  /** Handlers run in the context of AsyncLocalStorage in which serve() was called, as those of node:http do. */
  readonly context = new AsyncResource('NanomsgServe')
  #resolve!: () => void
  #reject!: (error: unknown) => void
  readonly stopsOnError: boolean
  readonly #onError: ServeOptions['onError']
  readonly #repliesErrors: boolean

  constructor(handler: Handler, options: ServeOptions) {
    this.concurrency = options.concurrency ?? DEFAULT_CONCURRENCY
    this.stopsOnError = options.stopOnError ?? false
    this.handler = handler
    this.#onError = options.onError
    this.#repliesErrors = options.replyErrors ?? false
    this.settled = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  /** The request without the mark of one whose asker understands error replies, or undefined: it has none. */
  unmarked(request: Buffer): Buffer | undefined {
    return this.#repliesErrors ? unmarkRequest(request) : undefined
  }

  /** Whether a request that came by the connection is worked on. */
  owes(pipe: number): boolean {
    return pipe === this.handledPipe || this.#owed.has(pipe)
  }

  /** A request of the connection waits for its reply. */
  owe(pipe: number): void {
    this.#owed.set(pipe, (this.#owed.get(pipe) ?? 0) + 1)
  }

  /** It has its reply. */
  pay(pipe: number): void {
    const count = this.#owed.get(pipe)! - 1
    if (count > 0) this.#owed.set(pipe, count)
    else this.#owed.delete(pipe)
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
