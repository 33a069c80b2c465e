import { ReceivingSocket } from '../directions.js'
import type { SocketOptions } from '../options.js'

/** Receives messages from all connected Pushes, from each in turn. */
export class Pull extends ReceivingSocket {
  constructor(options?: SocketOptions) {
    super('pull', false)
    this.configure(options)
  }
}
