import type { Admit } from './candidate.js'
import { protocols } from './constants.js'
import type { IpcOwner } from './ipc-owner.js'
import type { KeepAlive } from './keep-alive.js'
import * as nn from './option-numbers.js'
import type { RequestHeaders } from './request-headers.js'
import type { TlsOptions } from './tls.js'

type Kind =
  | 'milliseconds'
  | 'milliseconds or -1'
  | 'bytes'
  | 'bytes or -1'
  | 'number or -1'
  | 'priority'
  | 'hops'
  | 'count or 0'
  | 'boolean'
  | 'inverted'
  | 'text or binary'
  | 'mode or -1'
  | 'policy'

interface Option {
  readonly level: number
  readonly number: number
  readonly kind: Kind
}

/** Options that have properties of their own kind are not in the table. */
export type CommonOptionName = Exclude<
  keyof SocketOptions,
  'requestHeaders' | 'origins' | 'tls' | 'name' | 'admit' | 'admitTimeout' | 'ipcOwner' | 'keepAlive'
>

/** The options of every socket that are numbers or booleans, by the names of their properties. */
export const commonOptions = {
  linger: { level: nn.NN_SOL_SOCKET, number: nn.NN_LINGER, kind: 'milliseconds or -1' },
  sendBuffer: { level: nn.NN_SOL_SOCKET, number: nn.NN_SNDBUF, kind: 'bytes' },
  receiveBuffer: { level: nn.NN_SOL_SOCKET, number: nn.NN_RCVBUF, kind: 'bytes' },
  sendTimeout: { level: nn.NN_SOL_SOCKET, number: nn.NN_SNDTIMEO, kind: 'milliseconds or -1' },
  receiveTimeout: { level: nn.NN_SOL_SOCKET, number: nn.NN_RCVTIMEO, kind: 'milliseconds or -1' },
  reconnectInterval: { level: nn.NN_SOL_SOCKET, number: nn.NN_RECONNECT_IVL, kind: 'milliseconds' },
  reconnectIntervalMax: { level: nn.NN_SOL_SOCKET, number: nn.NN_RECONNECT_IVL_MAX, kind: 'milliseconds' },
  sendPriority: { level: nn.NN_SOL_SOCKET, number: nn.NN_SNDPRIO, kind: 'priority' },
  receivePriority: { level: nn.NN_SOL_SOCKET, number: nn.NN_RCVPRIO, kind: 'priority' },
  ipv6: { level: nn.NN_SOL_SOCKET, number: nn.NN_IPV4ONLY, kind: 'inverted' },
  maxMessageSize: { level: nn.NN_SOL_SOCKET, number: nn.NN_RCVMAXSIZE, kind: 'bytes or -1' },
  maxTtl: { level: nn.NN_SOL_SOCKET, number: nn.NN_MAXTTL, kind: 'hops' },
  maxUnfinishedBytes: { level: nn.NN_SOL_SOCKET, number: nn.NN_MAX_UNFINISHED_BYTES, kind: 'bytes or -1' },
  maxConnections: { level: nn.NN_SOL_SOCKET, number: nn.NN_MAX_CONNECTIONS, kind: 'number or -1' },
  maxConnectionsPerEndpoint: {
    level: nn.NN_SOL_SOCKET,
    number: nn.NN_MAX_CONNECTIONS_PER_ENDPOINT,
    kind: 'number or -1',
  },
  maxConnectionsPerAddress: {
    level: nn.NN_SOL_SOCKET,
    number: nn.NN_MAX_CONNECTIONS_PER_ADDRESS,
    kind: 'number or -1',
  },
  maxHandshakes: { level: nn.NN_SOL_SOCKET, number: nn.NN_MAX_HANDSHAKES, kind: 'number or -1' },
  tcpNoDelay: { level: nn.NN_TCP, number: nn.NN_TCP_NODELAY, kind: 'boolean' },
  ipcMode: { level: nn.NN_IPC, number: nn.NN_IPC_MODE, kind: 'mode or -1' },
  textFrames: { level: nn.NN_WS, number: nn.NN_WS_MSG_TYPE, kind: 'text or binary' },
} as const satisfies Record<CommonOptionName, Option>

/** The same with those of single types of sockets. */
export const options = {
  ...commonOptions,
  resendInterval: { level: protocols.req, number: nn.NN_REQ_RESEND_IVL, kind: 'milliseconds' },
  maxInFlight: { level: protocols.req, number: nn.NN_REQ_MAX_IN_FLIGHT, kind: 'count or 0' },
  attempts: { level: protocols.req, number: nn.NN_REQ_ATTEMPTS, kind: 'count or 0' },
  onSlow: { level: nn.NN_SOL_SOCKET, number: nn.NN_ON_SLOW, kind: 'policy' },
  deadline: { level: protocols.surveyor, number: nn.NN_SURVEYOR_DEADLINE, kind: 'milliseconds' },
} as const satisfies Record<string, Option>

export type OptionName = keyof typeof options

const MAX_INT = 0x7fffffff

/** What each kind of value must be, and how a message says it. */
const ranges: Readonly<Record<Kind, { lowest: number; highest: number; expectation: string }>> = {
  milliseconds: { lowest: 0, highest: MAX_INT, expectation: 'a whole number of milliseconds' },
  'milliseconds or -1': {
    lowest: -1,
    highest: MAX_INT,
    expectation: 'a whole number of milliseconds, or -1 for no limit',
  },
  bytes: { lowest: 1, highest: MAX_INT, expectation: 'a whole number of bytes, at least 1' },
  'bytes or -1': { lowest: -1, highest: MAX_INT, expectation: 'a whole number of bytes, or -1 for no limit' },
  'number or -1': { lowest: -1, highest: MAX_INT, expectation: 'a whole number, or -1 for no limit' },
  priority: { lowest: 1, highest: 16, expectation: 'a whole number from 1 (highest) to 16' },
  hops: { lowest: 1, highest: 255, expectation: 'a whole number from 1 to 255' },
  'count or 0': { lowest: 0, highest: MAX_INT, expectation: 'a whole number from 1 on, or 0 for no limit' },
  'mode or -1': { lowest: -1, highest: 0o777, expectation: 'a mode from 0 to 0o777, or -1 for that of the umask' },
  boolean: { lowest: 0, highest: 1, expectation: 'true or false' },
  inverted: { lowest: 0, highest: 1, expectation: 'true or false' },
  'text or binary': { lowest: 1, highest: 2, expectation: 'true or false' },
  policy: { lowest: nn.NN_SLOW_DROP, highest: nn.NN_SLOW_DISCONNECT, expectation: "'drop' or 'disconnect'" },
}

/** What is done about a slow peer, by the engine's number of it. */
const policies = ['drop', 'disconnect'] as const

/** What the engine calls true. */
const truths: Partial<Record<Kind, number>> = { boolean: 1, inverted: 0, 'text or binary': 1 }

export const isBoolean = (kind: Kind): boolean => truths[kind] !== undefined

/** The value in the engine's terms, or undefined when it is not allowed. */
export function toEngine(kind: Kind, value: unknown): number | undefined {
  const { lowest, highest } = ranges[kind]
  const truth = truths[kind]
  if (kind === 'policy') {
    const policy = policies.indexOf(value as (typeof policies)[number])
    return policy < 0 ? undefined : policy
  }
  if (truth !== undefined) {
    return typeof value === 'boolean' ? (value ? truth : lowest + highest - truth) : undefined
  }
  return Number.isInteger(value) && (value as number) >= lowest && (value as number) <= highest
    ? (value as number)
    : undefined
}

export function fromEngine(kind: Kind, value: number): number | boolean | string {
  if (kind === 'policy') return policies[value]!
  return isBoolean(kind) ? value === truths[kind] : value
}

export const expectationOf = (kind: Kind): string => ranges[kind].expectation

/** Options that can be given to every socket's constructor; each is a property of the socket, too. */
export interface SocketOptions {
  /** Milliseconds for which `close()` goes on delivering accepted messages; -1: as long as it takes. Default: 1000. */
  linger?: number | undefined
  /** Bytes that are kept for a peer which does not take them yet, by the engine where the system does not allow as
   * much; beyond, sending waits. Default: 131072; the system's own buffers, until it is set, may hold more. */
  sendBuffer?: number | undefined
  /** Bytes that are kept from a peer in the same process before it has to wait. Default: 131072, or 17 messages of any
   * size. */
  receiveBuffer?: number | undefined
  /** Milliseconds for which `send()` waits for a peer; -1: for ever. Default: -1. */
  sendTimeout?: number | undefined
  /** Milliseconds for which `receive()` waits for a message; -1: for ever. Default: -1. */
  receiveTimeout?: number | undefined
  /** Milliseconds until a connection that has failed twice is tried again. Default: 100. */
  reconnectInterval?: number | undefined
  /** The interval doubles with each failure, up to this number of milliseconds, and is then any time between
   * `reconnectInterval` and what it has become, by chance. 0: it stays as it is. Default: 5000. */
  reconnectIntervalMax?: number | undefined
  /** Priority of peers of later endpoints when sending: 1 (highest) to 16. Default: 8. */
  sendPriority?: number | undefined
  /** Priority of peers of later endpoints when receiving: 1 (highest) to 16. Default: 8. */
  receivePriority?: number | undefined
  /** Whether names may be resolved to IPv6 addresses as well as to IPv4's, and wildcards be bound for both. An
   * interface that has addresses of both is bound to that of IPv6: for peers of IPv4, give its address or false here.
   * Default: true. */
  ipv6?: boolean | undefined
  /** Bytes of the longest message that is received: a peer that sends a longer one is disconnected. -1: no limit.
   * Default: 1048576. */
  maxMessageSize?: number | undefined
  /** How many devices a message may have passed through: 1 to 255. Default: 8. */
  maxTtl?: number | undefined
  /** Bytes of memory for all messages of peers that have come in part only, or are longer than 16 KiB and were not
   * received yet. When they have as many, further ones wait with their peers; each peer may still send short ones, and
   * one message can always go on. -1: no limit. Default: 268435456. */
  maxUnfinishedBytes?: number | undefined
  /** Connections that peers may have made to this socket at a time; -1: no limit. Default: -1. */
  maxConnections?: number | undefined
  /** The same for each endpoint that is bound later. Default: -1. */
  maxConnectionsPerEndpoint?: number | undefined
  /** The same for peers of one IP address, or of IPv6 addresses whose first 64 bits are the same. Default: -1. */
  maxConnectionsPerAddress?: number | undefined
  /** Connections that peers have made whose handshake is under way: the next one takes the place of the oldest one. -1:
   * no limit. Default: 1024. */
  maxHandshakes?: number | undefined
  /** Decides about each peer that connects to an endpoint bound later, with what is known of it, before anything is
   * said to it: true lets it in. Not for inproc. Default: all are let in. */
  admit?: Admit | undefined
  /** Milliseconds for `admit` to decide; then the peer is refused. -1: no limit. Peers of tcp and ipc themselves wait
   * for a second, those of WebSocket for five. Default: 1000. */
  admitTimeout?: number | undefined
  /** The mode of the files of `ipc://` endpoints bound later, such as `0o660`: a process that may not write to one
   * cannot connect. Default: -1, as the umask has it. */
  ipcMode?: number | undefined
  /** The user and group that these files are given to. Default: those of the process. */
  ipcOwner?: IpcOwner | undefined
  /** When a silent peer of later connections over tcp, ws and TLS is asked whether it is there, and counts as gone:
   * `{ idle: 10_000, interval: 2000, count: 3 }`, in milliseconds. Default: as the system has it, often two hours. */
  keepAlive?: KeepAlive | undefined
  /** Whether small messages leave at once, without waiting for more (TCP_NODELAY). Default: true. */
  tcpNoDelay?: boolean | undefined
  /** Whether messages leave in text frames over WebSocket, as a browser reads them as strings; they must be UTF-8 then.
   * Not for Req, Rep, Surveyor and Respondent, whose messages begin with binary headers. Default: false. */
  textFrames?: boolean | undefined
  /** Headers that `connect()` adds to its request to open a WebSocket, such as `{ Authorization: 'Bearer …' }`; for
   * endpoints made later. At most 3072 bytes as lines of HTTP. Default: none. */
  requestHeaders?: RequestHeaders | undefined
  /** Web pages that may connect to `ws://` and `wss://` endpoints bound later, by their origins: `https://example.org`,
   * `null` (pages without one, such as files), `*` (all). Pages of the endpoint's own host and port may always, and so
   * may whatever is no web page. Default: no others. */
  origins?: readonly string[] | undefined
  /** Certificates for `tls+tcp://` and `wss://`, and which peers to accept; for endpoints made later. Default: none of
   * its own; servers must have one that an authority known to the system has signed. */
  tls?: TlsOptions | undefined
  /** A name for statistics and logs, at most 63 bytes. Default: the engine's number of the socket. */
  name?: string | undefined
}

/** Of sockets that drop what a peer does not take. */
export interface SlowPeerOptions {
  /** What is done about a peer that takes no more, as the event `slow` tells. `'drop'`: it misses messages; an answer
   * of `serve()` waits. `'disconnect'`: its connection ends, with the reason `'slow'`, and what waits for it is lost;
   * a peer that has connected connects again. Other peers do not notice. Default: drop. */
  onSlow?: OnSlow | undefined
}

export type OnSlow = 'drop' | 'disconnect'
