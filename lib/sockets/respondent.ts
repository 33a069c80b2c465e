import { closeWithDrain } from '../contexts/draining.js'
import type { Handler, ServeOptions } from '../contexts/serve-options.js'
import type { Service } from '../contexts/service.js'
import type { OnSlow, SlowPeerOptions, SocketOptions } from '../engine/options.js'
import { DuplexSocket } from './base/directions.js'
import { service } from './contexts.js'

/** Receives surveys; what it sends next is its answer to the one received last. With `serve()` many are worked on side
 *  by side. */
export class Respondent extends DuplexSocket {
  #service: Service | undefined

  constructor(options?: SocketOptions & SlowPeerOptions) {
    service('socket')
    super('respondent', true, options)
  }

  /**
   * Answers surveys as they come, many at a time and in any order.
   *
   * @param handler gets the body of a survey, its sender, and `{ signal }`, which aborts when the sender's connection
   *   is gone or the socket closes; what it returns, or its promise resolves to, is the answer. Undefined: none.
   * @returns when the socket is closed, or the signal ends serving.
   * A handler that throws, or returns what cannot be sent, ends that one request, which gets no reply; see `onError`,
   * `stopOnError` and `replyErrors`.
   *
   * @throws {NanomsgError} `EINVAL`, `EBADF`; with `stopOnError` what the handler has thrown.
   */
  async serve(handler: Handler, options: ServeOptions = {}): Promise<void> {
    this.handle.assertOpen('serve')
    this.#service ??= new (service('serve').Service)(this, this.handle, this.inbox, this.outbox, () => this.monitored())
    await this.#service.serve(handler, options)
  }

  /**
   * As of all sockets.
   *
   * @param options.drain Milliseconds for `serve()` to end before, as its option `drain` says: askers can turn
   *   to others meanwhile.
   */
  override close(options?: { linger?: number | undefined; drain?: number | undefined }): Promise<void> {
    const service = this.closed ? undefined : this.#service
    return closeWithDrain(options, service, (linger) => super.close({ linger }))
  }

  get onSlow(): OnSlow {
    return this.handle.getOption('onSlow') as OnSlow
  }
  set onSlow(policy: OnSlow) {
    this.handle.setOption('onSlow', policy)
  }
}
