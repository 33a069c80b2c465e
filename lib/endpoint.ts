import type { Handle } from './handle.js'

/** One address that a socket is bound or connected to. */
export class Endpoint {
  /** The address, with the port that the system chose: `tcp://127.0.0.1:0` becomes `tcp://127.0.0.1:43210`. */
  readonly address: string
  readonly #handle: Handle
  readonly #id: number
  #isClosed = false

  /** @internal */
  constructor(handle: Handle, id: number) {
    this.#handle = handle
    this.#id = id
    this.address = handle.addressOf(id)
  }

  /** Stops listening or connecting, and closes the endpoint's connections. Does nothing when that was done before. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#handle.shutdown(this.#id)
  }
}
