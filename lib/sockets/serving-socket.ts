import { closeWithDrain } from '../contexts/draining.js'
import type { Handler, ServeOptions } from '../contexts/serve-options.js'
import type { Service } from '../contexts/service.js'
import type { ProtocolName } from '../engine/constants.js'
import type { SlowPeerOptions, SocketOptions } from '../engine/options.js'
import type { Body } from '../messages/bytes.js'
import { DuplexSocket } from './base/directions.js'
import { defineOptions, type OptionProperties } from './base/option-properties.js'
import { service } from './contexts.js'

/** A socket that answers what others ask: one by one with `receive()` and `send()`, or side by side with `serve()`. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the class defines its options from their names
export abstract class ServingSocket<In = Buffer, Out = Body> extends DuplexSocket {
  #service: Service | undefined

  /** @internal */
  constructor(protocol: ProtocolName, options: SocketOptions | undefined) {
    service('socket')
    super(protocol, true, options)
  }

  /**
   * Answers requests, or surveys, as they come, many at a time and in any order.
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
    await this.#service.serve(this.handlerOfBodies(handler), options)
  }

  /** @internal A handler of bodies that gives values to a handler of the program. */
  protected handlerOfBodies(handler: Handler<In, Out>): Handler {
    return handler as unknown as Handler
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

  static {
    defineOptions(ServingSocket, ['onSlow'])
  }
}

// biome-ignore lint/correctness/noUnusedVariables: an interface has the parameters of the class that it belongs to
export interface ServingSocket<In = Buffer, Out = Body> extends OptionProperties<SlowPeerOptions> {}
