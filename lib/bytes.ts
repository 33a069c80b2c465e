import { argumentError } from './errors.js'

/** The body of a message. Strings are sent as UTF-8. */
export type Bytes = Uint8Array | string

export function checkBytes(value: unknown, name: string, syscall: string): asserts value is Bytes {
  if (typeof value === 'string' || value instanceof Uint8Array) return
  throw argumentError(syscall, name, 'a Buffer, a Uint8Array or a string', value)
}

export const toUint8Array = (bytes: Bytes): Uint8Array => (typeof bytes === 'string' ? Buffer.from(bytes) : bytes)
