import type { SocketOptions } from '../engine/options.js'
import { FreeDuplexSocket } from './base/directions.js'

/** Talks to exactly one other Pair: a second peer is turned away. */
export class Pair extends FreeDuplexSocket {
  constructor(options?: SocketOptions) {
    super('pair', options)
  }
}
