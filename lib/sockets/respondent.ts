import type { SlowPeerOptions, SocketOptions } from '../engine/options.js'
import { ServingSocket } from './serving-socket.js'

/** Receives surveys; what it sends next is its answer to the one received last. With `serve()` many are worked on side
 *  by side. */
export class Respondent extends ServingSocket {
  constructor(options?: SocketOptions & SlowPeerOptions) {
    super('respondent', options)
  }
}
