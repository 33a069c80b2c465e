import { constants } from 'node:os'
import type { SocketEvent } from '../connections/events.js'
import type { Monitor, Watcher } from '../connections/monitor.js'
import { closedError, errnoError } from '../engine/errors.js'
import type { Handle } from '../engine/handle.js'

/** What a handler of `serve()` gets besides the body and its sender. */
export interface HandlerContext {
  /** Aborts when the connection of the asker is gone, or the socket closes: no peer waits for the answer any more. */
  readonly signal: AbortSignal
}

const hasGone = () =>
  errnoError(constants.errno.ECONNRESET, 'serve', '', {
    text: 'The connection that the request came by is gone',
    hint: 'No peer waits for the answer: stop working on it',
  })

/** The requests that are worked on by their connections, as far as their handlers want to know of the end of these. */
export class Askers implements Watcher {
  readonly #handle: Handle
  readonly #monitored: () => Monitor
  readonly #asked = new Map<number, Set<AbortController>>()
  #monitor: Monitor | undefined
  #isServing = false

  /** @param monitored the socket's events, which cost something once they are watched */
  constructor(handle: Handle, monitored: () => Monitor) {
    this.#handle = handle
    this.#monitored = monitored
  }

  add(event: SocketEvent): void {
    if (event.type === 'disconnect') this.#abort(event.pipe)
    if (event.lost > 0) for (const pipe of [...this.#asked.keys()]) this.#abortIfGone(pipe)
  }

  /** Watches the connection of a request from now on. */
  watch(pipe: number, controller: AbortController): void {
    this.#watchEvents()
    const asked = this.#asked.get(pipe)
    if (asked === undefined) this.#asked.set(pipe, new Set([controller]))
    else asked.add(controller)
    if (this.#handle.isOpen) this.#abortIfGone(pipe)
    else this.end()
  }

  /** The request is answered. */
  unwatch(pipe: number, controller: AbortController): void {
    const asked = this.#asked.get(pipe)
    if (asked?.delete(controller) && asked.size === 0) this.#asked.delete(pipe)
    this.#stopIfIdle()
  }

  /** The socket is closed. */
  end(): void {
    this.#monitor = undefined
    for (const pipe of [...this.#asked.keys()]) this.#abort(pipe, closedError('serve'))
  }

  begin(): void {
    this.#isServing = true
  }

  /** Nothing more is served; some handlers may still work. */
  rest(): void {
    this.#isServing = false
    this.#stopIfIdle()
  }

  #stopIfIdle(): void {
    if (this.#isServing || this.#asked.size > 0) return
    this.#monitor?.unwatch(this)
    this.#monitor = undefined
  }

  #watchEvents(): void {
    if (this.#monitor !== undefined || !this.#handle.isOpen) return
    this.#monitor = this.#monitored()
    this.#monitor.watch(this)
  }

  #abortIfGone(pipe: number): void {
    if (this.#handle.peerOf(pipe) === undefined) this.#abort(pipe)
  }

  #abort(pipe: number, reason: Error = hasGone()): void {
    const asked = this.#asked.get(pipe)
    this.#asked.delete(pipe)
    for (const controller of asked ?? []) controller.abort(reason)
  }
}

/** One request that is worked on. Most handlers do not look at its signal, which is made when one does. */
export class Asked implements HandlerContext {
  readonly #askers: Askers
  readonly #pipe: number
  #controller: AbortController | undefined
  #isOver = false

  constructor(askers: Askers, pipe: number) {
    this.#askers = askers
    this.#pipe = pipe
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (!this.#isOver) this.#askers.watch(this.#pipe, this.#controller)
    }
    return this.#controller.signal
  }

  /** It is answered, or has failed. */
  end(): void {
    this.#isOver = true
    if (this.#controller !== undefined) this.#askers.unwatch(this.#pipe, this.#controller)
  }
}
