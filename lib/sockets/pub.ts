import type { SocketOptions } from '../engine/options.js'
import { SendingSocket } from './base/directions.js'

/** Sends each message to every connected Sub. A slow Sub misses messages; sending does not wait for it. */
export class Pub extends SendingSocket {
  constructor(options?: SocketOptions) {
    super('pub', options)
  }
}
