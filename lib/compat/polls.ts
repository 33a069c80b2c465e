import { native } from '../engine/native.js'
import { hold, unhold } from '../engine/reactor.js'
import { NN_POLLIN, NN_POLLOUT } from '../nn/constants.js'
import { type Descriptor, descriptorOf } from '../nn/descriptor.js'

/** What libuv calls it when a descriptor can be read: that is how libraries signal that a socket is ready. */
const READABLE = 1

/** Calls back in every turn of the event loop in which a socket has a message, or can take one. As long as it does, the
 * process goes on. */
export class Poll {
  readonly #descriptor: Descriptor | undefined
  readonly #entry: Int32Array
  readonly #callback: (events: number) => void
  #isDue = false
  #isOn = true

  constructor(s: number, isSender: boolean, callback: (events: number) => void) {
    if (typeof callback !== 'function') throw new TypeError('callback must be a function')
    this.#descriptor = descriptorOf(s)
    this.#entry = Int32Array.of(s, isSender ? NN_POLLOUT : NN_POLLIN, 0)
    this.#callback = callback
    if (this.#descriptor === undefined) return
    hold()
    this.#descriptor.watchers.add(this.#look)
    this.#look()
  }

  stop(): void {
    if (!this.#isOn) return
    this.#isOn = false
    if (this.#descriptor === undefined) return
    this.#descriptor.watchers.delete(this.#look)
    unhold()
  }

  readonly #look = (): void => {
    const ready = native.poll(this.#entry, 1)
    if (ready < 0) this.stop()
    if (ready <= 0 || this.#isDue) return
    this.#isDue = true
    setImmediate(() => {
      this.#isDue = false
      if (!this.#isOn || native.poll(this.#entry, 1) <= 0) return
      try {
        this.#callback(READABLE)
      } finally {
        if (this.#isOn) this.#look()
      }
    })
  }
}
