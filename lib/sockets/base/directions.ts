/** Sockets by the directions in which messages go: those that send, those that receive, those that do both. */

import type { Readable, Writable } from 'node:stream'
import type { ReadableStream, WritableStream } from 'node:stream/web'
import { checkConnected, timeoutError } from '../../connections/circumstances.js'
import type { ProtocolName } from '../../engine/constants.js'
import { argumentError, type NanomsgError } from '../../engine/errors.js'
import type { Handle } from '../../engine/handle.js'
import { native } from '../../engine/native.js'
import type { SocketOptions } from '../../engine/options.js'
import { ownOptions } from '../../engine/own-options.js'
import { isArray } from '../../engine/proxies.js'
import { checkWaitOptions, type WaitOptions } from '../../engine/waits.js'
import { type Body, bodiesOf, bodyOf } from '../../messages/bytes.js'
import type { Coding } from '../../messages/codec.js'
import { Inbox } from '../../messages/inbox.js'
import { receiveBatches, receiveEach } from '../../messages/iteration.js'
import { Outbox } from '../../messages/outbox.js'
import {
  checkKind,
  readableOf,
  type StreamKind,
  toWebReadable,
  toWebWritable,
  writableOf,
} from '../../messages/streams.js'
import { checkSendOptions, type SendOptions } from '../../messages/transfer.js'
import { Socket } from './socket.js'

/** Where taking or sending a message changes what the socket may do next, that is done one by one. */
const BATCH_LIMIT = 512

function send(handle: Handle, outbox: Outbox, body: Body, options: SendOptions | undefined): Promise<void> {
  if (options === undefined) {
    const gathered = outbox.sendGathered(body)
    if (gathered !== undefined) return gathered
  }
  try {
    const own = bodyOf(body, 'the body', 'send')
    const how = ownOptions(options, 'send')
    checkSendOptions(how)
    handle.assertOpen('send')
    checkConnected(handle, 'send', how)
    return outbox.send(own, how)
  } catch (error) {
    return Promise.reject(error)
  }
}

function trySend(handle: Handle, outbox: Outbox, body: Body): boolean {
  const own = bodyOf(body, 'the body', 'send')
  handle.assertOpen('send')
  return outbox.trySend(own)
}

function sendBatch(
  handle: Handle,
  outbox: Outbox,
  bodies: readonly Body[],
  options: WaitOptions | undefined,
): Promise<void> {
  try {
    const batch = batchOf(handle, bodies, 'sendBatch')
    const own = ownOptions(options, 'sendBatch')
    checkWaitOptions(own, 'sendBatch')
    own?.signal?.throwIfAborted()
    return outbox.sendBatch(batch, own)
  } catch (error) {
    return Promise.reject(error)
  }
}

function trySendBatch(handle: Handle, outbox: Outbox, bodies: readonly Body[]): number {
  return outbox.trySendFrom(batchOf(handle, bodies, 'trySendBatch'), 0)
}

function batchOf(handle: Handle, bodies: unknown, syscall: string): readonly Body[] {
  if (!isArray(bodies)) throw argumentError(syscall, 'bodies', 'an array of bodies', bodies)
  const batch = bodiesOf(bodies, 'bodies', syscall)
  handle.assertOpen(syscall)
  return batch
}

function writable(
  handle: Handle,
  send: (body: Body) => Promise<void>,
  options: StreamKind | undefined,
): Writable | WritableStream<Body> {
  const type = checkKind(options, 'writable')
  handle.assertOpen('send')
  const stream = writableOf(send)
  return type === 'web' ? toWebWritable(stream) : stream
}

/** Of a Req the request that waits for its reply was sent some times. */
function receiveTimeout(handle: Handle, syscall: string): NanomsgError {
  const sent = handle.protocol === 'req' ? native.sentTimes(handle.s, 0) : -1
  return timeoutError(handle, syscall, sent < 0 ? {} : { sent })
}

/** How sockets send. */
export interface SendsMessages {
  /**
   * Sends one message. Waits while no peer can take it.
   *
   * @param body Do not change the bytes before the promise settles. Strings are sent as UTF-8, the parts of an array as
   *   one body.
   * @throws {NanomsgError} `ETIMEDOUT`; `EBADF` when the socket is closed, or closes meanwhile; `EFSM` when there is
   *   nothing to answer (a Rep without a request). Then the message is not sent.
   */
  send(body: Body, options?: SendOptions): Promise<void>

  /**
   * Sends one message now, or not at all.
   *
   * @returns false when no peer can take it now, or other calls wait to send.
   */
  trySend(body: Body): boolean

  /** A stream into which each chunk is a message: Node's Writable in object mode, or a WritableStream of the web.
   * Ending it leaves the socket open. */
  writable(options?: StreamKind<'node'>): Writable
  /** A WritableStream of the web into which each chunk is a message. Closing it leaves the socket open. */
  writable(options: StreamKind<'web'>): WritableStream<Body>
}

/** How sockets send that may send at any time. */
export interface SendsBatches {
  /**
   * Sends messages in their order, each of them as `send()` does: the cheapest way to send many. Settles when all are
   * accepted. What other calls send meanwhile may go between them.
   *
   * @param bodies Do not change them before the promise settles.
   * @param options.timeout milliseconds for all of them. Default: the socket's `sendTimeout`.
   * @throws {NanomsgError} `ETIMEDOUT`; `EBADF` when the socket is closed, or closes meanwhile. The first of them may
   *   have been sent then; `trySendBatch()` returns how many.
   */
  sendBatch(bodies: readonly Body[], options?: WaitOptions): Promise<void>

  /**
   * Sends messages in their order, as many as can be sent now.
   *
   * @returns how many: the number of bodies, unless no peer can take the next one now, or other calls wait to send.
   */
  trySendBatch(bodies: readonly Body[]): number
}

/** A socket that only sends. */
export abstract class SendingSocket extends Socket implements SendsMessages, SendsBatches {
  readonly #outbox: Outbox

  /** @internal */
  constructor(protocol: ProtocolName, options: SocketOptions | undefined) {
    super(protocol)
    this.#outbox = new Outbox(this.handle.s, true, this.handle, (syscall) => timeoutError(this.handle, syscall))
    this.handle.add(this.#outbox)
    this.configure(options)
  }

  send(body: Body, options?: SendOptions): Promise<void> {
    return send(this.handle, this.#outbox, body, options)
  }

  trySend(body: Body): boolean {
    return trySend(this.handle, this.#outbox, body)
  }

  sendBatch(bodies: readonly Body[], options?: WaitOptions): Promise<void> {
    return sendBatch(this.handle, this.#outbox, bodies, options)
  }

  trySendBatch(bodies: readonly Body[]): number {
    return trySendBatch(this.handle, this.#outbox, bodies)
  }

  writable(options?: StreamKind<'node'>): Writable
  writable(options: StreamKind<'web'>): WritableStream<Body>
  writable(options?: StreamKind): Writable | WritableStream<Body> {
    return writable(this.handle, (body) => this.send(body), options)
  }
}

/** A socket that receives. */
export abstract class ReceivingSocket extends Socket implements AsyncIterable<Buffer> {
  /** @internal */
  protected readonly inbox: Inbox

  /** @internal */
  constructor(protocol: ProtocolName, isStateful: boolean) {
    super(protocol)
    this.inbox = new Inbox(this.handle.s, isStateful ? 1 : BATCH_LIMIT, this.handle, (syscall) =>
      receiveTimeout(this.handle, syscall),
    )
    this.handle.add(this.inbox)
  }

  /**
   * Receives one message. Waits while there is none.
   *
   * @throws {NanomsgError} `ETIMEDOUT`; `EBADF` when the socket is closed, or closes meanwhile; `EFSM` when there is
   *   nothing to wait for (a Req without a request).
   */
  receive(options?: WaitOptions): Promise<Buffer> {
    try {
      const own = ownOptions(options, 'receive')
      checkWaitOptions(own, 'receive')
      this.handle.assertOpen('receive')
      return this.inbox.receive(own)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** The next message, or undefined when there is none now. */
  tryReceive(): Buffer | undefined {
    this.handle.assertOpen('receive')
    return this.inbox.tryReceive()
  }

  /** Messages as they come, until the socket closes. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Buffer> {
    return receiveEach(this.handle, this.inbox)
  }

  /**
   * The same as iterating over the socket, with limits.
   *
   * @param options.timeout Milliseconds to wait for each message; then the iteration fails with `ETIMEDOUT`.
   * @param options.signal Ends the iteration: it fails with the signal's reason.
   */
  messages(options?: WaitOptions): AsyncIterableIterator<Buffer> {
    const own = ownOptions(options, 'receive')
    checkWaitOptions(own, 'receive')
    return receiveEach(this.handle, this.inbox, own)
  }

  /**
   * Messages as they come, all that there are at a time: the cheapest way to receive many. Ends when the socket closes.
   *
   * @param options as those of `messages()`
   */
  batches(options?: WaitOptions): AsyncIterableIterator<Buffer[]> {
    const own = ownOptions(options, 'receive')
    checkWaitOptions(own, 'receive')
    return receiveBatches(this.handle, this.inbox, own)
  }

  /** A stream of messages: Node's Readable in object mode, or a ReadableStream of the web. Destroying it leaves the
   * socket open. */
  readable(options?: StreamKind<'node'>): Readable
  readable(options: StreamKind<'web'>): ReadableStream<Buffer>
  readable(options?: StreamKind): Readable | ReadableStream<Buffer> {
    const type = checkKind(options, 'readable')
    this.handle.assertOpen('receive')
    const stream = readableOf(this)
    return type === 'web' ? toWebReadable(stream) : stream
  }
}

/** A socket that sends and receives. */
export abstract class DuplexSocket extends ReceivingSocket implements SendsMessages {
  /** @internal */
  protected readonly outbox: Outbox
  /** @internal Of the types that have the option `codec`, which is set by this constructor. */
  protected coding: Coding | undefined

  /** @internal */
  constructor(protocol: ProtocolName, isStateful: boolean, options: SocketOptions | undefined) {
    super(protocol, isStateful)
    this.outbox = new Outbox(this.handle.s, !isStateful, this.handle, (syscall) => timeoutError(this.handle, syscall))
    this.handle.add(this.outbox)
    this.configure(options)
  }

  send(body: Body, options?: SendOptions): Promise<void> {
    return send(this.handle, this.outbox, body, options)
  }

  trySend(body: Body): boolean {
    return trySend(this.handle, this.outbox, body)
  }

  writable(options?: StreamKind<'node'>): Writable
  writable(options: StreamKind<'web'>): WritableStream<Body>
  writable(options?: StreamKind): Writable | WritableStream<Body> {
    return writable(this.handle, (body) => this.send(body), options)
  }
}

/** A socket that sends and receives, and may do either at any time. */
export abstract class FreeDuplexSocket extends DuplexSocket implements SendsBatches {
  /** @internal */
  constructor(protocol: ProtocolName, options: SocketOptions | undefined) {
    super(protocol, false, options)
  }

  sendBatch(bodies: readonly Body[], options?: WaitOptions): Promise<void> {
    return sendBatch(this.handle, this.outbox, bodies, options)
  }

  trySendBatch(bodies: readonly Body[]): number {
    return trySendBatch(this.handle, this.outbox, bodies)
  }
}
