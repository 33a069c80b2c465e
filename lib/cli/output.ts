import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { codeOf, textOf } from './error-texts.js'
import { BROKEN_PIPE, Exit } from './exit.js'

/**
 * Standard output: what is written goes out at once, and a slow reader makes the writer wait.
 * When its reader is gone, the whole program stops.
 */
export class Output {
  readonly #stream: Writable
  readonly #stop: AbortController

  constructor(stream: Writable, stop: AbortController) {
    this.#stream = stream
    this.#stop = stop
    stream.on('error', (error) => stop.abort(exitAfter(error)))
  }

  async write(chunk: Uint8Array | string): Promise<void> {
    this.#stop.signal.throwIfAborted()
    if (!this.#stream.write(chunk)) await once(this.#stream, 'drain', { signal: this.#stop.signal })
  }

  /** Settles when everything written has left, or the program has to end. */
  async flush(): Promise<void> {
    if (this.#stop.signal.aborted) return
    await new Promise<void>((resolve) => {
      this.#stop.signal.addEventListener('abort', () => resolve(), { once: true })
      this.#stream.write('', () => resolve())
    })
  }
}

function exitAfter(error: unknown): Exit {
  return codeOf(error) === 'EPIPE' ? new Exit(BROKEN_PIPE) : new Exit(3, `Can't write: ${textOf(error)}\n`)
}
