import type { SlowPeerOptions, SocketOptions } from '../engine/options.js'
import { FreeDuplexSocket } from './base/directions.js'
import { defineOptions, type OptionProperties } from './base/option-properties.js'

/** Sends to every Bus that it is connected to directly, and receives from them. A peer that is slow misses messages. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the class defines its options from their names
export class Bus extends FreeDuplexSocket {
  constructor(options?: SocketOptions & SlowPeerOptions) {
    super('bus', options)
  }

  static {
    defineOptions(Bus, ['onSlow'])
  }
}

export interface Bus extends OptionProperties<SlowPeerOptions> {}
