import { constants } from 'node:os'
import type { Duplex } from 'node:stream'
import { argumentError, errnoError } from '../engine/errors.js'
import { memberOf } from '../engine/own-options.js'
import { inheritsRevoked, isFunction, REVOKED } from '../engine/proxies.js'

/** NN_SOCKADDR_MAX: the engine knows no longer ones. */
export const ADDRESS_LIMIT_BYTES = 128

/** What a transport's `listen` gives back. */
export interface Listening {
  /** Where peers can connect to, when that is more than the address says: with the port that the system chose. */
  readonly address?: string | undefined
  /** No more connections. Those that exist are closed by the endpoint. */
  close(): unknown
}

/**
 * A way to carry connections, each a Node stream of bytes: what is written at one end is read at the other. Addresses
 * are whole: `scheme://...`.
 *
 * An address that can never do is an exception thrown at once, which `bind()` or `connect()` of the socket passes on.
 * What may go better later is a rejected promise: it is a `failure` event, and tried again after `reconnectInterval`.
 */
export interface Transport {
  /** Makes a connection. It may still be opening: an error of the stream is a failure as well. */
  connect(address: string): Duplex | Promise<Duplex>
  /** Accepts connections until it is closed. Without it, the scheme's addresses can only be connected to. */
  listen?(address: string, onConnection: (connection: Duplex) => void): Listening | Promise<Listening>
}

/** A transport of ours, for one endpoint. */
export abstract class OwnTransport implements Transport {
  abstract connect(address: string): Promise<Duplex>
  abstract listen(address: string, onConnection: (connection: Duplex) => void): Promise<Listening>
  /** The endpoint is closed: what is no connection yet will not be taken. */
  abstract abandon(): void
}

const builtIn = ['tcp', 'tls+tcp', 'ws', 'wss', 'ipc', 'unix', 'abstract', 'socket', 'inproc']
const transports = new Map<string, Transport>()

/**
 * From now on addresses `scheme://...` are the transport's, in all sockets of this thread.
 *
 * @param scheme Lower-case letters, digits, `+`, `-`, `.`; it begins with a letter.
 * @throws {NanomsgError} `EINVAL` (an argument is wrong), `EEXIST` (there is such a transport).
 */
export function registerTransport(scheme: string, transport: Transport): void {
  if (typeof scheme !== 'string' || !/^[a-z][a-z0-9+.-]*$/.test(scheme)) {
    throw argumentError('registerTransport', 'scheme', 'a name such as "quic"', scheme)
  }
  if (inheritsRevoked(transport)) {
    throw argumentError('registerTransport', 'the transport', 'an object with connect()', REVOKED)
  }
  const connect: unknown = transport?.connect
  if (!isFunction(connect)) throw argumentError('registerTransport', 'connect', 'a function', connect)
  const listen = memberOf(transport, 'listen')
  if (listen !== undefined && !isFunction(listen)) {
    throw argumentError('registerTransport', 'listen', 'a function', listen)
  }
  if (builtIn.includes(scheme) || transports.has(scheme)) {
    throw errnoError(constants.errno.EEXIST, 'registerTransport', JSON.stringify(scheme))
  }
  transports.set(scheme, transport)
}

/** Whose the address is, if it is not the engine's. */
export function transportOf(address: string): Transport | undefined {
  const end = address.indexOf('://')
  return end < 0 ? undefined : transports.get(address.slice(0, end))
}
