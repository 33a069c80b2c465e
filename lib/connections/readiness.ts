import { argumentError, closedError } from '../engine/errors.js'
import type { Handle } from '../engine/handle.js'
import { ownOptions } from '../engine/own-options.js'
import type { Part } from '../engine/part.js'
import { currentConnections } from '../engine/statistics.js'
import { checkWaitOptions, type WaitOptions, WaitQueue } from '../engine/waits.js'
import { timeoutError } from './circumstances.js'
import type { SocketEvent } from './events.js'
import type { Monitor, Watcher } from './monitor.js'

/** Which peers to wait for, and how long. `timeout`: by default there is no limit. */
export interface ReadyOptions extends WaitOptions {
  /** How many peers must be connected. Default: 1. */
  peers?: number | undefined
}

function checkReadyOptions(options: ReadyOptions | undefined): void {
  checkWaitOptions(options, 'ready')
  const peers = options?.peers
  if (peers !== undefined && !(Number.isInteger(peers) && peers >= 0)) {
    throw argumentError('ready', 'peers', 'a whole number of peers', peers)
  }
}

/** Calls that wait until a number of peers are connected. While there are any, they watch the socket's connections. */
export class Readiness implements Part, Watcher {
  readonly #handle: Handle
  readonly #monitor: Monitor
  readonly #waits: WaitQueue<number, void>
  #isWatching = false

  constructor(handle: Handle, monitor: Monitor) {
    this.#handle = handle
    this.#monitor = monitor
    this.#waits = new WaitQueue('ready', handle, (expected, syscall) => timeoutError(handle, syscall, { expected }))
  }

  async wait(given: ReadyOptions | undefined): Promise<void> {
    const options = ownOptions(given, 'ready')
    checkReadyOptions(options)
    this.#handle.assertOpen('ready')
    options?.signal?.throwIfAborted()
    const peers = options?.peers ?? 1
    if (currentConnections(this.#handle.s) >= peers) return
    this.#watch()
    try {
      await this.#waits.add(peers, options, -1)
    } finally {
      if (this.#waits.isEmpty) this.#unwatch()
    }
  }

  #watch(): void {
    if (this.#isWatching) return
    this.#isWatching = true
    this.#monitor.watch(this)
  }

  #unwatch(): void {
    if (!this.#isWatching) return
    this.#isWatching = false
    this.#monitor.unwatch(this)
  }

  /** A connection has come, among others. */
  add(event: SocketEvent): void {
    if (event.type !== 'connect') return
    const connected = currentConnections(this.#handle.s)
    this.#waits.resolveWhere((peers) => peers <= connected, undefined)
  }

  /** The socket is closed. */
  end(): void {
    this.#isWatching = false
    this.#waits.rejectAll(closedError)
  }

  updateReferences(): void {
    this.#waits.updateReferences()
  }
}
