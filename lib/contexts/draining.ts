import type { SocketEvent } from '../connections/events.js'
import type { Monitor, Watcher } from '../connections/monitor.js'
import { argumentError } from '../engine/errors.js'
import type { Handle } from '../engine/handle.js'
import { native } from '../engine/native.js'
import { toEngine } from '../engine/options.js'
import { ownOptions } from '../engine/own-options.js'

/** Milliseconds, or undefined: the option is not given. */
export function checkDrain(value: unknown, syscall: string): asserts value is number | undefined {
  if (value === undefined || toEngine('milliseconds', value) !== undefined) return
  throw argumentError(syscall, 'drain', 'a whole number of milliseconds', value)
}

/**
 * Closes a socket that may serve.
 *
 * @param service what serves, undefined: nothing does
 * @param close closes the socket at once
 */
export async function closeWithDrain(
  options: { linger?: number | undefined; drain?: number | undefined } | undefined,
  service: { drain(milliseconds: number): Promise<void> } | undefined,
  close: (linger: number | undefined) => Promise<void>,
): Promise<void> {
  const own = ownOptions(options, 'close')
  const linger = own?.linger
  const drain = own?.drain
  checkDrain(drain, 'close')
  if (drain !== undefined && service !== undefined) await service.drain(drain)
  return close(linger)
}

/** Ends a socket's connections one by one, each when nothing is owed on it, so that askers turn to others. */
export class Draining implements Watcher {
  readonly #handle: Handle
  readonly #monitor: Monitor
  readonly #owes: (pipe: number) => boolean
  readonly #maxConnections: number

  /** @param owes whether a request that came by the connection is worked on */
  constructor(handle: Handle, monitor: Monitor, owes: (pipe: number) => boolean) {
    this.#handle = handle
    this.#monitor = monitor
    this.#owes = owes
    this.#maxConnections = handle.getOption('maxConnections') as number
    // Who comes now is turned away before it asks. Peers over inproc are not limited: they go when they have come.
    handle.setOption('maxConnections', 0)
    monitor.watch(this)
    for (const pipe of handle.pipes()) this.release(pipe)
  }

  add(event: SocketEvent): void {
    if (event.type === 'connect') this.release(event.pipe)
  }

  /** Nothing more comes: the socket is closed. */
  end(): void {}

  /** Ends the connection if nothing is owed on it. */
  release(pipe: number): void {
    if (!this.#owes(pipe)) this.#disconnect(pipe)
  }

  /** The time is over: what is still worked on is for others. */
  disconnectAll(): void {
    if (!this.#handle.isOpen) return
    for (const pipe of this.#handle.pipes()) this.#disconnect(pipe)
  }

  /** An endpoint that connects would come back: it ends with its connection. */
  #disconnect(pipe: number): void {
    if (!this.#handle.isOpen) return
    const peer = this.#handle.peerOf(pipe)
    if (peer === undefined) return
    if (peer.isBound) native.disconnect(this.#handle.s, pipe)
    else native.shutdown(this.#handle.s, peer.endpoint)
  }

  /** Peers may come again. */
  undo(): void {
    this.#monitor.unwatch(this)
    if (this.#handle.isOpen) this.#handle.setOption('maxConnections', this.#maxConnections)
  }
}
