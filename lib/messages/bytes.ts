import { isUint8Array } from 'node:util/types'
import { isGone } from '../engine/detached.js'
import { argumentError, type NanomsgError } from '../engine/errors.js'

/** The body of a message. Strings are sent as UTF-8. */
export type Bytes = Uint8Array | string

/** The body of a message to send: bytes, or parts that become one body. */
export type Body = Bytes | readonly Bytes[]

export function checkBody(value: unknown, name: string, syscall: string): asserts value is Body {
  if (!Array.isArray(value)) checkBytes(value, name, syscall)
  else for (let i = 0; i < value.length; i++) checkBytes(value[i], `${name}[${i}]`, syscall)
}

export function checkBytes(value: unknown, name: string, syscall: string): asserts value is Bytes {
  if (typeof value === 'string') return
  // Also one of another realm; and none that only inherits from Uint8Array, or is a Proxy, whose bytes cannot be read.
  if (!isUint8Array(value)) throw argumentError(syscall, name, 'a Buffer, a Uint8Array or a string', value)
  if (value.length === 0 && isGone(value)) {
    throw goneError(name, syscall)
  }
}

/** The error for an array that has lost its memory, before a call or while it waits. */
export const goneError = (name: string, syscall: string): NanomsgError =>
  argumentError(syscall, name, 'bytes that are still there', 'an array whose memory was transferred or cut')

export const toUint8Array = (bytes: Bytes): Uint8Array => (typeof bytes === 'string' ? Buffer.from(bytes) : bytes)
