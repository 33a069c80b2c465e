import { DuplexSocket } from '../directions.js'
import type { SocketOptions } from '../options.js'

/** Sends to every Bus that it is connected to directly, and receives from them. A peer that is slow misses messages. */
export class Bus extends DuplexSocket {
  constructor(options?: SocketOptions) {
    super('bus', false, options)
  }
}
