/** What happens when a signal aborts: one listener for each signal, however many calls it may end, since EventTarget
 * warns of many listeners and looks through all of them for each that comes or goes. */

const listening = new WeakMap<AbortSignal, Listening>()

class Listening {
  readonly callbacks = new Set<() => void>()
  readonly #signal: AbortSignal

  constructor(signal: AbortSignal) {
    this.#signal = signal
    signal.addEventListener('abort', this, { once: true })
  }

  /** The signal has aborted. */
  handleEvent(): void {
    listening.delete(this.#signal)
    for (const callback of this.callbacks) callback()
  }

  remove(callback: () => void): void {
    this.callbacks.delete(callback)
    if (this.callbacks.size > 0) return
    this.#signal.removeEventListener('abort', this)
    listening.delete(this.#signal)
  }
}

/** Calls back once, when the signal aborts. The callback throws nothing. */
export function addAbortListener(signal: AbortSignal, callback: () => void): void {
  let shared = listening.get(signal)
  if (shared === undefined) {
    shared = new Listening(signal)
    listening.set(signal, shared)
  }
  shared.callbacks.add(callback)
}

export function removeAbortListener(signal: AbortSignal, callback: () => void): void {
  listening.get(signal)?.remove(callback)
}
