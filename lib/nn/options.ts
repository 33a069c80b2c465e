/** Options, whose values are numbers, strings or bytes. */
import { isUint8Array } from 'node:util/types'
import { native } from '../engine/native.js'
import { checkBytes } from '../messages/bytes.js'
import {
  EINVAL,
  NN_SOCKET_NAME,
  NN_SOL_SOCKET,
  NN_SUB,
  NN_SUB_SUBSCRIBE,
  NN_SUB_UNSUBSCRIBE,
  NN_TLS,
  NN_TLS_CA,
  NN_TLS_CERT,
  NN_TLS_KEY,
  NN_TLS_SERVER_NAME,
  NN_WS,
  NN_WS_ORIGINS,
  NN_WS_REQUEST_HEADERS,
} from './constants.js'
import { noting } from './descriptor.js'
import { checked, checkInt, failure, invalid, memoryFailure } from './failing.js'

/** The options that are no numbers, by level. */
const texts: Readonly<Record<number, readonly number[]>> = {
  [NN_SOL_SOCKET]: [NN_SOCKET_NAME],
  [NN_SUB]: [NN_SUB_SUBSCRIBE, NN_SUB_UNSUBSCRIBE],
  [NN_TLS]: [NN_TLS_CERT, NN_TLS_KEY, NN_TLS_CA, NN_TLS_SERVER_NAME],
  [NN_WS]: [NN_WS_REQUEST_HEADERS, NN_WS_ORIGINS],
}

const isText = (level: number, option: number): boolean => texts[level]?.includes(option) ?? false

const INT_BYTES = 4

/** What the binding is given. A Buffer is passed on as it is: the four bytes of an int, for instance. */
function engineValue(level: number, option: number, value: unknown, length: number | undefined): number | Uint8Array {
  if (typeof value === 'number' && !isText(level, option)) {
    checkInt(value, 'the value', 'nn_setsockopt')
    if (length !== undefined && length !== INT_BYTES) throw failure(EINVAL, 'nn_setsockopt')
    return value
  }
  if (typeof value === 'string' && !isText(level, option)) {
    throw invalid('nn_setsockopt', 'the value of this option', 'a number', value)
  }
  noting(() => checkBytes(value, 'the value', 'nn_setsockopt'))
  const bytes = typeof value === 'string' ? Buffer.from(value) : (value as Uint8Array)
  if (length === undefined) return bytes
  if (length < 0 || length > bytes.length) {
    throw memoryFailure('nn_setsockopt', `the length is ${length}, but there are ${bytes.length} bytes`)
  }
  return bytes.subarray(0, length)
}

/**
 * Sets an option of the socket (NN_SOL_SOCKET), of its type (NN_SUB, …) or of a transport (NN_TCP, …).
 *
 * @param value a number; or a string or bytes, where the option is a name or a subscription
 * @throws {NanomsgError} EBADF, ENOPROTOOPT, EINVAL
 */
export function nn_setsockopt(
  s: number,
  level: number,
  option: number,
  value: number | string | Uint8Array,
  length?: number,
): 0 {
  checkInt(s, 's', 'nn_setsockopt')
  checkInt(level, 'level', 'nn_setsockopt')
  checkInt(option, 'option', 'nn_setsockopt')
  if (length !== undefined) checkInt(length, 'length', 'nn_setsockopt')
  checked(native.setOption(s, level, option, engineValue(level, option, value, length)), 'nn_setsockopt')
  return 0
}

const FIRST_ROOM_BYTES = 64

function bytesOf(s: number, level: number, option: number): Buffer {
  for (let room = FIRST_ROOM_BYTES; ; ) {
    const bytes = Buffer.alloc(room)
    const length = checked(native.optionBytes(s, level, option, bytes), 'nn_getsockopt')
    if (length <= room) return bytes.subarray(0, length)
    room = length
  }
}

/**
 * An option's value: a number, the socket's name, or the bytes of an option that is neither.
 *
 * @throws {NanomsgError} EBADF, ENOPROTOOPT
 */
export function nn_getsockopt(s: number, level: number, option: number): number | string | Buffer
/**
 * Copies as much of an option's value as fits.
 *
 * @returns its full length
 */
export function nn_getsockopt(s: number, level: number, option: number, value: Uint8Array): number
export function nn_getsockopt(s: number, level: number, option: number, value?: Uint8Array): number | string | Buffer {
  checkInt(s, 's', 'nn_getsockopt')
  checkInt(level, 'level', 'nn_getsockopt')
  checkInt(option, 'option', 'nn_getsockopt')
  if (value !== undefined) {
    if (!isUint8Array(value)) throw invalid('nn_getsockopt', 'the value', 'a Buffer or a Uint8Array', value)
    return checked(native.optionBytes(s, level, option, value), 'nn_getsockopt')
  }
  const bytes = bytesOf(s, level, option)
  if (isText(level, option)) return bytes.toString()
  return bytes.length === INT_BYTES ? new Int32Array(Uint8Array.from(bytes).buffer)[0]! : bytes
}
