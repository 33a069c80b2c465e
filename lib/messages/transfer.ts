import { constants as limits } from 'node:buffer'
import { constants } from 'node:os'
import { argumentError, errnoError } from '../engine/errors.js'
import { native } from '../engine/native.js'
import { isCopiedWhenHandedOn } from '../engine/slabs.js'
import { checkWaitOptions, type WaitOptions } from '../engine/waits.js'

/** How to send. */
export interface SendOptions extends WaitOptions {
  /**
   * Hands the body over instead of copying it: it must be a whole Buffer of `allocMessage()` or a whole message that
   * was received, which has no bytes any more when the message is accepted. (Received messages that do not have memory
   * of their own, as those of less than 4 KiB, are copied, and keep their bytes; so are any others that are as short.)
   * A message that is not sent keeps them. Default: false.
   */
  transfer?: boolean | undefined
  /** Fails at once with `ENOTCONN` when no peer is connected, instead of waiting for one. Default: false. */
  ifConnected?: boolean | undefined
}

/** A message that changes hands when it is sent. */
export class Transfer {
  readonly message: Uint8Array

  constructor(message: Uint8Array) {
    this.message = message
  }
}

/**
 * Makes a Buffer for a message that `send(message, { transfer: true })` hands over without copying it, within the
 * process (`inproc://`, between workers too) as well as to a connection. Its bytes are undefined. It is freed as every
 * Buffer is.
 *
 * @throws {NanomsgError} `EINVAL`; `ENOMEM`; `ENOTSUP` where the runtime allows no memory but its own: send a copy
 * there.
 */
export function allocMessage(size: number): Buffer {
  if (!Number.isInteger(size) || size < 0 || size > limits.MAX_LENGTH) {
    throw argumentError('allocMessage', 'size', `a number of bytes from 0 to ${limits.MAX_LENGTH}`, size)
  }
  const memory = native.allocMessage(size)
  if (typeof memory === 'number') throw errnoError(-memory, 'allocMessage')
  return Buffer.from(memory, 0, size)
}

export function checkSendOptions(options: SendOptions | undefined): void {
  checkWaitOptions(options, 'send')
  for (const name of ['transfer', 'ifConnected'] as const) {
    const value = options?.[name]
    if (value !== undefined && typeof value !== 'boolean') throw argumentError('send', name, 'true or false', value)
  }
}

/** Hands a message over now, or not at all. Returns false when no peer can take it. */
export function tryTransfer(s: number, { message }: Transfer): boolean {
  let rc = native.sendMessage(s, message)
  if (rc === -constants.errno.EFAULT && isCopiedWhenHandedOn(message)) rc = native.sendBody(s, message, 0)
  if (rc >= 0) return true
  if (rc === -constants.errno.EAGAIN) return false
  if (rc !== -constants.errno.EFAULT) throw errnoError(-rc, 'send')
  throw argumentError(
    'send',
    'the body',
    'all of a Buffer of allocMessage() or of receiving that was not handed over yet, with { transfer: true }; without it any bytes are copied',
    message,
  )
}
