import type { OnSlow, SlowPeerOptions, SocketOptions } from '../engine/options.js'
import { FreeDuplexSocket } from './base/directions.js'

/** Sends to every Bus that it is connected to directly, and receives from them. A peer that is slow misses messages. */
export class Bus extends FreeDuplexSocket {
  constructor(options?: SocketOptions & SlowPeerOptions) {
    super('bus', options)
  }

  get onSlow(): OnSlow {
    return this.handle.getOption('onSlow') as OnSlow
  }
  set onSlow(policy: OnSlow) {
    this.handle.setOption('onSlow', policy)
  }
}
