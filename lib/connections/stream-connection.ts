import type { Duplex } from 'node:stream'
import { isUint8Array } from 'node:util/types'
import { NN_LOOP_CLOSED, NN_POLLIN, NN_POLLOUT, NN_STREAM_FINISHED } from '../engine/constants.js'
import { argumentError, check } from '../engine/errors.js'
import { native } from '../engine/native.js'
import { isInstance } from '../engine/proxies.js'
import { hold, type Listener, register, unhold, unregister } from '../engine/reactor.js'

/** How long a peer may take to end a stream whose other half has ended. */
const CLOSE_LIMIT_MS = 1000

/** A stream may always have more to read at once: after this it waits for the next turn of the event loop. */
const TURN_LIMIT_BYTES = 2 ** 20
const TURN_LIMIT_CHUNKS = 256

/**
 * One connection: carries bytes, with back-pressure, between a stream and the engine.
 *
 * - The stream ends or breaks: so does the connection, once the engine has taken what came.
 * - The engine ends the connection: what it has sent is carried on, and the stream is destroyed.
 */
export class StreamConnection implements Listener {
  readonly #stream: Duplex
  readonly #id: number
  readonly #engineStream: number
  readonly #onEnd: (error: Error | undefined) => void
  /** What has come from `#offset` on waits until the engine takes it; undefined: nothing does. */
  #rest: Uint8Array | undefined
  #offset = 0
  #hasEnded = false
  /** It has ended before its time. */
  #isBroken = false
  #error: Error | undefined
  /** The stream takes nothing more. */
  #isWriteClosed = false
  #isReleased = false
  #isDestroyed = false
  #isHeld = false
  /** What was read in this turn of the event loop. */
  #readBytes = 0
  #readChunks = 0
  #isPausedForTurn = false
  #lingerMs: number
  #lingering: NodeJS.Timeout | undefined
  /** Whether anything has come from the peer. */
  hasReceived = false

  /**
   * @param s whose connection it is
   * @param lingerMs how long the stream may take for what the engine has sent; negative: without limit
   * @param onEnd called once, when both are done, with the error of the stream if it broke
   */
  constructor(
    stream: Duplex,
    s: number,
    { address, isBound, lingerMs }: { address: string; isBound: boolean; lingerMs: number },
    onEnd: (error: Error | undefined) => void,
  ) {
    this.#stream = stream
    this.#lingerMs = lingerMs
    this.#onEnd = onEnd
    this.#id = register(this)
    this.#engineStream = native.attachStream(s, address, isBound, this.#id)
    if (this.#engineStream < 0) unregister(this.#id)
    check(this.#engineStream, isBound ? 'bind' : 'connect', JSON.stringify(address))
    stream
      .on('data', (chunk) => this.#feed(chunk))
      .on('drain', () => this.#drain())
      .on('finish', () => this.#endOutput())
      .on('end', () => this.#endInput(false))
      .on('error', (error) => this.#break(error))
      .on('close', () => this.#endInput(true))
    if (stream.destroyed) this.#endInput(true)
    else stream.resume() // it may have been given paused
  }

  onEvents(events: number): void {
    if (events & NN_POLLOUT) this.#feedRest()
    if (events & (NN_POLLIN | NN_STREAM_FINISHED)) this.#drain()
    if (events & NN_STREAM_FINISHED) this.#endOutputFirst()
    if (events & NN_LOOP_CLOSED) this.#finish()
  }

  // ---- To the engine ----

  #feed(chunk: unknown): void {
    if (this.#isReleased) {
      // It is discarded, but it stands before the end of the stream.
      this.#pauseForTurn()
      return
    }
    if (!isUint8Array(chunk)) {
      this.#break(argumentError('connect', 'a connection', 'a stream of bytes, without encoding or objects', chunk))
      return
    }
    this.hasReceived = true
    this.#rest = chunk
    this.#offset = 0
    this.#feedRest()
    if (this.#rest !== undefined) this.#stream.pause()
    else this.#countRead(chunk.length)
  }

  #countRead(bytes: number): void {
    if (this.#readChunks === 0) setImmediate(() => this.#beginTurn())
    this.#readBytes += bytes
    if (++this.#readChunks >= TURN_LIMIT_CHUNKS || this.#readBytes >= TURN_LIMIT_BYTES) this.#pauseForTurn()
  }

  #beginTurn(): void {
    this.#readChunks = 0
    this.#readBytes = 0
  }

  /** Reads on in the next turn of the event loop, unless what was read waits for the engine then. */
  #pauseForTurn(): void {
    if (this.#isPausedForTurn || this.#isDestroyed) return
    this.#isPausedForTurn = true
    this.#stream.pause()
    setImmediate(() => {
      this.#isPausedForTurn = false
      if (this.#rest === undefined && !this.#isDestroyed) this.#stream.resume()
    })
  }

  #feedRest(): void {
    if (this.#rest === undefined) return
    const taken = native.feedStream(this.#engineStream, this.#rest, this.#offset)
    this.#offset += taken
    // If the engine takes no more, it says so by an event of its own.
    if (taken >= 0 && this.#offset < this.#rest.length) return
    this.#rest = undefined
    if (this.#hasEnded) this.#reportEnd()
    else if (this.#stream.isPaused() && !this.#isPausedForTurn) this.#stream.resume()
  }

  #endInput(isBroken: boolean): void {
    if (this.#isReleased) {
      // Of a stream that is ended by us, its other half may have ended first.
      if (isBroken) this.#destroy()
      return
    }
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#isBroken = isBroken
    if (this.#rest === undefined) this.#reportEnd()
    else this.#closeWrite()
  }

  #break(error: Error): void {
    this.#error ??= error
    this.#endInput(true)
  }

  #reportEnd(): void {
    native.endStream(this.#engineStream, this.#isBroken)
  }

  // ---- From the engine ----

  #drain(): void {
    const stream = this.#stream
    if (this.#isReleased || this.#hasEnded || this.#isWriteClosed || stream.writableNeedDrain) return
    if (!stream.writable) {
      // Not every stream emits an event when it is destroyed.
      if (stream.destroyed) this.#endInput(true)
      else this.#endOutput()
      return
    }
    try {
      this.#write(native.drainStream(this.#engineStream))
    } catch (error) {
      // Node.js passes on what a stream's own _write() or _writev() throws.
      this.#break(isInstance(error, Error) ? error : argumentError('send', 'what a stream throws', 'an Error', error))
    }
  }

  #write(pieces: readonly Buffer[]): void {
    const stream = this.#stream
    if (pieces.length === 1) {
      stream.write(pieces[0])
      return
    }
    stream.cork()
    for (const piece of pieces) stream.write(piece)
    stream.uncork()
  }

  /** The stream's writable side was ended outside: the peer may still send, but not for ever. */
  #endOutput(): void {
    if (this.#isReleased || this.#hasEnded || this.#isWriteClosed) return
    this.#closeWrite()
    setTimeout(() => this.#endInput(true), CLOSE_LIMIT_MS).unref()
  }

  /** The engine has sent its last, and waits for the peer's end. */
  #endOutputFirst(): void {
    if (this.#hasEnded || this.#isDestroyed) return
    this.#isWriteClosed = true
    this.#stream.end()
  }

  #closeWrite(): void {
    this.#isWriteClosed = true
    native.closeStreamWrite(this.#engineStream)
  }

  // ---- The end ----

  /** Ends the connection for the engine. */
  close(lingerMs: number): void {
    this.linger(lingerMs)
    if (!this.#isReleased) native.closeStream(this.#engineStream)
  }

  /** The connection is ending. Keeps the process alive until what the engine has sent is carried on, but no longer than
   * that. */
  linger(lingerMs: number): void {
    if (this.#isDestroyed) return
    if (!this.#isHeld) hold()
    this.#isHeld = true
    this.#lingerMs = lingerMs
    clearTimeout(this.#lingering)
    this.#lingering = undefined
    this.#limit()
  }

  #limit(): void {
    if (this.#lingerMs >= 0) this.#lingering ??= setTimeout(() => this.#destroy(), this.#lingerMs)
  }

  /** The engine is done with the stream, which may not have passed on everything yet. */
  #finish(): void {
    this.#drain()
    this.#release()
    // Unless we are closing, the engine has refused what came: nothing more is read from such a peer.
    if (this.#hasEnded || !this.#isHeld) {
      this.#destroy()
      return
    }
    this.#limit()
    // What still comes is not for us; but it must not hide the end.
    this.#stream.resume()
    this.#stream.end(() => this.#destroy())
  }

  #release(): void {
    if (this.#isReleased) return
    this.#isReleased = true
    this.#rest = undefined
    unregister(this.#id)
    native.releaseStream(this.#engineStream)
  }

  #destroy(): void {
    if (this.#isDestroyed) return
    this.#isDestroyed = true
    this.#release()
    clearTimeout(this.#lingering)
    if (this.#isHeld) unhold()
    this.#stream.destroy()
    this.#onEnd(this.#error)
  }
}
