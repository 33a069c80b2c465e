import type { SocketOptions } from '../engine/options.js'
import { FreeDuplexSocket } from './base/directions.js'

/** Sends to every Bus that it is connected to directly, and receives from them. A peer that is slow misses messages. */
export class Bus extends FreeDuplexSocket {
  constructor(options?: SocketOptions) {
    super('bus', options)
  }
}
