import { SendingSocket } from '../directions.js'
import type { SocketOptions } from '../options.js'

/** Sends each message to one of the connected Pulls, in turn among those that can take it. */
export class Push extends SendingSocket {
  constructor(options?: SocketOptions) {
    super('push', options)
  }
}
