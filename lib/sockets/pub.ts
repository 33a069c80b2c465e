import type { OnSlow, SlowPeerOptions, SocketOptions } from '../engine/options.js'
import { SendingSocket } from './base/directions.js'

/** Sends each message to every connected Sub. A slow Sub misses messages; sending does not wait for it. */
export class Pub extends SendingSocket {
  constructor(options?: SocketOptions & SlowPeerOptions) {
    super('pub', options)
  }

  get onSlow(): OnSlow {
    return this.handle.getOption('onSlow') as OnSlow
  }
  set onSlow(policy: OnSlow) {
    this.handle.setOption('onSlow', policy)
  }
}
