/** What the engine knows when a call is given up: which peers are connected, and what has failed last. */
import { constants } from 'node:os'
import { protocols } from '../engine/constants.js'
import { poison } from '../engine/error-texts.js'
import { type Circumstances, errnoError, type NanomsgError } from '../engine/errors.js'
import type { Handle } from '../engine/handle.js'
import { native } from '../engine/native.js'
import { NN_SUB_SUBSCRIPTIONS } from '../engine/option-numbers.js'
import { connectErrors, currentConnections } from '../engine/statistics.js'
import { eventOf } from './events.js'

interface Failure {
  readonly error: NanomsgError
  readonly ageMs: number
}

function lastFailureOf({ s }: Handle): Failure | undefined {
  const engineEvent = native.lastFailure(s)
  if (typeof engineEvent === 'number') return undefined
  const event = eventOf(engineEvent)
  const error = event.type === 'connect' || event.type === 'slow' ? undefined : event.error
  return error === undefined ? undefined : { error, ageMs: engineEvent.ageMs }
}

/** Whether it is a Sub that receives nothing. */
function hasNoSubscription({ s, protocol }: Handle): boolean {
  if (protocol !== 'sub') return false
  const count = native.getOption(s, protocols.sub, NN_SUB_SUBSCRIPTIONS)
  return typeof count === 'object' && count.value === 0
}

function connectedText({ endpointCount }: Handle, peers: number, expected?: number): string {
  if (peers === 0 && endpointCount === 0) return 'the socket is neither bound nor connected'
  if (expected !== undefined) return `${peers} of ${expected} peers are connected`
  if (peers === 0) return 'no peer is connected'
  return peers === 1 ? '1 peer is connected' : `${peers} peers are connected`
}

function sentText(sent: number): string {
  if (sent === 0) return 'the request was not sent yet'
  return `the request was sent ${sent === 1 ? 'once' : `${sent} times`}, and no reply has come`
}

function ageText(ageMs: number): string {
  const seconds = Math.floor(ageMs / 1000)
  return seconds === 0 ? '' : `, ${seconds} s ago`
}

/** What to do, where it is certain. */
function adviceOf(handle: Handle, peers: number, isUnsubscribed: boolean): string | undefined {
  if (peers === 0 && handle.endpointCount === 0) return 'Call bind() or connect() first'
  if (isUnsubscribed) return "Call subscribe() with prefixes, or with '' for all messages"
  return undefined
}

interface Call {
  /** How often its request was sent. */
  readonly sent?: number
  /** How many peers it waited for. */
  readonly expected?: number
  /** How many peers have gone away while they had its request. */
  readonly lost?: number
}

const lostText = (lost: number): string =>
  `${lost === 1 ? '1 peer' : `${lost} peers`} went away while they worked on it`

function failed(errno: number, handle: Handle, syscall: string, { sent, expected, lost }: Call): NanomsgError {
  const peers = currentConnections(handle.s)
  const failure = lastFailureOf(handle)
  const isUnsubscribed = syscall === 'receive' && hasNoSubscription(handle)
  const known = [
    connectedText(handle, peers, expected),
    ...(isUnsubscribed ? ['this Sub has no subscription'] : []),
    ...(sent === undefined ? [] : [sentText(sent)]),
    ...(failure === undefined ? [] : [`the last failure${ageText(failure.ageMs)}: ${failure.error.message}`]),
  ]
  const advice = lost === undefined ? adviceOf(handle, peers, isUnsubscribed) : poison
  const circumstances: Circumstances = {
    peers,
    attempts: connectErrors(handle.s),
    ...(sent !== undefined && { sent }),
    ...(lost !== undefined && { lost }),
    ...(failure !== undefined && { lastFailure: failure.error }),
  }
  return errnoError(errno, syscall, `(${known.join('; ')})`, {
    ...circumstances,
    ...(lost !== undefined && { text: lostText(lost) }),
    ...(advice !== undefined && { hint: advice }),
  })
}

/** The call has waited as long as it was told to. */
export function timeoutError(handle: Handle, syscall: string, call: Call = {}): NanomsgError {
  return failed(constants.errno.ETIMEDOUT, handle, syscall, call)
}

/** As many peers have gone away while they had the request as it had attempts. */
export function lostError(handle: Handle, lost: number): NanomsgError {
  return failed(constants.errno.ECONNRESET, handle, 'request', { lost })
}

interface Conditions {
  readonly ifConnected?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

/** Throws when the call asks for it and no peer is connected. The reason of a signal that is aborted comes first. */
export function checkConnected(handle: Handle, syscall: string, conditions: Conditions | undefined): void {
  if (!conditions?.ifConnected || conditions.signal?.aborted) return
  if (currentConnections(handle.s) === 0) throw failed(constants.errno.ENOTCONN, handle, syscall, {})
}
