import { errnoError } from './errors.js'
import { native } from './native.js'

type Kind = 'counter' | 'gauge'

/** Each of them: the engine's number of it (undefined: it is counted here), whether it only grows, and what it says. */
export const statisticTable = {
  establishedConnections: { id: 101, kind: 'counter', help: 'Connections that this side has made' },
  acceptedConnections: { id: 102, kind: 'counter', help: 'Connections that peers have made' },
  droppedConnections: { id: 103, kind: 'counter', help: 'Connections that this side has closed' },
  brokenConnections: {
    id: 104,
    kind: 'counter',
    help: 'Connections that have ended otherwise: by the peer, by an error, because of what it sent',
  },
  connectErrors: { id: 105, kind: 'counter', help: 'Attempts to connect that have failed' },
  bindErrors: { id: 106, kind: 'counter', help: 'Attempts to bind that have failed' },
  acceptErrors: { id: 107, kind: 'counter', help: 'Attempts to accept a connection that have failed' },
  currentConnections: { id: 201, kind: 'gauge', help: 'Connections at this moment' },
  connectionsInProgress: { id: 202, kind: 'gauge', help: 'Attempts to connect that are under way' },
  currentEndpointErrors: { id: 203, kind: 'gauge', help: 'Endpoints whose last attempt has failed' },
  rejectedConnections: {
    id: 116,
    kind: 'counter',
    help: 'Connections that limits have ended: maxConnections and so on',
  },
  refusedPeers: { id: 118, kind: 'counter', help: 'Peers that admit or origins have not let in' },
  peerConnections: { id: 217, kind: 'gauge', help: 'Connections that peers have made and that are there now' },
  handshakes: { id: 218, kind: 'gauge', help: 'Those of them whose handshake is under way' },
  unfinishedBytes: {
    id: 216,
    kind: 'gauge',
    help: 'Memory of messages that have come in part, or are long and were not received yet',
  },
  messagesSent: { id: 301, kind: 'counter', help: 'Messages that were sent' },
  messagesReceived: { id: 302, kind: 'counter', help: 'Messages that were received' },
  bytesSent: { id: 303, kind: 'counter', help: 'Bytes of the bodies that were sent' },
  bytesReceived: { id: 304, kind: 'counter', help: 'Bytes of the bodies that were received' },
  currentSendPriority: {
    id: 401,
    kind: 'gauge',
    help: 'Priority of the peers that the next message would go to: 1 to 16, 0 when there is none',
  },
  codecFailures: {
    id: undefined,
    kind: 'counter',
    help: 'Values and bodies that the option codec could not make of each other',
  },
} as const satisfies Record<string, { id: number | undefined; kind: Kind; help: string }>

export type StatisticName = keyof typeof statisticTable

/** What a socket has done since it was opened, and what it is doing now. A counter only grows; a gauge is what is so at
 * this moment. */
export interface Statistics {
  /** Counter. Connections that this side has made. */
  establishedConnections: number
  /** Counter. Connections that peers have made. */
  acceptedConnections: number
  /** Counter. Connections that this side has closed. */
  droppedConnections: number
  /** Counter. Connections that have ended otherwise: by the peer, by an error, because of what it sent. */
  brokenConnections: number
  /** Counter. Attempts to connect that have failed. */
  connectErrors: number
  /** Counter. Attempts to bind that have failed. */
  bindErrors: number
  /** Counter. Attempts to accept a connection that have failed. */
  acceptErrors: number
  /** Gauge. Connections at this moment. */
  currentConnections: number
  /** Gauge. Attempts to connect that are under way. */
  connectionsInProgress: number
  /** Gauge. Endpoints whose last attempt has failed. */
  currentEndpointErrors: number
  /** Counter. Connections that limits have ended: maxConnections and so on. */
  rejectedConnections: number
  /** Counter. Peers that admit or origins have not let in. */
  refusedPeers: number
  /** Gauge. Connections that peers have made and that are there now. */
  peerConnections: number
  /** Gauge. Those of them whose handshake is under way. */
  handshakes: number
  /** Gauge. Memory of messages that have come in part, or are long and were not received yet. */
  unfinishedBytes: number
  /** Counter. Messages that were sent. */
  messagesSent: number
  /** Counter. Messages that were received. */
  messagesReceived: number
  /** Counter. Bytes of the bodies that were sent. */
  bytesSent: number
  /** Counter. Bytes of the bodies that were received. */
  bytesReceived: number
  /** Gauge. Priority of the peers that the next message would go to: 1 to 16, 0 when there is none. */
  currentSendPriority: number
  /** Counter. Values and bodies that the option `codec` could not make of each other. */
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
export const currentConnections = (s: number): number => countOf(s, statisticTable.currentConnections.id)

/** Attempts to connect that have failed. */
export const connectErrors = (s: number): number => countOf(s, statisticTable.connectErrors.id)

/** The counters of an open socket of the engine. */
export function statisticsOf(s: number): Statistics {
  const entries = Object.entries(statisticTable).map(
    ([name, { id }]) => [name, id === undefined ? 0 : statisticOf(s, id)] as const,
  )
  const found = Object.fromEntries(entries) as Record<StatisticName, number>
  // The engine says -1, as libnanomsg does, when all peers have left.
  return { ...found, currentSendPriority: Math.max(found.currentSendPriority, 0) }
}
