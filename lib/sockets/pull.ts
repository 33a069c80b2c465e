import type { SocketOptions } from '../engine/options.js'
import { ReceivingSocket } from './base/directions.js'

/** Receives messages from all connected Pushes, from each in turn. */
export class Pull extends ReceivingSocket {
  constructor(options?: SocketOptions) {
    super('pull', false)
    this.configure(options)
  }
}
