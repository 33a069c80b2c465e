import { native } from '../engine/native.js'
import { NN_SUB, NN_SUB_SUBSCRIBE, NN_SUB_UNSUBSCRIBE } from '../nn/constants.js'

const bytesOf = (channel: unknown): Buffer => (Buffer.isBuffer(channel) ? channel : Buffer.from(`${channel}`))

/** What a sub subscribes to. */
export class Subscriptions {
  /** Visible to programs. */
  readonly channels: Record<string, true> = {}
  readonly #s: number
  readonly #prefixes = new Map<string, Buffer>()
  #hasRemoved = false

  constructor(s: number) {
    this.#s = s
  }

  /** Every message is received. */
  get isEverything(): boolean {
    return this.channels[''] === true
  }

  has(channel: unknown): boolean {
    return this.channels[`${channel}`] === true
  }

  /** Returns 0 or -errno. */
  add(channel: unknown): number {
    const prefix = bytesOf(channel)
    const rc = native.setOption(this.#s, NN_SUB, NN_SUB_SUBSCRIBE, prefix)
    if (rc < 0) return rc
    this.channels[`${channel}`] = true
    this.#prefixes.set(`${channel}`, prefix)
    return rc
  }

  /** Returns 0 or -errno. */
  remove(channel: unknown): number {
    const rc = native.setOption(this.#s, NN_SUB, NN_SUB_UNSUBSCRIBE, bytesOf(channel))
    if (rc < 0) return rc
    delete this.channels[`${channel}`]
    this.#prefixes.delete(`${channel}`)
    this.#hasRemoved = true
    return rc
  }

  /** Whether a message is wanted that was when the engine looked: since then, subscriptions may have ended. */
  wants(message: Buffer): boolean {
    if (!this.#hasRemoved) return true
    for (const prefix of this.#prefixes.values()) {
      if (prefix.length <= message.length && prefix.compare(message, 0, prefix.length) === 0) return true
    }
    return false
  }
}
