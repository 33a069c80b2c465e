import type { RequestOptions, Requests } from '../contexts/requests.js'
import type { SocketOptions } from '../engine/options.js'
import { type Body, bodyOf } from '../messages/bytes.js'
import { type CodecOption, Coding } from '../messages/codec.js'
import { DuplexSocket } from './base/directions.js'
import { defineOptions, type OptionProperties } from './base/option-properties.js'
import { requests } from './contexts.js'

export interface ReqOptions<In = Buffer, Out = Body> extends SocketOptions {
  /** What `request()` takes and resolves to, in place of bodies: `'json'`, `'msgpack'`, or an object with `encode()`
   * and `decode()`. Its Reps need the same one. `send()` and `receive()` have bodies as ever. Default: none. */
  codec?: CodecOption<In, Out> | undefined
  /** Milliseconds after which a request that has no reply is sent again. Default: 60000. */
  resendInterval?: number | undefined
  /** How many requests each Rep may have at a time, that is sent and not yet answered or given up. More wait until one
   * has room, and each goes to the Rep that has the fewest. 0: no limit, and Reps are asked in turn. Default: 0. */
  maxInFlight?: number | undefined
  /** How many Reps may go away while they have a request of `send()`, before `receive()` fails with ECONNRESET; 0: any
   * number. `request()` has attempts of its own. Default: 0. */
  attempts?: number | undefined
}

/** Sends a request to one of the connected Reps, in turn, and receives its reply. With `send()` a new request gives up
 * the last; with `request()` any number go on side by side. With the option `codec`, requests are values of the type
 * `Out` and replies of the type `In`. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the class defines its options from their names
export class Req<In = Buffer, Out = Body> extends DuplexSocket {
  #requests: Requests | undefined

  constructor(options?: ReqOptions<In, Out>) {
    requests('socket')
    super('req', true, options as SocketOptions)
  }

  /**
   * Sends a request and returns its reply. It is sent again after `resendInterval`, and at once when the connection it
   * went to breaks, as long as it has `attempts`.
   *
   * @param body Do not change the bytes before the promise settles.
   * @throws {NanomsgError} `ETIMEDOUT`; `ECONNRESET` when as many peers have gone away while they had it as it has
   *   `attempts`; `EBADF` when the socket is closed, or closes meanwhile; `EBADMSG` when its codec cannot read the
   *   reply.
   */
  request(body: Out, options?: RequestOptions): Promise<In> {
    const coding = this.coding?.isOn ? this.coding : undefined
    // No async function: of what thousands of requests leave for the garbage collector, it would be the largest part.
    try {
      const own = coding?.encode(body, 'the request', 'request') ?? bodyOf(body as Body, 'the body', 'request')
      this.handle.assertOpen('request')
      this.#requests ??= new (requests('request').Requests)(this.handle, this.inbox, this.outbox)
      const reply = this.#requests.request(own, options)
      return (coding === undefined ? reply : reply.then((bytes) => coding.decode(bytes, 'request'))) as Promise<In>
    } catch (error) {
      return Promise.reject(error)
    }
  }

  get codec(): CodecOption<In, Out> | undefined {
    return this.coding?.option as CodecOption<In, Out> | undefined
  }
  set codec(option: CodecOption<In, Out> | undefined) {
    this.coding = new Coding(option, () => this.handle.codecFailures++)
  }

  static {
    defineOptions(Req, ['resendInterval', 'maxInFlight', 'attempts'])
  }
}

// biome-ignore lint/correctness/noUnusedVariables: an interface has the parameters of the class that it belongs to
export interface Req<In = Buffer, Out = Body>
  extends OptionProperties<ReqOptions, 'resendInterval' | 'maxInFlight' | 'attempts'> {}
