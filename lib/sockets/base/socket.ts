import { constants } from 'node:os'
import { Admission, checkAdmit } from '../../connections/admission.js'
import { isDebugging } from '../../connections/debug.js'
import { isObserved, publishSocket } from '../../connections/diagnostics.js'
import { ObservedEmitter } from '../../connections/emitter.js'
import type { Endpoint } from '../../connections/endpoint.js'
import type { SocketEvent } from '../../connections/events.js'
import { type Inspect, inspect, inspected } from '../../connections/inspection.js'
import { Monitor } from '../../connections/monitor.js'
import { peerNumber } from '../../connections/peer-number.js'
import { type PeerStatus, peersOf } from '../../connections/peer-status.js'
import { Readiness, type ReadyOptions } from '../../connections/readiness.js'
import type { Admit } from '../../engine/candidate.js'
import { ComposedOptions } from '../../engine/composed-options.js'
import type { ProtocolName } from '../../engine/constants.js'
import { argumentError, check } from '../../engine/errors.js'
import { Handle } from '../../engine/handle.js'
import type { IpcOwner } from '../../engine/ipc-owner.js'
import type { KeepAlive } from '../../engine/keep-alive.js'
import { native } from '../../engine/native.js'
import { type CommonOptionName, commonOptions, type SocketOptions, toEngine } from '../../engine/options.js'
import { ownOptions } from '../../engine/own-options.js'
import type { RequestHeaders } from '../../engine/request-headers.js'
import { currentConnections, type Statistics } from '../../engine/statistics.js'
import type { TlsOptions } from '../../engine/tls.js'
import { checkWaitOptions } from '../../engine/waits.js'
import { type BindOptions, bindSettings, type Setting } from './bind-options.js'
import { Endpoints } from './endpoints.js'
import { tellUnknownEvent, watchProperties } from './misspelling.js'
import { adoptOptionFields, isOption, optionNames, unknownOption } from './option-fields.js'
import { defineOptions, type OptionProperties } from './option-properties.js'
import { ownFields, type SocketJson } from './socket-json.js'

export type { BindOptions, SocketJson }

/**
 * What all sockets have in common: endpoints, options, events, and an end.
 *
 * As an EventEmitter it reports its connections: `connect`, `disconnect`, `reject`, `failure` and `slow`, see
 * `SocketEvent`. It never emits `error`. Listeners alone do not keep the process alive.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the class defines its options from their names
export abstract class Socket extends ObservedEmitter {
  /** @internal */
  protected readonly handle: Handle
  readonly #composed: ComposedOptions
  readonly #admission: Admission
  #monitor: Monitor | undefined
  #readiness: Readiness | undefined
  readonly #endpoints: Endpoints

  /** @internal */
  constructor(protocol: ProtocolName) {
    super()
    this.handle = new Handle(protocol)
    this.#composed = new ComposedOptions(this.handle)
    this.#admission = new Admission(this.handle)
    this.#endpoints = new Endpoints(this.handle, this.#admission, (event) => this.#monitor?.fail(event))
    this.handle.add(this.#admission)
  }

  /** @internal Called by each class's constructor once its sides are attached. */
  protected configure(options: SocketOptions | undefined): void {
    try {
      this.handle.setOption('tcpNoDelay', true)
      this.handle.setOption('ipv6', true)
      this.origins = this.#composed.origins
      this.handle.setOption('reconnectIntervalMax', RECONNECT_INTERVAL_MAX_MS)
      this.#setAll(ownOptions(options, 'socket') ?? {})
    } catch (error) {
      void this.handle.close()
      throw error
    }
    if (isObserved() || isDebugging) this.#observe()
  }

  /** For the channels of node:diagnostics_channel. */
  #observe(): void {
    this.monitored().publish()
    publishSocket(this)
  }

  #setAll(options: object): void {
    if (typeof options !== 'object') throw argumentError('socket', 'options', 'an object', options)
    for (const [name, value] of Object.entries(options)) {
      if (value === undefined) continue
      if (!isOption(this, name)) {
        throw unknownOption(name, optionNames(this))
      }
      Reflect.set(this, name, value, this)
    }
  }

  /**
   * Accepts connections at an address: `tcp://127.0.0.1:5555`, `tcp://*:0` (all interfaces, any free port),
   * `tcp://eth0:5555`, `ipc:///tmp/name`, `ws://127.0.0.1:8080/path`, `inproc://name`; `tls+tcp://` and `wss://` with a
   * certificate in the option `tls`; or a `URL` of these. A socket can be bound and connected many times.
   *
   * @throws {NanomsgError} `EINVAL` (malformed), `EPROTONOSUPPORT` (unknown scheme), `ENAMETOOLONG`, `ENODEV` (no such
   *   interface), `EADDRINUSE`, `EADDRNOTAVAIL`, `EACCES`, `EBADF` (the socket is closed).
   */
  bind(address: string | URL, options?: BindOptions): Endpoint {
    const own = ownOptions(options, 'bind')
    if (own === undefined) return this.#attach('bind', address)
    const settings = bindSettings(own)
    return this.#within(settings, () => this.#attach('bind', address, settings))
  }

  /**
   * Connects to an address in the background, now and again whenever the connection is lost. It need not be bound yet.
   *
   * @throws {NanomsgError} `EINVAL` (malformed), `EPROTONOSUPPORT` (unknown scheme), `ENAMETOOLONG`, `ENODEV` (no such
   *   local interface), `EBADF` (the socket is closed).
   */
  connect(address: string | URL): Endpoint {
    return this.#attach('connect', address)
  }

  /** Runs with other values of options, which then have their former ones again. */
  #within<Result>(settings: readonly Setting[], call: () => Result): Result {
    const before = settings.map(([name]) => [name, this[name]] as const)
    try {
      for (const [name, value] of settings) Reflect.set(this, name, value)
      return call()
    } finally {
      if (!this.closed) for (const [name, value] of before) Reflect.set(this, name, value)
    }
  }

  #attach(syscall: 'bind' | 'connect', address: unknown, settings: readonly Setting[] = []): Endpoint {
    adoptOptionFields(this)
    return this.#endpoints.attach(syscall, address, this.#composed.tls, (call) => this.#within(settings, call))
  }

  /**
   * Closes the socket. Calls that wait are rejected with `EBADF`, and messages that were accepted are still delivered
   * for a while.
   *
   * @param options.linger Milliseconds for that; -1: as long as it takes. Default: the option `linger`.
   * @returns when they are delivered, or the time has passed. Closing again returns the same promise.
   */
  close(options?: { linger?: number | undefined }): Promise<void> {
    try {
      return this.handle.close(ownOptions(options, 'close')?.linger)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** True from the call of `close()` on. */
  get closed(): boolean {
    return !this.handle.isOpen
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /**
   * What happens to the socket's connections from now on, until it is closed. An iteration that is not read keeps the
   * last 1024 events, and says in `lost` how many it has dropped.
   *
   * @param options.signal Ends the iteration: it fails with the signal's reason.
   */
  events(options?: { signal?: AbortSignal | undefined }): AsyncIterableIterator<SocketEvent> {
    const own = ownOptions(options, 'events')
    checkWaitOptions(own, 'events')
    this.handle.assertOpen('events')
    return this.monitored().iterate(own?.signal)
  }

  /**
   * Waits until peers are connected: what is sent from then on goes to them, what they send is received. For a Pub, its
   * Subs then miss nothing that they have subscribed to before.
   *
   * @throws {NanomsgError} `ETIMEDOUT`, whose message says how many there are and what has failed; `EBADF` when the
   *   socket is closed, or closes meanwhile.
   */
  async ready(options?: ReadyOptions): Promise<void> {
    this.handle.assertOpen('ready')
    if (this.#readiness === undefined) {
      this.#readiness = new Readiness(this.handle, this.monitored())
      this.handle.add(this.#readiness)
    }
    await this.#readiness.wait(options)
  }

  /** @internal */
  protected override onListenersChanged(): void {
    if (!this.handle.isOpen) return
    this.monitored().update()
  }

  /** @internal */
  protected override onListenerAdded(event: unknown): void {
    tellUnknownEvent(this, event)
  }

  /**
   * Ends a connection. The peer may connect again: `admit` can turn it away then.
   *
   * @param peer its number, or what has it as `pipe`: an event, the peer of a request, one that `admit` looks at
   * @returns false when the connection has ended already
   */
  disconnect(peer: number | { readonly pipe: number }): boolean {
    const pipe = peerNumber(peer)
    if (pipe === undefined) throw argumentError('disconnect', 'peer', 'a peer, or its number `pipe`', peer)
    this.handle.assertOpen('disconnect')
    const rc = native.disconnect(this.handle.s, pipe)
    if (rc === -constants.errno.ENOENT) return false
    check(rc, 'disconnect')
    return true
  }

  /** @internal */
  protected monitored(): Monitor {
    if (this.#monitor === undefined) {
      this.#monitor = new Monitor(this, this.handle)
      this.handle.add(this.#monitor)
    }
    return this.#monitor
  }

  /** What the socket has done and is doing, in numbers. */
  stats(): Statistics {
    return this.handle.statistics()
  }

  /**
   * The connections to admitted peers, and what has gone through each.
   *
   * @throws {NanomsgError} `EBADF`: the socket is closed
   */
  peers(): PeerStatus[] {
    this.handle.assertOpen('peers')
    return peersOf(this.handle)
  }

  /** What `JSON.stringify()` and `console.log()` show. */
  toJSON(): SocketJson {
    return {
      name: this.handle.lastName ?? '',
      closed: this.closed,
      endpoints: this.#endpoints.toJSON(),
      peers: this.closed ? 0 : currentConnections(this.handle.s),
    }
  }

  /** @internal Fields of a class of the program are shown as well. */
  [inspect.custom](depth: number, options: object, show: Inspect): string {
    return inspected(this, () => ({ ...this.toJSON(), ...ownFields(this) }), depth, options, show)
  }

  /** Lets calls that wait keep the process alive, as they do from the start. */
  ref(): this {
    this.handle.setReferenced(true)
    return this
  }

  /** Lets the process end although calls wait. */
  unref(): this {
    this.handle.setReferenced(false)
    return this
  }

  // ---- Options; `SocketOptions` says what they mean ----

  static {
    defineOptions(Socket, Object.keys(commonOptions) as CommonOptionName[])
  }

  get tls(): Readonly<TlsOptions> {
    return this.#composed.tls
  }
  set tls(options: TlsOptions) {
    this.#composed.tls = options
  }

  /**
   * Sets the option `tls`, for endpoints that there are as well: connections that begin from now on have the new
   * certificates, and those that there are stay. Files are read again: `socket.setTls(socket.tls)` takes renewed ones.
   *
   * @throws {NanomsgError} as `bind()` and `connect()`; the option is as before then
   */
  setTls(options: TlsOptions): void {
    const before = this.#composed.tls
    this.tls = options
    this.#endpoints.renewTls(this.#composed.tls, before, () => {
      this.tls = before
    })
  }

  get requestHeaders(): RequestHeaders {
    return this.#composed.requestHeaders
  }
  set requestHeaders(headers: RequestHeaders) {
    this.#composed.requestHeaders = headers
  }

  get origins(): readonly string[] {
    return this.#composed.origins
  }
  set origins(given: readonly string[]) {
    this.#composed.origins = given
  }

  get admit(): Admit | undefined {
    return this.#admission.admit
  }
  set admit(admit: Admit | undefined) {
    checkAdmit(admit, 'setsockopt')
    this.#admission.admit = admit
  }

  get admitTimeout(): number {
    return this.#admission.timeoutMs
  }
  set admitTimeout(given: number) {
    const ms = toEngine('milliseconds or -1', given)
    if (ms === undefined || ms === 0) {
      throw argumentError('setsockopt', 'admitTimeout', 'a whole number of milliseconds from 1 on, or -1', given)
    }
    this.#admission.timeoutMs = ms
  }

  get keepAlive(): KeepAlive {
    return this.#composed.keepAlive
  }
  set keepAlive(given: KeepAlive) {
    this.#composed.keepAlive = given
  }

  get ipcOwner(): IpcOwner {
    return this.#composed.ipcOwner
  }
  set ipcOwner(given: IpcOwner) {
    this.#composed.ipcOwner = given
  }

  get name(): string {
    return this.handle.name
  }
  set name(name: string) {
    this.handle.name = name
  }
}

export interface Socket extends OptionProperties<SocketOptions, CommonOptionName> {}

if (isDebugging) watchProperties(ObservedEmitter.prototype, optionNames)

/** Many clients of a server that is gone ask less and less often. */
const RECONNECT_INTERVAL_MAX_MS = 5000
