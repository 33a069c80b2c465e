import type { Duplex } from 'node:stream'
import type { Handle } from '../engine/handle.js'
import type { Part } from '../engine/part.js'
import type { Attachment } from './endpoint.js'
import type { FailureEvent } from './events.js'
import { StreamConnection } from './stream-connection.js'
import {
  ConnectingEndpoint,
  ListeningEndpoint,
  type StreamEndpoint,
  type StreamHost,
  type Within,
} from './stream-endpoint.js'
import type { Transport } from './transport-registry.js'

/** A socket's endpoints whose connections are streams of transports in JavaScript. */
export class StreamEndpoints implements Part, StreamHost {
  readonly #handle: Handle
  readonly #onFailure: (event: FailureEvent) => void
  readonly #endpoints = new Set<StreamEndpoint>()
  readonly #connections = new Set<StreamConnection>()

  constructor(handle: Handle, onFailure: (event: FailureEvent) => void) {
    this.#handle = handle
    this.#onFailure = onFailure
  }

  connect(transport: Transport, address: string, within: Within): Attachment {
    return this.#start(new ConnectingEndpoint(this, transport, address, within))
  }

  bind(transport: Transport, address: string, within: Within): Attachment {
    return this.#start(new ListeningEndpoint(this, transport, address, within))
  }

  #start(endpoint: StreamEndpoint): Attachment {
    endpoint.start()
    this.#endpoints.add(endpoint)
    return endpoint
  }

  forget(endpoint: StreamEndpoint): void {
    this.#endpoints.delete(endpoint)
  }

  /** The socket is being closed: the engine closes the connections when all that was accepted has gone to them. */
  onClosing(): void {
    const lingerMs = this.option('linger')
    for (const endpoint of this.#endpoints) endpoint.stop()
    for (const connection of this.#connections) connection.linger(lingerMs)
  }

  /**
   * Gives the engine a connection.
   *
   * @param onEnd called when it is over
   */
  open(
    { address, isBound, within }: StreamEndpoint,
    stream: Duplex,
    onEnd: (connection: StreamConnection, error: Error | undefined) => void,
  ): StreamConnection {
    const lingerMs = this.option('linger')
    const connection = within(
      () =>
        new StreamConnection(stream, this.#handle.s, { address, isBound, lingerMs }, (error) => {
          this.#connections.delete(connection)
          onEnd(connection, error)
        }),
    )
    this.#connections.add(connection)
    return connection
  }

  fail({ address, isBound: bound }: StreamEndpoint, error: FailureEvent['error']): void {
    const remoteAddress = bound ? undefined : address
    this.#onFailure({ type: 'failure', address, remoteAddress, bound, lost: 0, error })
  }

  get isOpen(): boolean {
    return this.#handle.isOpen
  }

  /** A number of milliseconds. */
  option(name: 'reconnectInterval' | 'reconnectIntervalMax' | 'linger'): number {
    return this.#handle.isOpen ? (this.#handle.getOption(name) as number) : 0
  }
}
