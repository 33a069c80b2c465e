/** What has gone through each connection of a socket. */
import type { ProtocolName } from '../engine/constants.js'
import type { Handle } from '../engine/handle.js'
import { native } from '../engine/native.js'
import { protocolOf } from './events.js'

/** One connection: whose it is, and what has gone through it since its peer was admitted. All but `queuedBytes` grow
 * only. Bytes are those of messages, with the protocol's headers. */
export interface PeerStatus {
  /** Which connection: the number that events and the sender of a request call so, too. */
  readonly pipe: number
  /** The type of the peer. */
  readonly protocol: ProtocolName
  /** The address of our endpoint, as in `Endpoint.address`. */
  readonly address: string
  /** Whether that endpoint is bound, so that the peer came to us. */
  readonly bound: boolean
  readonly localAddress: string | undefined
  readonly remoteAddress: string | undefined
  /** When the peer was admitted. */
  readonly since: Date
  readonly messagesSent: number
  readonly bytesSent: number
  readonly messagesReceived: number
  readonly bytesReceived: number
  /** As in `Statistics`: messages that this peer did not get since it was full, and messages of it that were
   *  dropped. */
  readonly messagesDropped: number
  readonly bytesDropped: number
  /** What waits for the peer, or for the kernel, at this moment. */
  readonly queuedBytes: number
}

/** Undefined when the connection has ended meanwhile. */
function statusOf(handle: Handle, pipe: number, now: number): PeerStatus | undefined {
  const event = handle.peerOf(pipe)
  const counted = native.pipeStatistics(handle.s, pipe)
  if (event === undefined || typeof counted === 'number') return undefined
  const { ageMs, ...counts } = counted
  return {
    pipe,
    protocol: protocolOf(event)!,
    address: event.address,
    bound: event.isBound,
    localAddress: event.localAddress || undefined,
    remoteAddress: event.remoteAddress || undefined,
    since: new Date(now - ageMs),
    ...counts,
  }
}

/** Those of an open socket, the oldest connection first. */
export function peersOf(handle: Handle): PeerStatus[] {
  const now = Date.now()
  return handle.pipes().flatMap((pipe) => statusOf(handle, pipe, now) ?? [])
}
