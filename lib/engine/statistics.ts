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
  failedHandshakes: {
    id: 119,
    kind: 'counter',
    help: 'Connections that have ended before their peer was admitted, for any reason',
  },
  wrongProtocols: {
    id: 120,
    kind: 'counter',
    help: 'Those of them whose peer is of a type that does not go with ours',
  },
  malformedHandshakes: { id: 121, kind: 'counter', help: 'Those of them whose peer does not speak the protocol' },
  tlsFailures: { id: 122, kind: 'counter', help: 'Those of them that a certificate has ended' },
  handshakeTimeouts: { id: 123, kind: 'counter', help: 'Those of them whose peer said too little in time' },
  refusedOrigins: { id: 124, kind: 'counter', help: 'Those of them that origins has ended' },
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
  messagesDropped: { id: 305, kind: 'counter', help: 'Messages that were lost here, once for each peer' },
  bytesDropped: { id: 306, kind: 'counter', help: 'Bytes of the messages that were lost here' },
  slowPeers: { id: 308, kind: 'counter', help: 'How often a peer became slow: it took no more' },
  slowDisconnects: { id: 309, kind: 'counter', help: 'Connections that onSlow has ended' },
  requestsInFlight: { id: 219, kind: 'gauge', help: 'Requests that wait for their answers' },
  resends: { id: 307, kind: 'counter', help: 'How often requests were sent again' },
  queuedBytes: { id: 220, kind: 'gauge', help: 'Bytes that wait to be sent' },
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
  /** Counter. Connections, made by either side, that have ended before their peer was admitted, for any reason. The
   * five that follow count some of the reasons, as `rejectedConnections` and `refusedPeers` do. */
  failedHandshakes: number
  /** Counter. Those whose peer is of a type that does not go with ours. */
  wrongProtocols: number
  /** Counter. Those whose peer does not speak the protocol. */
  malformedHandshakes: number
  /** Counter. Those that a certificate has ended: the peer's, or ours that it does not accept. */
  tlsFailures: number
  /** Counter. Those whose peer said too little in time. */
  handshakeTimeouts: number
  /** Counter. Those that `origins` has ended. */
  refusedOrigins: number
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
  /** Counter. Messages that were lost here: for a subscriber or another peer that was full (Pub, Bus, Surveyor: once
   * for each such peer), answers whose peer was full or is gone (Rep, Respondent), messages of peers that nothing
   * waited for, that broke the rules, were longer than `maxMessageSize`, or whose connection ended before they were
   * complete. What no subscription asks for is not lost, nor is what a Pub sends while it has no subscriber. */
  messagesDropped: number
  /** Counter. The bytes of those messages, with the protocol's headers. */
  bytesDropped: number
  /** Counter. How often a peer became slow, as the event `slow` tells. */
  slowPeers: number
  /** Counter. Connections that `onSlow: 'disconnect'` has ended. */
  slowDisconnects: number
  /** Gauge. Requests that wait for their answers (Req), with those that wait for a peer. */
  requestsInFlight: number
  /** Counter. How often requests were sent again (Req): not answered in time, or their peer went away. */
  resends: number
  /** Gauge. Bytes that were accepted for sending, and that neither the kernel nor, over inproc, the peer has taken
   * yet. */
  queuedBytes: number
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
