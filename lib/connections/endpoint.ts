import { argumentError } from '../engine/errors.js'
import { isInstance } from '../engine/proxies.js'
import type { TlsOptions } from '../engine/tls.js'
import { type Inspect, inspect, inspected } from './inspection.js'

/** The ports that a URL leaves out. */
const defaultPorts: Readonly<Record<string, number>> = { 'ws:': 80, 'wss:': 443 }

/** An address as the engine writes them. */
export function addressText(address: unknown, syscall: string): string {
  if (typeof address === 'string') return address
  if (!isInstance(address, URL)) {
    throw argumentError(syscall, 'address', 'a string such as "tcp://127.0.0.1:5555", or a URL', address)
  }
  const { protocol, host, port, pathname, search, hash, username, password, href } = address
  if (username !== '' || password !== '' || hash !== '') {
    throw argumentError(syscall, 'address', 'a URL without user, password and fragment', address)
  }
  const added = port === '' ? defaultPorts[protocol] : undefined
  return added === undefined ? href : `${protocol}//${host}:${added}${pathname}${search}`
}

/** What stands behind an endpoint: one of the engine's, or one that a transport in JavaScript carries. */
export interface Attachment {
  readonly address: string
  /** Connections from now on have the certificates that the socket has now. Undefined: it is none of TLS. */
  readonly renewTls?: ((tls: Readonly<TlsOptions>) => void) | undefined
  close(): void
}

/** One address that a socket is bound or connected to. */
export class Endpoint {
  readonly #attachment: Attachment
  readonly #isBound: boolean
  readonly #onClose: (endpoint: Endpoint) => void
  #isClosed = false

  /** @internal */
  constructor(attachment: Attachment, isBound: boolean, onClose: (endpoint: Endpoint) => void) {
    this.#attachment = attachment
    this.#isBound = isBound
    this.#onClose = onClose
  }

  /** The address, with the port that the system chose: `tcp://127.0.0.1:0` becomes `tcp://127.0.0.1:43210`. */
  get address(): string {
    return this.#attachment.address
  }

  /** Whether it is bound, so that peers come to it; otherwise it connects. */
  get bound(): boolean {
    return this.#isBound
  }

  /** @internal */
  renewTls(tls: Readonly<TlsOptions>): void {
    this.#attachment.renewTls?.(tls)
  }

  /** Stops listening or connecting, and closes the endpoint's connections. Does nothing when that was done before. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#onClose(this)
    this.#attachment.close()
  }

  /** What `JSON.stringify()` and `console.log()` show. */
  toJSON(): { address: string; bound: boolean } {
    return { address: this.address, bound: this.bound }
  }

  /** @internal */
  [inspect.custom](depth: number, options: object, show: Inspect): string {
    return inspected(this, () => this.toJSON(), depth, options, show)
  }
}
