import type { Duplex } from 'node:stream'
import type { Handle } from '../engine/handle.js'
import type { Attachment } from './endpoint.js'
import type { FailureEvent } from './events.js'
import { Carrier } from './stream-connection.js'
import { type CarriedEndpoint, ConnectingEndpoint, ListeningEndpoint } from './stream-endpoint.js'
import type { Transport } from './transport-registry.js'

/** A socket's endpoints that transports in JavaScript carry. */
export class Carriage {
  readonly #handle: Handle
  readonly #onFailure: (event: FailureEvent) => void
  readonly #endpoints = new Set<CarriedEndpoint>()
  readonly #carriers = new Set<Carrier>()

  constructor(handle: Handle, onFailure: (event: FailureEvent) => void) {
    this.#handle = handle
    this.#onFailure = onFailure
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

  /** The socket is being closed: the engine closes the connections when all that was accepted has gone to them. */
  close(): void {
    const lingerMs = this.option('linger')
    for (const endpoint of this.#endpoints) endpoint.stop()
    for (const carrier of this.#carriers) carrier.linger(lingerMs)
  }

  /**
   * Gives the engine a connection.
   *
   * @param onEnd called when it is over
   */
  carry(
    { address, isBound }: CarriedEndpoint,
    stream: Duplex,
    onEnd: (carrier: Carrier, error: Error | undefined) => void,
  ): Carrier {
    const lingerMs = this.option('linger')
    const carrier = new Carrier(stream, this.#handle.s, { address, isBound, lingerMs }, (error) => {
      this.#carriers.delete(carrier)
      onEnd(carrier, error)
    })
    this.#carriers.add(carrier)
    return carrier
  }

  fail({ address, isBound: bound }: CarriedEndpoint, error: FailureEvent['error']): void {
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
