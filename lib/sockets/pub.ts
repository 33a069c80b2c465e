import type { SocketOptions } from '../engine/options.js'
import { SendingSocket } from './base/directions.js'

/** Sends each message to every connected Sub. One that is slow misses messages; nobody waits for it. */
export class Pub extends SendingSocket {
  constructor(options?: SocketOptions) {
    super('pub', options)
  }
}
