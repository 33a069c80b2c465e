import type { Admission } from '../../connections/admission.js'
import { attach } from '../../connections/attaching.js'
import { Endpoint } from '../../connections/endpoint.js'
import type { FailureEvent } from '../../connections/events.js'
import type { Within } from '../../connections/stream-endpoint.js'
import type { StreamEndpoints } from '../../connections/stream-endpoints.js'
import { deferred } from '../../engine/deferred.js'
import type { Handle } from '../../engine/handle.js'
import type { TlsOptions } from '../../engine/tls.js'

const streams = deferred(
  () => require('../../connections/stream-endpoints.js') as typeof import('../../connections/stream-endpoints.js'),
)

/** Gives an endpoint its former certificates. Where their files are gone, it keeps what it has. */
function restoreTls(endpoint: Endpoint, before: Readonly<TlsOptions>): void {
  try {
    endpoint.renewTls(before)
  } catch {}
}

/** The endpoints of a socket that are not closed. */
export class Endpoints {
  readonly #handle: Handle
  readonly #admission: Admission
  readonly #onFailure: (event: FailureEvent) => void
  readonly #open = new Set<Endpoint>()
  #streamEndpoints: StreamEndpoints | undefined

  constructor(handle: Handle, admission: Admission, onFailure: (event: FailureEvent) => void) {
    this.#handle = handle
    this.#admission = admission
    this.#onFailure = onFailure
  }

  attach(syscall: 'bind' | 'connect', address: unknown, tls: Readonly<TlsOptions>, within: Within): Endpoint {
    const attachment = attach(this.#handle, syscall, address, () => this.#streams(syscall), tls, within)
    const isBound = syscall === 'bind'
    if (isBound) this.#admission.bound(attachment.address)
    const endpoint = new Endpoint(attachment, isBound, (closed) => {
      this.#open.delete(closed)
      if (isBound) this.#admission.unbound(closed.address)
    })
    this.#open.add(endpoint)
    return endpoint
  }

  #streams(syscall: 'bind' | 'connect'): StreamEndpoints {
    if (this.#streamEndpoints === undefined) {
      this.#streamEndpoints = new (streams(syscall).StreamEndpoints)(this.#handle, this.#onFailure)
      this.#handle.add(this.#streamEndpoints)
    }
    return this.#streamEndpoints
  }

  /**
   * Gives new certificates to all, or, where that fails, the former ones back to all.
   *
   * @param restore is called before the former ones are given back
   */
  renewTls(tls: Readonly<TlsOptions>, before: Readonly<TlsOptions>, restore: () => void): void {
    const renewed: Endpoint[] = []
    try {
      for (const endpoint of this.#open) {
        endpoint.renewTls(tls)
        renewed.push(endpoint)
      }
    } catch (error) {
      restore()
      for (const endpoint of renewed) restoreTls(endpoint, before)
      throw error
    }
  }

  toJSON(): { address: string; bound: boolean }[] {
    return [...this.#open].map((endpoint) => endpoint.toJSON())
  }
}
