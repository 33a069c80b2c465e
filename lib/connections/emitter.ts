import { EventEmitter } from 'node:events'

/** An EventEmitter that notices when listeners come and go. */
export abstract class ObservedEmitter<Events extends Record<keyof Events, unknown[]>> extends EventEmitter<Events> {
  /** @internal */
  protected abstract onListenersChanged(): void

  static {
    // once() and prependOnceListener() are made of these, and so is the end of what was added with them.
    const names = ['on', 'addListener', 'prependListener', 'off', 'removeListener', 'removeAllListeners'] as const
    for (const name of names) {
      const inherited = EventEmitter.prototype[name] as (...args: unknown[]) => unknown
      const value = function (this: ObservedEmitter<never>, ...args: unknown[]) {
        inherited.apply(this, args)
        this.onListenersChanged()
        return this
      }
      Object.defineProperty(ObservedEmitter.prototype, name, { value, configurable: true, writable: true })
    }
  }
}
