import { DuplexSocket } from '../directions.js'
import type { SocketOptions } from '../options.js'

/** Receives requests; what it sends next is the reply to the one received last. */
export class Rep extends DuplexSocket {
  constructor(options?: SocketOptions) {
    super('rep', true, options)
  }
}
