import { constants } from 'node:os'
import { type Attachment, checkAddress } from '../connections/endpoint.js'
import type { Monitor } from '../connections/monitor.js'
import type { Readiness } from '../connections/readiness.js'
import { Carriage } from '../connections/stream-endpoints.js'
import { transportOf } from '../connections/transport-registry.js'
import type { Exchange } from '../contexts/multiplexer.js'
import type { Inbox } from '../messages/inbox.js'
import type { Outbox } from '../messages/outbox.js'
import {
  AF_SP,
  NN_LOOP_CLOSED,
  NN_LOOP_EVENTS,
  NN_POLLIN,
  NN_POLLOUT,
  type ProtocolName,
  protocols,
} from './constants.js'
import { argumentError, check, errnoError, isOfTls } from './errors.js'
import { type EngineEvent, native } from './native.js'
import { expectationOf, fromEngine, type OptionName, options, toEngine } from './options.js'
import { hold, type Listener, register, unhold, unregister } from './reactor.js'
import { type Statistics, statisticsOf } from './statistics.js'
import { NN_TLS, type TlsSetting, unreadableFile } from './tls.js'
import type { Keeper } from './waits.js'

/** The socket in the engine: its life, its endpoints and options, and what keeps the process alive for it. */
export class Handle implements Listener, Keeper {
  readonly s: number
  readonly #id: number
  #inbox: Inbox | undefined
  #outbox: Outbox | undefined
  #exchange: Exchange | undefined
  #monitor: Monitor | undefined
  #readiness: Readiness | undefined
  #carried: Carriage | undefined
  /** Those of its options that name files. */
  #tlsFiles: readonly TlsSetting[] = []
  #waits = 0
  isReferenced = true
  isOpen = true
  #closed: Promise<void> | undefined
  #onClosed: (() => void) | undefined

  constructor(protocol: ProtocolName) {
    this.#id = register(this)
    const s = native.socket(AF_SP, protocols[protocol], this.#id)
    if (s < 0) {
      unregister(this.#id)
      throw errnoError(-s, 'socket')
    }
    this.s = s
  }

  /** Says who wants to hear of readiness. */
  attach({
    inbox,
    outbox,
    exchange,
    monitor,
    readiness,
  }: {
    inbox?: Inbox
    outbox?: Outbox
    exchange?: Exchange
    monitor?: Monitor
    readiness?: Readiness
  }): void {
    if (inbox !== undefined) this.#inbox = inbox
    if (outbox !== undefined) this.#outbox = outbox
    if (exchange !== undefined) this.#exchange = exchange
    if (monitor !== undefined) this.#monitor = monitor
    if (readiness !== undefined) this.#readiness = readiness
  }

  onEvents(events: number): void {
    if (this.isOpen && events & NN_LOOP_EVENTS) this.#monitor?.onEvents()
    if (this.isOpen && events & NN_POLLIN) this.#onReadable()
    if (this.isOpen && events & NN_POLLOUT) this.#outbox?.onWritable()
    if (events & NN_LOOP_CLOSED) this.#finish()
  }

  #onReadable(): void {
    this.#exchange?.onReadable()
    this.#inbox?.onReadable()
  }

  assertOpen(syscall: string): void {
    if (!this.isOpen) throw this.#closedError(syscall)
  }

  // ---- Endpoints ----

  attachTo(address: unknown, syscall: 'bind' | 'connect'): Attachment {
    checkAddress(address, syscall)
    this.assertOpen(syscall)
    const endpoint = native[syscall](this.s, address)
    if (endpoint === -constants.errno.EPROTONOSUPPORT) {
      const transport = transportOf(address)
      if (transport !== undefined) return this.#carriage()[syscall](transport, address)
    }
    if (endpoint < 0) {
      const file = isOfTls(address) ? unreadableFile(this.#tlsFiles, -endpoint) : ''
      throw errnoError(-endpoint, syscall, JSON.stringify(address) + file)
    }
    return { address: this.#addressOf(endpoint), close: () => this.#shutdown(endpoint) }
  }

  #addressOf(endpoint: number): string {
    const address = native.address(this.s, endpoint)
    if (typeof address === 'number') throw errnoError(-address, 'address')
    return address
  }

  #shutdown(endpoint: number): void {
    if (this.isOpen) check(native.shutdown(this.s, endpoint), 'shutdown')
  }

  #carriage(): Carriage {
    this.#carried ??= new Carriage(this, (event) => this.#monitor?.fail(event))
    return this.#carried
  }

  /** Who is at the other end of a connection, as long as there is one. */
  peerOf(pipe: number): EngineEvent | undefined {
    const event = native.peer(this.s, pipe)
    return typeof event === 'number' ? undefined : event
  }

  // ---- Options ----

  setOption(name: OptionName, value: unknown): void {
    const { level, number, kind } = options[name]
    const engineValue = toEngine(kind, value)
    if (engineValue === undefined) throw argumentError('setsockopt', name, expectationOf(kind), value)
    this.assertOpen('setsockopt')
    check(native.setOption(this.s, level, number, engineValue), 'setsockopt', name)
    if (name === 'sendTimeout' && this.#outbox !== undefined) this.#outbox.defaultTimeout = engineValue
    if (name === 'receiveTimeout' && this.#inbox !== undefined) this.#inbox.defaultTimeout = engineValue
  }

  getOption(name: OptionName): number | boolean {
    const { level, number, kind } = options[name]
    this.assertOpen('getsockopt')
    const result = native.getOption(this.s, level, number)
    if (typeof result === 'number') throw errnoError(-result, 'getsockopt', name)
    return fromEngine(kind, result.value)
  }

  setBytesOption(level: number, option: number, bytes: Uint8Array, syscall: string): void {
    this.assertOpen(syscall)
    check(native.setOption(this.s, level, option, bytes), syscall)
  }

  setTls(settings: readonly TlsSetting[]): void {
    try {
      this.assertOpen('setsockopt')
      for (const { name, number, value } of settings)
        check(native.setOption(this.s, NN_TLS, number, value), 'setsockopt', `tls.${name}`)
    } finally {
      for (const { value } of settings) if (typeof value !== 'number') value.fill(0)
    }
    this.#tlsFiles = settings.filter(({ file }) => file !== undefined)
  }

  get name(): string {
    this.assertOpen('getsockopt')
    const name = native.name(this.s)
    if (typeof name === 'number') throw errnoError(-name, 'getsockopt', 'name')
    return name
  }

  set name(value: unknown) {
    if (typeof value !== 'string') throw argumentError('setsockopt', 'name', 'a string of at most 63 bytes', value)
    this.assertOpen('setsockopt')
    check(native.setOption(this.s, 0, 15, Buffer.from(value)), 'setsockopt', 'name')
  }

  statistics(): Statistics {
    this.assertOpen('statistic')
    return statisticsOf(this.s)
  }

  // ---- Closing ----

  close(linger?: number): Promise<void> {
    if (this.#closed !== undefined) return this.#closed
    if (linger !== undefined) this.setOption('linger', linger)
    this.#carried?.close()
    this.#closed = new Promise((resolve) => {
      this.#onClosed = resolve
    })
    this.#endCalls()
    this.waitAdded()
    // It may be closed already: #finish() follows in any case.
    native.close(this.s)
    return this.#closed
  }

  #finish(): void {
    unregister(this.#id)
    if (this.#closed === undefined) {
      this.#wasClosed()
      return
    }
    this.waitRemoved()
    this.#onClosed?.()
  }

  /** Somebody else did it: nn_term(), or nn_close() with its number. */
  #wasClosed(): void {
    this.#closed = Promise.resolve()
    this.#endCalls()
    this.#carried?.close()
    native.disown(this.s)
  }

  #endCalls(): void {
    this.isOpen = false
    this.#exchange?.close(() => this.#closedError('receive'))
    this.#inbox?.close(() => this.#closedError('receive'))
    this.#outbox?.close(() => this.#closedError('send'))
    this.#monitor?.close()
  }

  #closedError(syscall: string): Error {
    return errnoError(constants.errno.EBADF, syscall, '(the socket is closed)')
  }

  // ---- Keeping the process alive ----

  waitAdded(): void {
    this.#waits++
    if (this.isReferenced) hold()
  }

  waitRemoved(): void {
    this.#waits--
    if (this.isReferenced) unhold()
  }

  setReferenced(isReferenced: boolean): void {
    if (this.isReferenced === isReferenced) return
    this.isReferenced = isReferenced
    for (let i = 0; i < this.#waits; i++) {
      if (isReferenced) hold()
      else unhold()
    }
    this.#exchange?.updateReferences()
    this.#inbox?.updateReferences()
    this.#outbox?.updateReferences()
    this.#readiness?.updateReferences()
  }
}
