import { check } from './errors.js'
import type { Handle } from './handle.js'
import { type IpcOwner, ownerIds } from './ipc-owner.js'
import { type KeepAlive, keepAliveSettings } from './keep-alive.js'
import { native } from './native.js'
import {
  NN_IPC,
  NN_IPC_GID,
  NN_IPC_UID,
  NN_TCP,
  NN_WS,
  NN_WS_ORIGINS,
  NN_WS_REQUEST_HEADERS,
} from './option-numbers.js'
import { originList } from './origins.js'
import { ownOptions } from './own-options.js'
import { isArray } from './proxies.js'
import { type RequestHeaders, requestHeaderLines } from './request-headers.js'
import { type TlsOptions, tlsSettings } from './tls.js'

/** The options of a socket that are objects or lists: each is several settings of the engine, and what was set last is
 * kept for the program to read. */
export class ComposedOptions {
  readonly #handle: Handle
  #tls: Readonly<TlsOptions> = Object.freeze({})
  #requestHeaders: RequestHeaders = Object.freeze({})
  #origins: readonly string[] = Object.freeze([])
  #ipcOwner: IpcOwner = Object.freeze({})
  #keepAlive: KeepAlive = Object.freeze({})

  constructor(handle: Handle) {
    this.#handle = handle
  }

  get tls(): Readonly<TlsOptions> {
    return this.#tls
  }
  set tls(options: TlsOptions) {
    const own = ownOptions(options, 'setsockopt', 'tls')
    this.#handle.setTls(tlsSettings(own))
    this.#tls = Object.freeze({ ...own })
  }

  get requestHeaders(): RequestHeaders {
    return this.#requestHeaders
  }
  set requestHeaders(headers: RequestHeaders) {
    const own = isArray(headers) ? headers : ownOptions(headers, 'setsockopt', 'requestHeaders')
    this.#handle.setBytesOption(NN_WS, NN_WS_REQUEST_HEADERS, requestHeaderLines(own), 'setsockopt')
    this.#requestHeaders = Object.freeze({ ...own })
  }

  get origins(): readonly string[] {
    return this.#origins
  }
  set origins(given: readonly string[]) {
    const { origins, list } = originList(given, 'setsockopt')
    this.#handle.setBytesOption(NN_WS, NN_WS_ORIGINS, list, 'setsockopt')
    this.#origins = origins
  }

  get keepAlive(): KeepAlive {
    return this.#keepAlive
  }
  set keepAlive(given: KeepAlive) {
    const { keepAlive, settings } = keepAliveSettings(given)
    this.#handle.assertOpen('setsockopt')
    for (const { number, value } of settings) {
      check(native.setOption(this.#handle.s, NN_TCP, number, value), 'setsockopt', 'keepAlive')
    }
    this.#keepAlive = keepAlive
  }

  get ipcOwner(): IpcOwner {
    return this.#ipcOwner
  }
  set ipcOwner(given: IpcOwner) {
    const { uid, gid } = ownerIds(given)
    this.#handle.assertOpen('setsockopt')
    check(native.setOption(this.#handle.s, NN_IPC, NN_IPC_UID, uid), 'setsockopt', 'ipcOwner')
    check(native.setOption(this.#handle.s, NN_IPC, NN_IPC_GID, gid), 'setsockopt', 'ipcOwner')
    this.#ipcOwner = Object.freeze({ ...(uid >= 0 && { uid }), ...(gid >= 0 && { gid }) })
  }
}
