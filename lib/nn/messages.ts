/** Messages: sent from and received into Buffers, or handed over without being copied. */
import { constants } from 'node:buffer'
import { native, shared } from '../engine/native.js'
import { checkBytes } from '../messages/bytes.js'
import { EFAULT, EINVAL, ENOMEM, type NN_DONTWAIT, NN_MSG } from './constants.js'
import { noting, perform } from './descriptor.js'
import { checkInt, dontWait, failure, invalid, memoryFailure, notedUnknown } from './failing.js'
import { firstBytes, isView } from './memory.js'

const NOTHING = Buffer.alloc(0)
const NO_CONTEXT = 0

// ---- Memory of the engine ----

/** A Buffer of all of a message. */
export const messageIn = (memory: ArrayBuffer, length: number): Buffer => Buffer.from(memory, 0, length)

function checkSize(size: unknown, syscall: string): asserts size is number {
  if (!Number.isInteger(size) || (size as number) < 0) throw invalid(syscall, 'size', 'a number of bytes', size)
  if ((size as number) > constants.MAX_LENGTH) throw failure(ENOMEM, syscall)
}

const notAMessage = (syscall: string): Error =>
  memoryFailure(
    syscall,
    'this is no message: give all of a Buffer of nn_allocmsg() or of receiving with NN_MSG, and only once',
  )

/**
 * Allocates a message that can be sent without being copied. Its bytes are undefined.
 *
 * @param type must be 0
 * @returns a Buffer of the engine's memory. It is freed by the garbage collector, or by nn_freemsg().
 * @throws {NanomsgError} EINVAL, ENOMEM; ENOTSUP where the runtime allows no memory but its own
 */
export function nn_allocmsg(size: number, type: number): Buffer {
  checkSize(size, 'nn_allocmsg')
  checkInt(type, 'type', 'nn_allocmsg')
  if (type !== 0) throw failure(EINVAL, 'nn_allocmsg', '(the type must be 0)')
  const memory = native.allocMessage(size)
  if (typeof memory === 'number') throw failure(-memory, 'nn_allocmsg')
  return messageIn(memory, size)
}

/**
 * Changes the length of a message and keeps its bytes, as realloc(3). The Buffer that is passed has no bytes
 * afterwards.
 *
 * @throws {NanomsgError} EFAULT, ENOMEM: the message is as it was
 */
export function nn_reallocmsg(message: Uint8Array, size: number): Buffer {
  checkSize(size, 'nn_reallocmsg')
  const memory = isView(message) ? native.reallocMessage(message, size) : -EFAULT
  if (memory === -EFAULT) throw notAMessage('nn_reallocmsg')
  if (typeof memory === 'number') throw failure(-memory, 'nn_reallocmsg')
  return messageIn(memory, size)
}

/**
 * Frees a message at once. Its Buffer has no bytes afterwards.
 *
 * @throws {NanomsgError} EFAULT when it is none, or not any more
 */
export function nn_freemsg(message: Uint8Array): 0 {
  if (!isView(message) || native.freeMessage(message) < 0) throw notAMessage('nn_freemsg')
  return 0
}

// ---- Sending ----

function bodyOf(buffer: unknown, length: unknown): Uint8Array {
  if (buffer === null || buffer === undefined) return firstBytes(NOTHING, length, 'nn_send')
  noting(() => checkBytes(buffer, 'buf', 'nn_send'))
  return firstBytes(typeof buffer === 'string' ? Buffer.from(buffer) : (buffer as Uint8Array), length, 'nn_send')
}

function sendBytes(s: number, buffer: unknown, length: unknown, flags: unknown): number | Promise<number> {
  const body = bodyOf(buffer, length)
  const count = body.length
  return perform(s, 'sends', 'nn_send', flags, () => {
    if (body.length !== count) throw memoryFailure('nn_send', 'the buffer was transferred meanwhile')
    const rc = native.sendBody(s, body, NO_CONTEXT)
    return rc < 0 ? rc : count
  })
}

function sendMessage(s: number, message: unknown, flags: unknown): number | Promise<number> {
  return perform(s, 'sends', 'nn_send', flags, () => {
    const rc = isView(message) ? native.sendMessage(s, message) : -EFAULT
    if (rc === -EFAULT) throw notAMessage('nn_send')
    return rc
  })
}

type Now = typeof NN_DONTWAIT

/** Calls that wait are promises, also of errors in their arguments. */
export function promised<Result>(flags: unknown, syscall: string, call: () => Result | Promise<Result>) {
  let isNow = false
  try {
    isNow = dontWait(flags, syscall)
    return call()
  } catch (error) {
    if (isNow) throw notedUnknown(error)
    return Promise.reject<Result>(notedUnknown(error))
  }
}

/**
 * Sends one message. Waits until a peer can take it, for at most NN_SNDTIMEO milliseconds; the bytes must not change
 * meanwhile.
 *
 * @param buf bytes, a string that is sent as UTF-8, or null for none
 * @param len how many of the bytes (default: all); or NN_MSG: `buf` is a message of nn_allocmsg(), or received with
 *   NN_MSG, and changes hands. Its Buffer has no bytes afterwards, unless sending has failed.
 * @param flags with NN_DONTWAIT the answer comes at once: the length is returned, errors are thrown
 * @returns the length of the message
 * @throws {NanomsgError} EAGAIN (NN_DONTWAIT), ETIMEDOUT, EFSM, ENOTSUP, EBADF, EFAULT, EINVAL, ENOMEM
 */
export function nn_send(s: number, buf: Uint8Array | string | null, len?: number, flags?: 0): Promise<number>
export function nn_send(s: number, buf: Uint8Array | string | null, len: number | undefined, flags: Now): number
export function nn_send(
  s: number,
  buf: Uint8Array | string | null,
  len?: number,
  flags?: number,
): number | Promise<number>
export function nn_send(
  s: number,
  buf: Uint8Array | string | null,
  len?: number,
  flags?: number,
): number | Promise<number> {
  return promised(flags, 'nn_send', () => {
    checkInt(s, 's', 'nn_send')
    return len === NN_MSG ? sendMessage(s, buf, flags) : sendBytes(s, buf, len, flags)
  })
}

// ---- Receiving ----

function receiveInto(s: number, buffer: unknown, length: unknown, flags: unknown): number | Promise<number> {
  if (buffer !== null && !isView(buffer)) throw invalid('nn_recv', 'buf', 'a Buffer, a Uint8Array, or NN_MSG', buffer)
  if (buffer !== null) noting(() => checkBytes(buffer, 'buf', 'nn_recv'))
  const target = firstBytes(buffer ?? NOTHING, length, 'nn_recv')
  const count = target.length
  return perform(s, 'receives', 'nn_recv', flags, () => {
    if (target.length !== count) throw memoryFailure('nn_recv', 'the buffer was transferred meanwhile')
    return native.receiveInto(s, target)
  })
}

function receiveMessage(s: number, flags: unknown): Buffer | Promise<Buffer> {
  return perform<Buffer>(s, 'receives', 'nn_recv', flags, () => {
    const memory = native.receiveMessage(s)
    return typeof memory === 'number' ? memory : messageIn(memory, shared.received[0]!)
  })
}

/**
 * Receives one message into a buffer. Waits for at most NN_RCVTIMEO milliseconds.
 *
 * @param buf gets the bytes; what does not fit is lost
 * @param len how many of its bytes may be written (default: all)
 * @param flags with NN_DONTWAIT the answer comes at once: the length is returned, errors are thrown
 * @returns the full length of the message
 * @throws {NanomsgError} EAGAIN (NN_DONTWAIT), ETIMEDOUT, EFSM, ENOTSUP, EBADF, EFAULT, EINVAL
 */
export function nn_recv(s: number, buf: Uint8Array | null, len?: number, flags?: 0): Promise<number>
export function nn_recv(s: number, buf: Uint8Array | null, len: number | undefined, flags: Now): number
/**
 * Receives one message as it is, without copying it.
 *
 * @param message NN_MSG, instead of a buffer and its length
 * @returns a Buffer of the engine's memory, which can be sent on with NN_MSG. It is freed when it is unreachable,
 *   or by nn_freemsg().
 */
export function nn_recv(s: number, message: typeof NN_MSG, flags?: 0): Promise<Buffer>
export function nn_recv(s: number, message: typeof NN_MSG, flags: Now): Buffer
export function nn_recv(
  s: number,
  buf: Uint8Array | null | typeof NN_MSG,
  len?: number,
  flags?: number,
): number | Buffer | Promise<number> | Promise<Buffer>
export function nn_recv(
  s: number,
  buf: Uint8Array | null | typeof NN_MSG,
  lengthOrFlags?: number,
  flags?: number,
): number | Buffer | Promise<number> | Promise<Buffer> {
  const isWhole = buf === NN_MSG
  return promised<number | Buffer>(isWhole ? lengthOrFlags : flags, 'nn_recv', () => {
    checkInt(s, 's', 'nn_recv')
    return isWhole ? receiveMessage(s, lengthOrFlags) : receiveInto(s, buf, lengthOrFlags, flags)
  }) as number | Buffer | Promise<number> | Promise<Buffer>
}
