import { DuplexSocket } from '../directions.js'
import type { SocketOptions } from '../options.js'

/** Receives surveys; what it sends next is its answer to the one received last. */
export class Respondent extends DuplexSocket {
  constructor(options?: SocketOptions) {
    super('respondent', true, options)
  }
}
