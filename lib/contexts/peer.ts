import { type ConnectEvent, eventOf } from '../connections/events.js'
import type { PeerInfo } from '../connections/peer-info.js'
import type { ProtocolName } from '../engine/constants.js'
import type { Handle } from '../engine/handle.js'

/**
 * The sender of a request, a survey or an answer: one connection. Its properties besides `pipe` are looked up when one
 * is first read, and are undefined if the connection was gone by then: to use them later, read one at the beginning.
 */
export class Peer {
  /** Which connection: the number that the events `connect` and `disconnect` call so, too. */
  readonly pipe: number
  readonly #handle: Handle
  #connection: ConnectEvent | undefined

  /** @internal */
  constructor(handle: Handle, pipe: number) {
    this.#handle = handle
    this.pipe = pipe
  }

  #lookUp(): ConnectEvent | undefined {
    if (this.#connection === undefined) {
      const event = this.#handle.peerOf(this.pipe)
      if (event !== undefined) this.#connection = eventOf(event) as ConnectEvent
    }
    return this.#connection
  }

  /** The type of the peer, such as `'req'`. */
  get protocol(): ProtocolName | undefined {
    return this.#lookUp()?.protocol
  }

  /** The address of our endpoint, as in `Endpoint.address`. */
  get address(): string | undefined {
    return this.#lookUp()?.address
  }

  /** Whether that endpoint is bound, so that the peer came to us. */
  get bound(): boolean | undefined {
    return this.#lookUp()?.bound
  }

  /** Our end of the connection, such as `'tcp://127.0.0.1:5555'`; of ipc and inproc, the endpoint's address. Where the
   * endpoint is bound, others can connect to it as it is. */
  get localAddress(): string | undefined {
    return this.#lookUp()?.localAddress
  }

  /** The peer's end. */
  get remoteAddress(): string | undefined {
    return this.#lookUp()?.remoteAddress
  }

  get credentials(): PeerInfo['credentials'] {
    return this.#lookUp()?.credentials
  }

  /** They are known where the socket's events were listened to when the connection was made. */
  get requestHeaders(): PeerInfo['requestHeaders'] {
    return this.#lookUp()?.requestHeaders
  }

  get certificate(): PeerInfo['certificate'] {
    return this.#lookUp()?.certificate
  }
}
