import type { EngineEvent } from './binding.js'
import {
  AF_SP,
  NN_LOOP_CLOSED,
  NN_LOOP_EVENTS,
  NN_POLLIN,
  NN_POLLOUT,
  type ProtocolName,
  protocols,
} from './constants.js'
import { argumentError, check, closedError, errnoError } from './errors.js'
import { type LastValues, lastValuesOf } from './last-values.js'
import { native } from './native.js'
import { NN_SOCKET_NAME, NN_SOL_SOCKET, NN_TLS } from './option-numbers.js'
import { expectationOf, fromEngine, type OptionName, options, toEngine } from './options.js'
import type { Part } from './part.js'
import { hold, type Listener, register, unhold, unregister } from './reactor.js'
import { type Statistics, statisticsOf } from './statistics.js'
import type { TlsSetting } from './tls.js'
import type { RefCounter } from './waits.js'

/** Types whose messages begin with bytes that are no text: a browser ends the connection that brings them as text. */
const withHeaders: ReadonlySet<ProtocolName> = new Set(['req', 'rep', 'surveyor', 'respondent'])

/** The socket in the engine: its life, its parts and options, and what keeps the process alive for it. */
export class Handle implements Listener, RefCounter {
  readonly s: number
  readonly protocol: ProtocolName
  /** Addresses that it is bound or connected to. */
  endpointCount = 0
  readonly #id: number
  /** In the order in which they are called. Another array when one is added, also while they are called. */
  #parts: readonly Part[] = []
  /** Those of its options that name files. */
  tlsFiles: readonly TlsSetting[] = []
  /** Values and bodies that its codec could not make of each other. */
  codecFailures = 0
  #waits = 0
  isReferenced = true
  isOpen = true
  /** Once it is closed. */
  #lastValues: LastValues | undefined
  #closed: Promise<void> | undefined
  #onClosed: (() => void) | undefined

  constructor(protocol: ProtocolName) {
    this.protocol = protocol
    this.#id = register(this)
    const s = native.socket(AF_SP, protocols[protocol], this.#id)
    if (s < 0) {
      unregister(this.#id)
      throw errnoError(-s, 'socket')
    }
    this.s = s
  }

  /** From now on the part is called, after those that were added before. */
  add(part: Part): void {
    this.#parts = [...this.#parts, part]
  }

  /** From now on the part is called, before all others. */
  addFirst(part: Part): void {
    this.#parts = [part, ...this.#parts]
  }

  onEvents(events: number): void {
    if (this.isOpen && events & NN_LOOP_EVENTS) for (const part of this.#parts) part.onEvents?.()
    if (this.isOpen && events & NN_POLLIN) for (const part of this.#parts) part.onReadable?.()
    if (this.isOpen && events & NN_POLLOUT) for (const part of this.#parts) part.onWritable?.()
    if (events & NN_LOOP_CLOSED) this.#finish()
  }

  assertOpen(syscall: string): void {
    if (!this.isOpen) throw closedError(syscall)
  }

  /** Describes the peer of a connection; undefined when the connection has ended. */
  peerOf(pipe: number): EngineEvent | undefined {
    const event = native.peer(this.s, pipe)
    return typeof event === 'number' ? undefined : event
  }

  /** The numbers of the connections that there are. */
  pipes(): readonly number[] {
    let numbers = new Int32Array(64)
    let count = native.pipes(this.s, numbers)
    while (count > numbers.length) {
      numbers = new Int32Array(count + 64)
      count = native.pipes(this.s, numbers)
    }
    return count < 0 ? [] : [...numbers.subarray(0, count)]
  }

  // ---- Options ----

  setOption(name: OptionName, value: unknown): void {
    const { level, number, kind } = options[name]
    const engineValue = toEngine(kind, value)
    if (engineValue === undefined) throw argumentError('setsockopt', name, expectationOf(kind), value)
    if (name === 'textFrames' && value === true && withHeaders.has(this.protocol)) {
      throw argumentError(
        'setsockopt',
        name,
        `false on a ${this.protocol}, whose messages begin with binary headers`,
        value,
      )
    }
    this.assertOpen('setsockopt')
    check(native.setOption(this.s, level, number, engineValue), 'setsockopt', name)
    for (const part of this.#parts) part.onOption?.(name, engineValue)
  }

  getOption(name: OptionName): number | boolean | string {
    const { level, number, kind } = options[name]
    const last = this.#lastValues?.options.get(name)
    if (last !== undefined) return last
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
    this.tlsFiles = settings.filter(({ file }) => file !== undefined)
  }

  get name(): string {
    if (this.#lastValues !== undefined) return this.#lastValues.name
    this.assertOpen('getsockopt')
    const name = native.name(this.s)
    if (typeof name === 'number') throw errnoError(-name, 'getsockopt', 'name')
    return name
  }

  /** The name, or undefined when it cannot be read any more. */
  get lastName(): string | undefined {
    if (!this.isOpen) return this.#lastValues?.name
    const name = native.name(this.s)
    return typeof name === 'number' ? undefined : name
  }

  set name(value: unknown) {
    if (typeof value !== 'string') throw argumentError('setsockopt', 'name', 'a string of at most 63 bytes', value)
    this.assertOpen('setsockopt')
    check(native.setOption(this.s, NN_SOL_SOCKET, NN_SOCKET_NAME, Buffer.from(value)), 'setsockopt', 'name')
  }

  statistics(): Statistics {
    const { codecFailures } = this
    if (this.#lastValues !== undefined) return { ...this.#lastValues.statistics, codecFailures }
    this.assertOpen('statistic')
    return { ...statisticsOf(this.s), codecFailures }
  }

  // ---- Closing ----

  close(linger?: number): Promise<void> {
    if (this.#closed !== undefined) return this.#closed
    if (linger !== undefined) this.setOption('linger', linger)
    this.#notifyClosing()
    this.#lastValues = lastValuesOf(this.s)
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

  /** It was closed from outside: by nn_term(), or by nn_close() with its number. */
  #wasClosed(): void {
    this.#closed = Promise.resolve()
    this.#endCalls()
    this.#notifyClosing()
    native.disown(this.s)
  }

  #endCalls(): void {
    this.isOpen = false
    for (const part of this.#parts) part.close?.(closedError)
  }

  #notifyClosing(): void {
    for (const part of this.#parts) part.onClosing?.()
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
    for (const part of this.#parts) part.updateReferences?.()
  }
}
