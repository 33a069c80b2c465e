import type { Handle } from '../engine/handle.js'
import type { WaitOptions } from '../engine/waits.js'
import type { Inbox } from './inbox.js'

/** Iterates over what `next` gives. It ends, and does not fail, when the socket is closed. */
class Reception<Item> implements AsyncIterableIterator<Item> {
  readonly #handle: Handle
  readonly #tryNext: () => Item | undefined
  readonly #next: () => Promise<Item>
  #isDone = false

  constructor(handle: Handle, tryNext: () => Item | undefined, next: () => Promise<Item>) {
    this.#handle = handle
    this.#tryNext = tryNext
    this.#next = next
  }

  next(): Promise<IteratorResult<Item, undefined>> {
    if (this.#isDone || !this.#handle.isOpen) return this.return()
    try {
      const value = this.#tryNext()
      if (value !== undefined) return Promise.resolve({ value, done: false })
    } catch (error) {
      this.#isDone = true
      return Promise.reject(error)
    }
    return this.#wait()
  }

  async #wait(): Promise<IteratorResult<Item, undefined>> {
    try {
      return { value: await this.#next(), done: false }
    } catch (error) {
      this.#isDone = true
      if (this.#handle.isOpen) throw error
      return { value: undefined, done: true }
    }
  }

  return(): Promise<IteratorResult<Item, undefined>> {
    this.#isDone = true
    return Promise.resolve({ value: undefined, done: true })
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

/** A signal ends an iteration also when there is no need to wait. */
function unlessAborted<Item>(signal: AbortSignal | undefined, tryNext: () => Item): () => Item {
  if (signal === undefined) return tryNext
  return () => {
    signal.throwIfAborted()
    return tryNext()
  }
}

export function receiveEach(handle: Handle, inbox: Inbox, options?: WaitOptions): AsyncIterableIterator<Buffer> {
  return new Reception(
    handle,
    unlessAborted(options?.signal, () => inbox.tryReceiveNext()),
    () => inbox.receive(options),
  )
}

export function receiveBatches(handle: Handle, inbox: Inbox, options?: WaitOptions): AsyncIterableIterator<Buffer[]> {
  return new Reception(
    handle,
    unlessAborted(options?.signal, () => inbox.tryReceiveAll()),
    () => inbox.receiveAll(options),
  )
}
