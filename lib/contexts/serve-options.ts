import { argumentError } from '../engine/errors.js'
import { ownOptions } from '../engine/own-options.js'
import { isFunction } from '../engine/proxies.js'
import { checkWaitOptions } from '../engine/waits.js'
import type { Body } from '../messages/bytes.js'
import type { HandlerContext } from './askers.js'
import { checkDrain } from './draining.js'
import type { Peer } from './peer.js'

/** Answers one question that a peer has: with its result, or not at all when that is undefined. */
export type Handler<In = Buffer, Out = Body> = (
  body: In,
  peer: Peer,
  context: HandlerContext,
) => Out | undefined | Promise<Out | undefined>

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
  /** A request of `request(…, { expectErrors: true })` gets an error as its reply when its handler fails: the name,
   * the message and the code of the error, which its asker can read. Other askers never see such a reply. Default:
   * false. */
  replyErrors?: boolean | undefined
}

// biome-ignore lint/suspicious/noConfusingVoidType: a handler that only logs returns nothing
type Reply = Body | undefined | void

export function checkServeOptions(handler: unknown, options: unknown): void {
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
