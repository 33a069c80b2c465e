import { errnoError } from './errors.js'
import { native } from './native.js'

/** The engine's counters, by the names that they have here. */
const statistics = {
  establishedConnections: 101,
  acceptedConnections: 102,
  droppedConnections: 103,
  brokenConnections: 104,
  connectErrors: 105,
  bindErrors: 106,
  acceptErrors: 107,
  currentConnections: 201,
  connectionsInProgress: 202,
  currentEndpointErrors: 203,
  rejectedConnections: 116,
  refusedPeers: 118,
  peerConnections: 217,
  handshakes: 218,
  unfinishedBytes: 216,
  messagesSent: 301,
  messagesReceived: 302,
  bytesSent: 303,
  bytesReceived: 304,
  currentSendPriority: 401,
} as const

/** What a socket has done since it was opened, and what it is doing now. */
export interface Statistics {
  /** Connections that we made, and that peers made to us. */
  establishedConnections: number
  acceptedConnections: number
  /** Connections that we closed, and that ended otherwise: by the peer, by an error, because of what it sent. */
  droppedConnections: number
  brokenConnections: number
  /** Attempts that failed. */
  connectErrors: number
  bindErrors: number
  acceptErrors: number
  /** Connections at this moment; attempts under way; endpoints whose last attempt failed. */
  currentConnections: number
  connectionsInProgress: number
  currentEndpointErrors: number
  /** Connections that limits have ended (`maxConnections` and so on); those that peers have made and that are there
   * now; those of them whose handshake is under way. */
  rejectedConnections: number
  /** Peers that `admit` or `origins` have not let in. */
  refusedPeers: number
  peerConnections: number
  handshakes: number
  /** Memory of messages that have come in part, or are long and were not received yet: see `maxUnfinishedBytes`. */
  unfinishedBytes: number
  messagesSent: number
  messagesReceived: number
  /** Bytes of bodies. */
  bytesSent: number
  bytesReceived: number
  /** Priority of the peers that the next message would go to: 1 to 16; 0 when there is none. */
  currentSendPriority: number
  /** Values and bodies that the option `codec` could not make of each other. */
  codecFailures: number
}

function statisticOf(s: number, id: number): number {
  const result = native.statistic(s, id)
  if (typeof result === 'number') throw errnoError(-result, 'statistic')
  return result.value
}

/** 0 when the socket is closed. */
function countOf(s: number, id: number): number {
  const result = native.statistic(s, id)
  return typeof result === 'number' ? 0 : result.value
}

/** Connections at this moment. */
export const currentConnections = (s: number): number => countOf(s, statistics.currentConnections)

/** Attempts to connect that have failed. */
export const connectErrors = (s: number): number => countOf(s, statistics.connectErrors)

/** The counters of an open socket of the engine. */
export function statisticsOf(s: number): Statistics {
  const entries = Object.entries(statistics).map(([name, id]) => [name, statisticOf(s, id)] as const)
  const found = Object.fromEntries(entries) as Record<keyof typeof statistics, number>
  // The engine says -1, as libnanomsg does, when all peers have left.
  return { ...found, currentSendPriority: Math.max(found.currentSendPriority, 0), codecFailures: 0 }
}
