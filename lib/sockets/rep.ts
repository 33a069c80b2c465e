import { closeWithDrain } from '../contexts/draining.js'
import type { Handler, ServeOptions } from '../contexts/serve-options.js'
import type { Service } from '../contexts/service.js'
import type { OnSlow, SlowPeerOptions, SocketOptions } from '../engine/options.js'
import { isFunction } from '../engine/proxies.js'
import type { Body } from '../messages/bytes.js'
import { type CodecOption, Coding } from '../messages/codec.js'
import { DuplexSocket } from './base/directions.js'
import { service } from './contexts.js'

export interface RepOptions<In = Buffer, Out = Body> extends SocketOptions, SlowPeerOptions {
  /** What handlers of `serve()` get and return, in place of bodies: `'json'`, `'msgpack'`, or an object with
   * `encode()` and `decode()`. Its Reqs need the same one. `send()`, `receive()` and `onError` have bodies as ever.
   * Default: none. */
  codec?: CodecOption<In, Out> | undefined
}

/** Receives requests; what it sends next is the reply to the one received last. With `serve()` many are worked on side
 *  by side. With the option `codec`, requests are values of the type `In` and replies of the type `Out`. */
export class Rep<In = Buffer, Out = Body> extends DuplexSocket {
  #service: Service | undefined

  constructor(options?: RepOptions<In, Out>) {
    service('socket')
    super('rep', true, options as SocketOptions)
  }

  get codec(): CodecOption<In, Out> | undefined {
    return this.coding?.option as CodecOption<In, Out> | undefined
  }
  set codec(option: CodecOption<In, Out> | undefined) {
    this.coding = new Coding(option, () => this.handle.codecFailures++)
  }

  /**
   * Answers requests as they come, many at a time and in any order.
   *
   * @param handler gets the body of a request, its sender, and `{ signal }`, which aborts when the sender's connection
   *   is gone or the socket closes; what it returns, or its promise resolves to, is the answer. Undefined: none.
   * @returns when the socket is closed, or the signal ends serving.
   * A handler that throws, or returns what cannot be sent, ends that one request, which gets no reply; see `onError`,
   * `stopOnError` and `replyErrors`.
   *
   * @throws {NanomsgError} `EINVAL`, `EBADF`; with `stopOnError` what the handler has thrown.
   */
  async serve(handler: Handler<In, Out>, options: ServeOptions = {}): Promise<void> {
    this.handle.assertOpen('serve')
    this.#service ??= new (service('serve').Service)(this, this.handle, this.inbox, this.outbox, () => this.monitored())
    const coding = this.coding?.isOn && isFunction(handler) ? this.coding : undefined
    await this.#service.serve(coding === undefined ? (handler as unknown as Handler) : coded(handler, coding), options)
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

/** A handler of bodies that gives values to a handler of the program. */
function coded<In, Out>(handler: Handler<In, Out>, coding: Coding): Handler {
  return async (body, peer, context) => {
    const answer = await handler(coding.decode(body, 'serve') as In, peer, context)
    return answer === undefined ? undefined : coding.encode(answer, 'the answer', 'serve')
  }
}
