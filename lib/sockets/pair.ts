import { FreeDuplexSocket } from '../directions.js'
import type { SocketOptions } from '../options.js'

/** Talks to exactly one other Pair: a second peer is turned away. */
export class Pair extends FreeDuplexSocket {
  constructor(options?: SocketOptions) {
    super('pair', options)
  }
}
