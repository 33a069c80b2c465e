import { isUint8Array } from 'node:util/types'
import { isGone, lengthOf } from '../engine/detached.js'
import { checkCount } from '../engine/elements.js'
import { argumentError, type NanomsgError } from '../engine/errors.js'
import { isArray } from '../engine/proxies.js'

/** The body of a message. Strings are sent as UTF-8. */
export type Bytes = Uint8Array | string

/** The body of a message to send: bytes, or parts that become one body. */
export type Body = Bytes | readonly Bytes[]

/** Whether it can be sent as it is. Most bodies can, and need no name for an error. */
export const isSent = (value: unknown): value is Bytes =>
  typeof value === 'string' || (isUint8Array(value) && lengthOf(value) > 0)

/** The body that is sent when a caller passes this. */
export function bodyOf(value: unknown, name: string, syscall: string): Body {
  if (isSent(value)) return value
  if (isArray(value)) return partsOf(value, name, syscall)
  checkBytes(value, name, syscall)
  return value
}

function partsOf(array: readonly unknown[], name: string, syscall: string): Bytes[] {
  const { length } = array
  checkCount(length, name, syscall)
  const parts: Bytes[] = []
  for (let i = 0; i < length; i++) {
    const part = array[i]
    if (!isSent(part)) checkBytes(part, `${name}[${i}]`, syscall)
    parts.push(part)
  }
  return parts
}

/** An array has room for these at once: what it says of its length may be wrong. */
const MAX_FIRST_ROOM = 4096

/** The bodies that are sent when a caller passes this. */
export function bodiesOf(array: readonly unknown[], name: string, syscall: string): Body[] {
  const { length } = array
  checkCount(length, name, syscall)
  const bodies = new Array<Body>(Math.min(length, MAX_FIRST_ROOM))
  for (let i = 0; i < length; i++) {
    const body = array[i]
    bodies[i] = isSent(body) ? body : bodyOf(body, `${name}[${i}]`, syscall)
  }
  return bodies
}

export function checkBytes(value: unknown, name: string, syscall: string): asserts value is Bytes {
  if (typeof value === 'string') return
  // Also one of another realm; and none that only inherits from Uint8Array, or is a Proxy, whose bytes cannot be read.
  if (!isUint8Array(value)) throw argumentError(syscall, name, 'a Buffer, a Uint8Array or a string', value)
  if (lengthOf(value) === 0 && isGone(value)) {
    throw goneError(name, syscall)
  }
}

/** The error for an array that has lost its memory, before a call or while it waits. */
export const goneError = (name: string, syscall: string): NanomsgError =>
  argumentError(syscall, name, 'bytes that are still there', 'an array whose memory was transferred or cut')

export const toUint8Array = (bytes: Bytes): Uint8Array => (typeof bytes === 'string' ? Buffer.from(bytes) : bytes)
