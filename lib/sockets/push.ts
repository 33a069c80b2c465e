import type { SocketOptions } from '../engine/options.js'
import { SendingSocket } from './base/directions.js'

/** Sends each message to one of the connected Pulls, in turn among those that can take it. */
export class Push extends SendingSocket {
  constructor(options?: SocketOptions) {
    super('push', options)
  }
}
