import { constants } from 'node:os'
import type { EngineEvent } from '../engine/binding.js'
import {
  NN_EVENT_CONNECT,
  NN_EVENT_DISCONNECT,
  NN_EVENT_REJECT,
  NN_EVENT_SLOW,
  type ProtocolName,
  protocols,
} from '../engine/constants.js'
import { errnoError, type NanomsgError } from '../engine/errors.js'
import { type PeerInfo, peerInfoOf } from './peer-info.js'

/** Properties of all events. Addresses are as `'tcp://127.0.0.1:5555'`; of ipc and inproc all three are the
 * endpoint's. */
interface AnyEvent {
  /** The endpoint's address, as in `Endpoint.address`. */
  readonly address: string
  /** Whether the endpoint is bound, so that its peers come to us. */
  readonly bound: boolean
  /** Events before this one that were dropped because they were not taken in time; mostly 0. */
  readonly lost: number
}

/** Properties of the events of connections. */
interface AnyConnectionEvent extends AnyEvent, PeerInfo {
  /** Our end of the connection, and the peer's; undefined where the system has forgotten it. */
  readonly localAddress: string | undefined
  readonly remoteAddress: string | undefined
}

/** A peer was admitted: messages can go to and fro. */
export interface ConnectEvent extends AnyConnectionEvent {
  readonly type: 'connect'
  /** The type of the peer. */
  readonly protocol: ProtocolName
  /** Which connection: a number that no other of this process has at that time. */
  readonly pipe: number
}

/** A peer that was admitted is gone, and what it had sent has been received. */
export interface DisconnectEvent extends AnyConnectionEvent {
  readonly type: 'disconnect'
  readonly protocol: ProtocolName
  readonly pipe: number
  /** `closed`: by us; `left`: by the peer; `slow`: by `onSlow: 'disconnect'`; `failed`: `error` says how. */
  readonly reason: 'closed' | 'left' | 'failed' | 'slow'
  /** `ECONNRESET`, `ETIMEDOUT`, ... when the connection broke; `EPROTO` when the peer broke the rules, `EMSGSIZE` when
   * it sent more than `maxMessageSize`, `ENOBUFS` when it was slow. */
  readonly error: NanomsgError | undefined
}

/** A connection has ended before its peer was admitted. */
export interface RejectEvent extends AnyConnectionEvent {
  readonly type: 'reject'
  /** What the peer said it is, if it came to that: a number when it is no type of ours. */
  readonly protocol: ProtocolName | number | undefined
  /** `EPROTOTYPE` (its type does not go with ours), `EPROTO` (it does not speak the protocol), `EBUSY` (a Pair has
   * its peer already), `EMLINK` (one connection too many: `maxConnections`, ...), `ETIMEDOUT` (it said nothing),
   * `EACCES` (a certificate), `ECONNRESET` (it left, perhaps for such a reason), ... */
  readonly error: NanomsgError
}

/** An attempt to connect, or to accept a connection, has failed. It is tried again. */
export interface FailureEvent extends AnyEvent {
  readonly type: 'failure'
  /** Where to; undefined when that was not found out, and with bound endpoints. */
  readonly remoteAddress: string | undefined
  /** `ECONNREFUSED`, `ENOENT`, `EMFILE`, ... */
  readonly error: NanomsgError
}

/** A peer takes no more: messages for it are dropped (Pub, Bus, Surveyor, Rep, Respondent), or its answers wait
 * (`serve()`). It is told once until the peer has taken all that waits for it; over inproc, until it takes more. */
export interface SlowEvent extends AnyConnectionEvent {
  readonly type: 'slow'
  readonly protocol: ProtocolName
  readonly pipe: number
  /** What was dropped of this connection until then, as in `PeerStatus`. */
  readonly messagesDropped: number
  readonly bytesDropped: number
  /** What waits for the peer. */
  readonly queuedBytes: number
}

/** What happens to a socket's connections. */
export type SocketEvent = ConnectEvent | DisconnectEvent | RejectEvent | FailureEvent | SlowEvent

/** The events that sockets emit, and the arguments of their listeners. */
export interface SocketEvents {
  connect: [event: ConnectEvent]
  disconnect: [event: DisconnectEvent]
  reject: [event: RejectEvent]
  failure: [event: FailureEvent]
  slow: [event: SlowEvent]
}

export const eventNames = ['connect', 'disconnect', 'reject', 'failure', 'slow'] as const

const protocolNames = new Map<number, ProtocolName>(
  Object.entries(protocols).map(([name, number]) => [number, name as ProtocolName]),
)

/** What the engine knows better than the errno says stands behind the address. */
function errorOf({ error, problem, address, remoteAddress }: EngineEvent, syscall: string): NanomsgError {
  return errnoError(error, syscall, `${remoteAddress || address}${problem === undefined ? '' : ` (${problem})`}`)
}

function placeOf({ address, isBound: bound, lost, remoteAddress }: EngineEvent) {
  return { address, remoteAddress: remoteAddress || undefined, bound, lost }
}

function connectionOf(event: EngineEvent) {
  return { ...placeOf(event), localAddress: event.localAddress || undefined, ...peerInfoOf(event) }
}

export const protocolOf = ({ protocol }: EngineEvent): ProtocolName | undefined => protocolNames.get(protocol)

/** The pipe that the peer was admitted with. */
function pipeOf({ protocol, pipe }: EngineEvent) {
  return { protocol: protocolNames.get(protocol)!, pipe }
}

function disconnectOf(event: EngineEvent): DisconnectEvent {
  const end = event.error === 0 ? undefined : errorOf(event, 'disconnect')
  const hasLeft = end?.code === 'ESHUTDOWN'
  const failure = end?.code === 'ENOBUFS' ? 'slow' : 'failed'
  return {
    type: 'disconnect',
    ...connectionOf(event),
    ...pipeOf(event),
    reason: end === undefined ? 'closed' : hasLeft ? 'left' : failure,
    error: hasLeft ? undefined : end,
  }
}

function rejectOf(event: EngineEvent): RejectEvent {
  const protocol = protocolNames.get(event.protocol) ?? (event.protocol || undefined)
  return { type: 'reject', ...connectionOf(event), protocol, error: errorOf(event, 'reject') }
}

/** What the resolver has said, by the errno that the engine has for it; the numbers are libuv's. */
const resolverErrors: Readonly<Record<number, { code: string; errno: number }>> = {
  [constants.errno.EHOSTUNREACH]: { code: 'ENOTFOUND', errno: 3008 },
  [constants.errno.EAGAIN]: { code: 'EAI_AGAIN', errno: 3001 },
}

/** An attempt without an address has ended with the name. */
function resolverErrorOf({ error, isBound, remoteAddress, address }: EngineEvent): NanomsgError | undefined {
  const hasName = !isBound && remoteAddress === '' && /^(tcp|tls\+tcp|ws|wss):/.test(address)
  const found = hasName ? resolverErrors[error] : undefined
  return found && errnoError(found.errno, 'connect', address, { code: found.code })
}

function failureOf(event: EngineEvent): FailureEvent {
  const error = resolverErrorOf(event) ?? errorOf(event, event.isBound ? 'accept' : 'connect')
  return { type: 'failure', ...placeOf(event), error }
}

function slowOf(event: EngineEvent): SlowEvent {
  const { messagesDropped = 0, bytesDropped = 0, queuedBytes = 0 } = event
  const dropped = { messagesDropped, bytesDropped, queuedBytes }
  return { type: 'slow', ...connectionOf(event), ...pipeOf(event), ...dropped }
}

/** What users see of an event of the engine. */
export function eventOf(event: EngineEvent): SocketEvent {
  switch (event.type) {
    case NN_EVENT_CONNECT:
      return { type: 'connect', ...connectionOf(event), ...pipeOf(event) }
    case NN_EVENT_DISCONNECT:
      return disconnectOf(event)
    case NN_EVENT_REJECT:
      return rejectOf(event)
    case NN_EVENT_SLOW:
      return slowOf(event)
    default:
      return failureOf(event)
  }
}
