import { addAbortListener, removeAbortListener } from '../engine/abort-listeners.js'
import { NN_EVENTS_LIMIT } from '../engine/constants.js'
import { check } from '../engine/errors.js'
import type { Handle } from '../engine/handle.js'
import { native } from '../engine/native.js'
import type { Part } from '../engine/part.js'
import { WaitQueue } from '../engine/waits.js'
import { isDebugging, tell } from './debug.js'
import { publishEvent } from './diagnostics.js'
import type { ObservedEmitter } from './emitter.js'
import {
  type ConnectEvent,
  eventNames,
  eventOf,
  type FailureEvent,
  type SocketEvent,
  type SocketEvents,
} from './events.js'

/** What goes wrong in a listener is its program's matter, and must not keep events from others. */
function rethrow(error: unknown): void {
  process.nextTick(() => {
    throw error
  })
}

function reasonOf(event: SocketEvent): string {
  switch (event.type) {
    case 'connect':
      return event.protocol
    case 'slow':
      return `${event.messagesDropped} messages dropped, ${event.queuedBytes} bytes wait`
    case 'disconnect':
      return event.error?.message ?? event.reason
    default:
      return event.error.message
  }
}

/** For NODE_DEBUG=nanomsg: which socket, what, where, and why. */
function tellEvent(socket: object, handle: Handle, event: SocketEvent): void {
  const where = event.remoteAddress ?? event.address
  tell(`${socket.constructor.name} ${handle.lastName ?? ''}: ${event.type} ${where} (${reasonOf(event)})`)
}

/** A consumer of events besides listeners. */
export interface Watcher {
  add(event: SocketEvent): void
  /** The socket is closed: nothing follows. */
  end(): void
}

/** Gets a socket's events from the engine while they have consumers: listeners, iterations, channels. */
export class Monitor implements Part {
  readonly #socket: ObservedEmitter
  readonly #handle: Handle
  readonly #watchers = new Set<Watcher>()
  #isPublishing = false
  #isOn = false
  /** The peers whose connection was reported, so that the end of the socket is reported for each of them. */
  readonly #peers = new Map<number, ConnectEvent>()

  constructor(socket: ObservedEmitter, handle: Handle) {
    this.#socket = socket
    this.#handle = handle
  }

  /** From now on the channels of node:diagnostics_channel get the events. */
  publish(): void {
    this.#isPublishing = true
    this.update()
  }

  iterate(signal: AbortSignal | undefined): AsyncIterableIterator<SocketEvent> {
    const iteration = new Iteration(this.#handle, signal, () => this.unwatch(iteration))
    if (!signal?.aborted) this.watch(iteration)
    return iteration
  }

  watch(watcher: Watcher): void {
    this.#watchers.add(watcher)
    this.update()
  }

  unwatch(watcher: Watcher): void {
    this.#watchers.delete(watcher)
    this.update()
  }

  /** Switches the engine's events on or off, as they are wanted. */
  update(): void {
    const isWanted = this.#isWanted()
    if (isWanted === this.#isOn || !this.#handle.isOpen) return
    const rc = native.monitor(this.#handle.s, isWanted)
    // A socket that was closed by its number has no events to switch off.
    if (isWanted) check(rc, 'events')
    this.#isOn = isWanted
    this.#peers.clear()
    if (isWanted) this.#rememberPeers()
  }

  /** Those that were connected before: also of them the end of the socket is reported. */
  #rememberPeers(): void {
    for (const pipe of this.#handle.pipes()) {
      const event = this.#handle.peerOf(pipe)
      if (event !== undefined) this.#peers.set(pipe, eventOf(event) as ConnectEvent)
    }
  }

  #isWanted(): boolean {
    return (
      this.#isPublishing || this.#watchers.size > 0 || eventNames.some((name) => this.#socket.listenerCount(name) > 0)
    )
  }

  /** The engine has events. */
  onEvents(): void {
    while (this.#isOn) {
      const event = native.nextEvent(this.#handle.s)
      if (typeof event === 'number') return
      this.#publish(eventOf(event))
    }
  }

  /** What the engine cannot know: a transport in JavaScript has failed. */
  fail(event: FailureEvent): void {
    if (this.#isOn) this.#publish(event)
  }

  /** The socket is closed, and with it all connections. */
  close(): void {
    this.onEvents()
    for (const peer of [...this.#peers.values()]) {
      this.#publish({ ...peer, type: 'disconnect', lost: 0, reason: 'closed', error: undefined })
    }
    this.#isOn = false
    for (const watcher of this.#watchers) watcher.end()
    this.#watchers.clear()
  }

  #publish(event: SocketEvent): void {
    this.#count(event)
    for (const watcher of this.#watchers) watcher.add(event)
    if (this.#isPublishing) publishEvent(this.#socket, event)
    if (isDebugging) tellEvent(this.#socket, this.#handle, event)
    try {
      // The name and the argument belong together, which the compiler cannot see.
      this.#socket.emit(event.type as 'connect', event as SocketEvents['connect'][0])
    } catch (error) {
      rethrow(error)
    }
  }

  #count(event: SocketEvent): void {
    if (event.lost > 0) this.#peers.clear() // some may be gone
    if (event.type === 'connect') this.#peers.set(event.pipe, event)
    if (event.type === 'disconnect') this.#peers.delete(event.pipe)
  }
}

const done = Object.freeze({ value: undefined, done: true as const })

/** One reader of the events. What it does not take is bounded, as in the engine. */
class Iteration implements AsyncIterableIterator<SocketEvent>, Watcher {
  readonly #signal: AbortSignal | undefined
  readonly #forget: () => void
  readonly #events: SocketEvent[] = []
  readonly #waits: WaitQueue<undefined, IteratorResult<SocketEvent, undefined>>
  readonly #onAbort = () => this.#leave()
  #lost = 0
  #isDone = false

  constructor(handle: Handle, signal: AbortSignal | undefined, forget: () => void) {
    this.#signal = signal
    this.#forget = forget
    this.#waits = new WaitQueue('events', handle)
    if (signal !== undefined) addAbortListener(signal, this.#onAbort)
  }

  add(event: SocketEvent): void {
    if (!this.#waits.isEmpty) {
      this.#waits.resolveFirst({ value: event, done: false })
      return
    }
    this.#events.push(event)
    if (this.#events.length > NN_EVENTS_LIMIT) this.#lost += this.#events.shift()!.lost + 1
  }

  /** Nothing follows what is here. */
  end(): void {
    this.#isDone = true
    if (this.#signal !== undefined) removeAbortListener(this.#signal, this.#onAbort)
    while (!this.#waits.isEmpty) this.#waits.resolveFirst(done)
  }

  #leave(): void {
    this.#isDone = true
    this.#events.length = 0
    this.#forget()
  }

  next(): Promise<IteratorResult<SocketEvent, undefined>> {
    if (this.#events.length > 0) return Promise.resolve({ value: this.#take(), done: false })
    if (this.#signal?.aborted) return Promise.reject(this.#signal.reason)
    if (this.#isDone) return Promise.resolve(done)
    return this.#waits.add(undefined, { signal: this.#signal }, -1)
  }

  #take(): SocketEvent {
    const event = this.#events.shift()!
    if (this.#lost === 0) return event
    const lost = event.lost + this.#lost
    this.#lost = 0
    return { ...event, lost }
  }

  return(): Promise<IteratorResult<SocketEvent, undefined>> {
    this.end()
    this.#leave()
    return Promise.resolve(done)
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
