import type { SlowPeerOptions, SocketOptions } from '../engine/options.js'
import { SendingSocket } from './base/directions.js'
import { defineOptions, type OptionProperties } from './base/option-properties.js'

/** Sends each message to every connected Sub. A slow Sub misses messages; sending does not wait for it. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the class defines its options from their names
export class Pub extends SendingSocket {
  constructor(options?: SocketOptions & SlowPeerOptions) {
    super('pub', options)
  }

  static {
    defineOptions(Pub, ['onSlow'])
  }
}

export interface Pub extends OptionProperties<SlowPeerOptions> {}
