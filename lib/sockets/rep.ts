import type { Handler } from '../contexts/serve-options.js'
import type { SlowPeerOptions, SocketOptions } from '../engine/options.js'
import { isFunction } from '../engine/proxies.js'
import type { Body } from '../messages/bytes.js'
import { type CodecOption, Coding } from '../messages/codec.js'
import { ServingSocket } from './serving-socket.js'

export interface RepOptions<In = Buffer, Out = Body> extends SocketOptions, SlowPeerOptions {
  /** What handlers of `serve()` get and return, in place of bodies: `'json'`, `'msgpack'`, or an object with
   * `encode()` and `decode()`. Its Reqs need the same one. `send()`, `receive()` and `onError` have bodies as ever.
   * Default: none. */
  codec?: CodecOption<In, Out> | undefined
}

/** Receives requests; what it sends next is the reply to the one received last. With `serve()` many are worked on side
 *  by side. With the option `codec`, requests are values of the type `In` and replies of the type `Out`. */
export class Rep<In = Buffer, Out = Body> extends ServingSocket<In, Out> {
  constructor(options?: RepOptions<In, Out>) {
    super('rep', options as SocketOptions)
  }

  get codec(): CodecOption<In, Out> | undefined {
    return this.coding?.option as CodecOption<In, Out> | undefined
  }
  set codec(option: CodecOption<In, Out> | undefined) {
    this.coding = new Coding(option, () => this.handle.codecFailures++)
  }

  /** @internal */
  protected override handlerOfBodies(handler: Handler<In, Out>): Handler {
    return this.coding?.isOn && isFunction(handler) ? coded(handler, this.coding) : super.handlerOfBodies(handler)
  }
}

/** A handler of bodies that gives values to a handler of the program. */
function coded<In, Out>(handler: Handler<In, Out>, coding: Coding): Handler {
  return async (body, peer, context) => {
    const answer = await handler(coding.decode(body, 'serve') as In, peer, context)
    return answer === undefined ? undefined : coding.encode(answer, 'the answer', 'serve')
  }
}
