import type { Socket as LocalSocket } from 'node:net'
import { type Duplex, pipeline } from 'node:stream'

/**
 * One connection: carries bytes, with back-pressure, between a stream and our end of a pair of sockets, of which the
 * engine has the other.
 *
 * - The stream ends: so does what the engine reads. It closes its end when the last message is taken.
 * - The engine closes its end: what it has sent is carried on, and the stream is destroyed.
 * - The stream breaks: both are destroyed.
 */
export class Carrier {
  readonly #stream: Duplex
  readonly #local: LocalSocket
  #lingering: NodeJS.Timeout | undefined

  /** @param onEnd called once, when both are destroyed, with the error of the stream if it broke */
  constructor(stream: Duplex, descriptor: number, onEnd: (error: Error | undefined) => void) {
    // Only who carries connections pays for loading it.
    const { Socket } = require('node:net') as typeof import('node:net')
    const local = new Socket({ fd: descriptor, readable: true, writable: true, allowHalfOpen: true })
    this.#stream = stream
    this.#local = local
    // Calls that wait keep the process alive, not connections.
    local.unref()
    let broken: Error | undefined
    stream.on('error', (error) => {
      broken ??= error
    })
    local.on('error', () => {})
    pipeline(stream, local, () => {})
    pipeline(local, stream, () => {
      clearTimeout(this.#lingering)
      stream.destroy()
      local.destroy()
      onEnd(broken)
    })
    // A stream that ends both ways at once takes nothing more: the engine's bytes are dropped, or its end went unseen.
    stream.once('end', () => {
      if (!stream.allowHalfOpen) this.#drop()
    })
    stream.once('finish', () => this.#drop())
  }

  #drop(): void {
    this.#local.unpipe(this.#stream)
    this.#local.resume()
  }

  /** Whether anything has come from the peer. */
  get hasReceived(): boolean {
    return this.#local.bytesWritten > 0
  }

  /** The engine closes its end now, or soon. Keeps the process alive until what it has sent is carried on. */
  close(lingerMs: number): void {
    // To write to the engine's closed end would break what is still to be carried the other way.
    this.#stream.unpipe(this.#local)
    this.#local.ref()
    if (lingerMs >= 0) this.#lingering = setTimeout(() => this.#local.destroy(), lingerMs)
  }
}
