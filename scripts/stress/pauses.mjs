/** The longest time for which the event loop of this thread does not turn. */
import { closeSync, openSync, readSync } from 'node:fs'

const TICK_MS = 2

/** How long this thread has waited for a processor, in milliseconds; 0 where the system does not tell. */
function openWaitingTime() {
  const bytes = Buffer.alloc(100)
  let fd
  try {
    fd = openSync('/proc/thread-self/schedstat')
  } catch {
    return { read: () => 0, close: () => {} }
  }
  return {
    read: () => Number(bytes.toString('latin1', 0, readSync(fd, bytes, 0, bytes.length, 0)).split(' ')[1]) / 1e6,
    close: () => closeSync(fd),
  }
}

/**
 * Looks at the clock every two milliseconds. What the thread has waited for a processor that others had does not
 * count as its own pause.
 */
export class PauseMeter {
  #waiting = openWaitingTime()
  #timer
  #at
  #waited
  longestMs = 0

  constructor() {
    this.reset()
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
  }

  #tick() {
    const [now, waited] = [performance.now(), this.#waiting.read()]
    this.longestMs = Math.max(this.longestMs, now - this.#at - TICK_MS - (waited - this.#waited))
    this.#at = now
    this.#waited = waited
  }

  reset() {
    this.longestMs = 0
    this.#at = performance.now()
    this.#waited = this.#waiting.read()
  }

  close() {
    clearInterval(this.#timer)
    this.#waiting.close()
  }
}
