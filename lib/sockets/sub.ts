import { protocols } from '../engine/constants.js'
import { NN_SUB_SUBSCRIBE, NN_SUB_UNSUBSCRIBE } from '../engine/option-numbers.js'
import type { SocketOptions } from '../engine/options.js'
import { type Bytes, checkBytes, toUint8Array } from '../messages/bytes.js'
import { ReceivingSocket } from './base/directions.js'

/** Receives those messages of the connected Pubs that begin with a prefix it has subscribed to; at first, none. */
export class Sub extends ReceivingSocket {
  constructor(options?: SocketOptions) {
    super('sub', false)
    this.configure(options)
  }

  /**
   * Receives from now on what begins with any of the prefixes, too. The empty prefix stands for everything. A prefix
   * can be subscribed to more than once, and is then unsubscribed from as often.
   */
  subscribe(...prefixes: Bytes[]): this {
    return this.#change(NN_SUB_SUBSCRIBE, prefixes, 'subscribe')
  }

  /** Ends subscriptions to the prefixes; one that there is not is none to end. */
  unsubscribe(...prefixes: Bytes[]): this {
    return this.#change(NN_SUB_UNSUBSCRIBE, prefixes, 'unsubscribe')
  }

  #change(option: number, prefixes: Bytes[], syscall: string): this {
    for (const prefix of prefixes) checkBytes(prefix, 'a prefix', syscall)
    for (const prefix of prefixes) this.handle.setBytesOption(protocols.sub, option, toUint8Array(prefix), syscall)
    return this
  }
}
