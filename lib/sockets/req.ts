import { DuplexSocket } from '../directions.js'
import type { SocketOptions } from '../options.js'

export interface ReqOptions extends SocketOptions {
  /** Milliseconds after which a request that has no reply is sent again. Default: 60000. */
  resendInterval?: number
}

/** Sends a request to one of the connected Reps, in turn, and receives its reply. A new request gives up the last. */
export class Req extends DuplexSocket {
  constructor(options?: ReqOptions) {
    super('req', true, options)
  }

  get resendInterval(): number {
    return this.handle.getOption('resendInterval') as number
  }
  set resendInterval(milliseconds: number) {
    this.handle.setOption('resendInterval', milliseconds)
  }
}
