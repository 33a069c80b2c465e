import { constants } from 'node:os'
import type { Duplex } from 'node:stream'
import { argumentError, errnoError, NanomsgError } from '../engine/errors.js'
import { memberOf } from '../engine/own-options.js'
import { inheritsRevoked, isFunction, isInstance } from '../engine/proxies.js'
import type { Attachment } from './endpoint.js'
import type { StreamConnection } from './stream-connection.js'
import { ADDRESS_LIMIT_BYTES, type Listening, OwnTransport, type Transport } from './transport-registry.js'

// Only programs with such transports pay for loading it.
const isDuplex = (value: unknown) => isInstance(value, (require('node:stream') as typeof import('node:stream')).Duplex)

/** Runs with the options that an endpoint was made with. */
export type Within = <Result>(call: () => Result) => Result

/** What an endpoint needs of its socket. */
export interface StreamHost {
  readonly isOpen: boolean
  /** Gives the engine a connection. */
  open(
    endpoint: StreamEndpoint,
    stream: Duplex,
    onEnd: (connection: StreamConnection, error: Error | undefined) => void,
  ): StreamConnection
  /** The attempt of an endpoint has failed. */
  fail(endpoint: StreamEndpoint, error: NanomsgError): void
  /** The endpoint is closed. */
  forget(endpoint: StreamEndpoint): void
  /** A number of milliseconds. */
  option(name: 'reconnectInterval' | 'reconnectIntervalMax' | 'linger'): number
}

/** An endpoint of a transport in JavaScript: its attempts, its connections, and its end. */
export abstract class StreamEndpoint implements Attachment {
  abstract readonly isBound: boolean
  protected isClosed = false
  readonly #connections = new Set<StreamConnection>()
  #retry: NodeJS.Timeout | undefined
  #pauseMs = 0

  constructor(
    protected readonly host: StreamHost,
    protected readonly transport: Transport,
    public address: string,
    readonly within: Within,
  ) {}

  /** Begins. An exception means that it never will. */
  abstract start(): void

  /** Takes the stream, which is destroyed in the end. */
  protected add(stream: Duplex): void {
    if (!isDuplex(stream)) {
      throw argumentError(this.isBound ? 'bind' : 'connect', 'a connection', 'a Duplex of node:stream', stream)
    }
    if (this.isClosed || !this.host.isOpen) {
      destroyUnused(stream)
      return
    }
    try {
      const connection = this.host.open(this, stream, (ended, error) => {
        this.#connections.delete(ended)
        this.onEnd(ended, error)
      })
      this.#connections.add(connection)
    } catch (error) {
      destroyUnused(stream)
      throw error
    }
  }

  protected abstract onEnd(connection: StreamConnection, error: Error | undefined): void

  protected fail(error: unknown): void {
    if (!this.isClosed) this.host.fail(this, asNanomsgError(error, this.isBound ? 'bind' : 'connect', this.address))
  }

  /** Tries again after a while, which grows up to reconnectIntervalMax until resetPause(). */
  protected startLater(): void {
    if (this.isClosed || !this.host.isOpen) return
    const first = this.host.option('reconnectInterval')
    const limit = Math.max(first, this.host.option('reconnectIntervalMax'))
    this.#pauseMs = Math.min(limit, Math.max(first, 2 * this.#pauseMs))
    this.#retry = setTimeout(() => this.#startAgain(), this.#pauseMs).unref()
  }

  protected resetPause(): void {
    this.#pauseMs = 0
  }

  #startAgain(): void {
    try {
      this.start()
    } catch (error) {
      this.fail(error)
      this.startLater()
    }
  }

  close(): void {
    if (this.isClosed) return
    this.stop()
    this.host.forget(this)
    const lingerMs = this.host.option('linger')
    for (const connection of this.#connections) connection.close(lingerMs)
  }

  /** Makes no connections any more. */
  stop(): void {
    this.isClosed = true
    clearTimeout(this.#retry)
    if (this.transport instanceof OwnTransport) this.transport.abandon()
  }
}

/** Keeps one connection, and makes another when it ends. */
export class ConnectingEndpoint extends StreamEndpoint {
  readonly isBound = false

  start(): void {
    const stream = this.transport.connect(this.address)
    if (!isPromise(stream)) {
      this.add(stream)
      return
    }
    stream
      .then((opened) => this.add(opened))
      .catch((error) => {
        this.fail(error)
        this.startLater()
      })
  }

  protected onEnd(connection: StreamConnection, error: Error | undefined): void {
    if (connection.hasReceived) this.resetPause()
    this.startLater()
    if (!connection.hasReceived && error !== undefined) this.fail(error)
  }
}

/** Takes the connections that a transport accepts. */
export class ListeningEndpoint extends StreamEndpoint {
  readonly isBound = true
  #listening: Listening | undefined

  start(): void {
    const { transport } = this
    const listen = memberOf(transport, 'listen')
    if (listen === undefined) {
      throw errnoError(constants.errno.EPROTONOSUPPORT, 'bind', JSON.stringify(this.address))
    }
    const listening = listen.call(transport, this.address, (stream) => this.#accept(stream))
    if (!isPromise(listening)) {
      this.#take(listening)
      return
    }
    listening
      .then((begun) => this.#take(begun))
      .catch((error) => {
        this.fail(error)
        this.startLater()
      })
  }

  /** Only what the transport has done wrong is an exception for it. */
  #accept(stream: Duplex): void {
    try {
      this.add(stream)
    } catch (error) {
      if (!isDuplex(stream)) throw error
      this.fail(error)
    }
  }

  #take(listening: Listening): void {
    if (inheritsRevoked(listening) || !isFunction(listening?.close)) {
      throw argumentError('bind', 'what a transport’s listen() returns', 'an object with close()', listening)
    }
    const address = memberOf(listening, 'address') ?? this.address
    if (typeof address !== 'string' || !address.includes('://') || Buffer.byteLength(address) >= ADDRESS_LIMIT_BYTES) {
      listening.close()
      throw argumentError(
        'bind',
        'the address of a listen()',
        `"scheme://..." of less than ${ADDRESS_LIMIT_BYTES} bytes`,
        address,
      )
    }
    this.#listening = listening
    this.address = address
    if (this.isClosed) listening.close()
  }

  protected onEnd(connection: StreamConnection, error: Error | undefined): void {
    if (!connection.hasReceived && error !== undefined) this.fail(error)
  }

  override stop(): void {
    super.stop()
    this.#listening?.close()
  }
}

/** Some streams report that they are destroyed by an error. */
function destroyUnused(stream: Duplex): void {
  stream.on('error', () => {}).destroy()
}

function isPromise<Value>(value: Value | Promise<Value>): value is Promise<Value> {
  return !inheritsRevoked(value) && isFunction((value as Promise<Value> | undefined)?.then)
}

interface FailureParts {
  readonly own?: NanomsgError
  readonly errno?: unknown
  readonly code?: unknown
  readonly message: string
}

/** What can be read of a value that was thrown, whatever it is. */
function partsOf(thrown: unknown): FailureParts {
  try {
    if (isInstance(thrown, NanomsgError)) return { own: thrown, message: thrown.message }
    const { errno, code, message } = (typeof thrown === 'object' && thrown !== null ? thrown : {}) as FailureParts
    return { errno, code, message: typeof message === 'string' ? message : String(thrown) }
  } catch {
    return { message: 'The transport has failed with an object that cannot be read' }
  }
}

/** What a transport has failed with, as all errors of sockets look. */
function asNanomsgError(thrown: unknown, syscall: string, address: string): NanomsgError {
  const { own, errno, code, message } = partsOf(thrown)
  if (own !== undefined) return own
  const subject = JSON.stringify(address)
  const converted =
    typeof errno === 'number' && errno < 0
      ? errnoError(-errno, syscall, subject)
      : new NanomsgError(`${message}, ${syscall} ${subject}`, {
          code: typeof code === 'string' ? code : 'EIO',
          errno: constants.errno.EIO,
          syscall,
        })
  converted.cause = thrown
  return converted
}
