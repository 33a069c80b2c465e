import { AsyncResource } from 'node:async_hooks'
import { EventEmitter } from 'node:events'

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

/** An EventEmitter that notices when listeners come and go, and runs each in the context in which it was added. */
export abstract class ObservedEmitter<Events extends Record<keyof Events, unknown[]>> extends EventEmitter<Events> {
  /** @internal */
  protected abstract onListenersChanged(): void

  static {
    const names = ['on', 'addListener', 'prependListener', 'off', 'removeListener', 'removeAllListeners'] as const
    for (const name of names) {
      const inherited = EventEmitter.prototype[name] as (...args: unknown[]) => unknown
      const isAdding = !/^(off|remove)/.test(name)
      const value = function (this: ObservedEmitter<never>, ...args: unknown[]) {
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
      const value = function (this: ObservedEmitter<never>, event: never, listener: unknown) {
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
