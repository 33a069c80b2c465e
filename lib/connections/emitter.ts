import { AsyncResource } from 'node:async_hooks'
import { EventEmitter } from 'node:events'
import { isDebugging } from './debug.js'
import type { SocketEvents } from './events.js'

type EventName = keyof SocketEvents

type Listener = (...args: unknown[]) => unknown

/** A listener as EventEmitter keeps it: removing and listing go by what it wraps. */
interface Wrapper extends Listener {
  listener: Listener
}

const wrappers = new WeakSet<Listener>()

function wrapped(listener: Listener, wrapper: Listener): Wrapper {
  wrappers.add(wrapper)
  return Object.assign(wrapper, { listener })
}

/** Runs the listener in the context of AsyncLocalStorage in which it is added. */
function inContext(listener: unknown): unknown {
  if (typeof listener !== 'function' || wrappers.has(listener as Listener)) return listener
  const context = new AsyncResource('NanomsgListener')
  return wrapped(listener as Listener, function (this: unknown, ...args) {
    return context.runInAsyncScope(listener as Listener, this, ...args)
  })
}

/** The events that there are, and no others: the types of EventEmitter let every name pass. */
export interface ObservedEmitter {
  on<Name extends EventName>(event: Name, listener: (...args: SocketEvents[Name]) => void): this
  once<Name extends EventName>(event: Name, listener: (...args: SocketEvents[Name]) => void): this
  off<Name extends EventName>(event: Name, listener: (...args: SocketEvents[Name]) => void): this
  addListener<Name extends EventName>(event: Name, listener: (...args: SocketEvents[Name]) => void): this
  prependListener<Name extends EventName>(event: Name, listener: (...args: SocketEvents[Name]) => void): this
  prependOnceListener<Name extends EventName>(event: Name, listener: (...args: SocketEvents[Name]) => void): this
  removeListener<Name extends EventName>(event: Name, listener: (...args: SocketEvents[Name]) => void): this
  removeAllListeners(event?: EventName): this
  listenerCount<Name extends EventName>(event: Name, listener?: (...args: SocketEvents[Name]) => void): number
}

/** An EventEmitter that notices when listeners come and go, and runs each in the context in which it was added. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: likewise
export abstract class ObservedEmitter extends EventEmitter {
  /** @internal */
  protected abstract onListenersChanged(): void

  /** @internal Only with NODE_DEBUG=nanomsg. */
  protected onListenerAdded(_event: unknown): void {}

  static {
    const names = ['on', 'addListener', 'prependListener', 'off', 'removeListener', 'removeAllListeners'] as const
    for (const name of names) {
      const inherited = EventEmitter.prototype[name] as (...args: unknown[]) => unknown
      const isAdding = !/^(off|remove)/.test(name)
      const value = function (this: ObservedEmitter, ...args: unknown[]) {
        if (isAdding && isDebugging) this.onListenerAdded(args[0])
        inherited.apply(this, isAdding ? [args[0], inContext(args[1])] : args)
        this.onListenersChanged()
        return this
      }
      Object.defineProperty(ObservedEmitter.prototype, name, { value, configurable: true, writable: true })
    }
    // The inherited ones wrap the listener themselves: it could not be removed any more.
    for (const [name, add] of [
      ['once', 'on'],
      ['prependOnceListener', 'prependListener'],
    ] as const) {
      const value = function (this: ObservedEmitter, event: never, listener: unknown) {
        return this[add](event, onceInContext(this, event, listener))
      }
      Object.defineProperty(ObservedEmitter.prototype, name, { value, configurable: true, writable: true })
    }
  }
}

/** What is no function is given back, for its adding to refuse it. */
function onceInContext(emitter: EventEmitter, event: string, listener: unknown): never {
  const bound = inContext(listener)
  if (typeof bound !== 'function') return bound as never
  let hasRun = false // a listener before it may emit the same event
  const once = wrapped(listener as Listener, function (this: unknown, ...args) {
    if (hasRun) return undefined
    hasRun = true
    emitter.removeListener(event, once)
    return bound.apply(this, args)
  })
  return once as never
}
