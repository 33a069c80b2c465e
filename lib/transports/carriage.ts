import { closeSync } from 'node:fs'
import type { Duplex } from 'node:stream'
import type { Attachment } from '../endpoint.js'
import { check, errnoError } from '../errors.js'
import type { FailureEvent } from '../events.js'
import type { Handle } from '../handle.js'
import { type EngineEvent, native } from '../native.js'
import { Carrier } from './carrier.js'
import { type CarriedEndpoint, ConnectingEndpoint, ListeningEndpoint } from './endpoints.js'
import type { Transport } from './registry.js'

/** Who wants to hear of a socket's carried connections. */
interface Watcher {
  /** The engine may have events: take them. */
  onEvents(): void
  onFailure(event: FailureEvent): void
}

/** A socket's endpoints that transports in JavaScript carry, and their connections in the engine. */
export class Carriage {
  readonly #handle: Handle
  readonly #watcher: Watcher
  readonly #endpoints = new Set<CarriedEndpoint>()
  /** Whose the engine's endpoints are: there is one for each connection. */
  readonly #owners = new Map<number, CarriedEndpoint>()

  constructor(handle: Handle, watcher: Watcher) {
    this.#handle = handle
    this.#watcher = watcher
  }

  connect(transport: Transport, address: string): Attachment {
    return this.#start(new ConnectingEndpoint(this, transport, address))
  }

  bind(transport: Transport, address: string): Attachment {
    return this.#start(new ListeningEndpoint(this, transport, address))
  }

  #start(endpoint: CarriedEndpoint): Attachment {
    endpoint.start()
    this.#endpoints.add(endpoint)
    return endpoint
  }

  forget(endpoint: CarriedEndpoint): void {
    this.#endpoints.delete(endpoint)
  }

  /** The socket is being closed, and the engine closes the connections. */
  close(): void {
    for (const endpoint of this.#endpoints) endpoint.close()
  }

  /**
   * Gives the engine a connection.
   *
   * @param onEnd called when it is over
   */
  carry(
    owner: CarriedEndpoint,
    stream: Duplex,
    onEnd: (connection: Connection, error: Error | undefined) => void,
  ): Connection {
    const pair = native.streamPair()
    if (typeof pair === 'number') throw errnoError(-pair, 'socketpair')
    const [theirs, ours] = pair
    const id = native.connect(this.#handle.s, `socket://${theirs}`)
    if (id < 0) {
      closeSync(theirs)
      closeSync(ours)
    }
    check(id, 'connect', JSON.stringify(owner.address))
    this.#owners.set(id, owner)
    const carrier = new Carrier(stream, ours, (error) => {
      connection.shutdown()
      this.#watcher.onEvents()
      this.#owners.delete(id)
      onEnd(connection, error)
    })
    const connection = new Connection(this.#handle, id, carrier)
    return connection
  }

  fail(owner: CarriedEndpoint, error: FailureEvent['error']): void {
    const { address, isBound: bound } = owner
    const remoteAddress = bound ? undefined : address
    this.#watcher.onFailure({ type: 'failure', address, remoteAddress, bound, lost: 0, error })
  }

  asCarried(event: EngineEvent): EngineEvent {
    const owner = this.#owners.get(event.endpoint)
    if (owner === undefined) return event
    const { address, isBound } = owner
    // The credentials would be our own.
    const { credentials: _, ...rest } = event
    return { ...rest, isBound, address, localAddress: address, remoteAddress: address }
  }

  get isOpen(): boolean {
    return this.#handle.isOpen
  }

  /** A number of milliseconds. */
  option(name: 'reconnectInterval' | 'reconnectIntervalMax' | 'linger'): number {
    return this.#handle.isOpen ? (this.#handle.getOption(name) as number) : 0
  }
}

/** A carried connection, as the engine has it: an endpoint of its own. */
export class Connection {
  #isShut = false

  constructor(
    private readonly handle: Handle,
    private readonly id: number,
    readonly carrier: Carrier,
  ) {}

  close(lingerMs: number): void {
    this.carrier.close(lingerMs)
    this.shutdown()
  }

  shutdown(): void {
    if (this.#isShut || !this.handle.isOpen) return
    this.#isShut = true
    // The socket may have been closed by its number, without us.
    native.shutdown(this.handle.s, this.id)
  }
}
