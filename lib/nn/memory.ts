/** Memory that callers pass. */
import { isUint8Array } from 'node:util/types'
import { isGone } from '../engine/detached.js'
import { checkInt, memoryFailure } from './failing.js'

export const isView = (value: unknown): value is Uint8Array => isUint8Array(value)

/** The first `length` bytes of a buffer. */
export function firstBytes(buffer: Uint8Array, length: unknown, syscall: string): Uint8Array {
  if (buffer.length === 0 && isGone(buffer)) throw memoryFailure(syscall, 'a buffer was transferred or cut')
  if (length === undefined) return buffer
  checkInt(length, 'len', syscall)
  if (length < 0 || length > buffer.length) {
    throw memoryFailure(syscall, `len is ${length}, but the buffer has ${buffer.length} bytes`)
  }
  return length === buffer.length ? buffer : new Uint8Array(buffer.buffer, buffer.byteOffset, length)
}
