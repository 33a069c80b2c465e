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
  messagesSent: number
  messagesReceived: number
  /** Bytes of bodies. */
  bytesSent: number
  bytesReceived: number
  /** Priority of the peers that the next message would go to: 1 to 16, or -1 when there is none. */
  currentSendPriority: number
}

/** The counters of an open socket of the engine. */
export function statisticsOf(s: number): Statistics {
  const entries = Object.entries(statistics).map(([name, id]) => [name, native.statistic(s, id)])
  const result = Object.fromEntries(entries) as Statistics
  // The engine has no peer to name a priority of, and counts upwards only.
  if (result.currentSendPriority <= 0) result.currentSendPriority = -1
  return result
}
