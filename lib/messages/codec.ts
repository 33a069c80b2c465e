/** Values in place of bodies: what a Req and a Rep make of them, and of what arrives. */
import { constants } from 'node:os'
import { argumentError, errnoError, type NanomsgError } from '../engine/errors.js'
import { isFunction, isRevoked } from '../engine/proxies.js'
import { textOfThrown } from '../engine/thrown.js'
import { type Body, bodyOf } from './bytes.js'
import { checkCounts } from './msgpack-counts.js'

/** Makes bodies of values, and values of bodies. Both may throw. */
export interface Codec<In = unknown, Out = unknown> {
  encode(value: Out): Body
  decode(body: Buffer): In
}

/** `'json'`; `'msgpack'` (MessagePack, by the npm package `@msgpack/msgpack`); or one's own. */
export type CodecOption<In = unknown, Out = unknown> = 'json' | 'msgpack' | Codec<In, Out>

const json: Codec = {
  encode(value) {
    const text = JSON.stringify(value)
    if (text === undefined) throw new TypeError('JSON has no text for undefined, a function or a symbol')
    return text
  },
  decode: (body) => JSON.parse(body.toString()) as unknown,
}

function msgpack(): Codec {
  // Only programs that use it pay for loading it.
  const { encode, decode } = require('@msgpack/msgpack') as typeof import('@msgpack/msgpack')
  return {
    encode: (value) => encode(value),
    decode(body) {
      checkCounts(body)
      return decode(body)
    },
  }
}

function isCodec(value: unknown): value is Codec {
  if (typeof value !== 'object' || value === null || isRevoked(value)) return false
  return isFunction(Reflect.get(value, 'encode')) && isFunction(Reflect.get(value, 'decode'))
}

function codecOf(option: unknown): Codec | undefined {
  if (option === undefined) return undefined
  if (option === 'json') return json
  if (option === 'msgpack') return msgpack()
  if (isCodec(option)) return option
  throw argumentError('setsockopt', 'codec', "'json', 'msgpack', or an object with encode() and decode()", option)
}

function codecError(
  code: 'EINVAL' | 'EBADMSG',
  syscall: string,
  text: string,
  hint: string,
  cause: unknown,
): NanomsgError {
  const errno = constants.errno[code]
  // libuv knows no name for EBADMSG.
  return Object.assign(errnoError(errno, syscall, `(${textOfThrown(cause)})`, { code, text, hint }), { cause })
}

/** A socket's codec, and how often it has failed. */
export class Coding {
  readonly option: CodecOption | undefined
  readonly #codec: Codec | undefined
  readonly #onFailure: () => void

  /** @param onFailure counts */
  constructor(option: unknown, onFailure: () => void) {
    this.#codec = codecOf(option)
    this.option = option as CodecOption | undefined
    this.#onFailure = onFailure
  }

  get isOn(): boolean {
    return this.#codec !== undefined
  }

  /** @throws {NanomsgError} `EINVAL`: there is no body for the value */
  encode(value: unknown, name: string, syscall: string): Body {
    try {
      return bodyOf(this.#codec!.encode(value), name, syscall)
    } catch (cause) {
      this.#onFailure()
      const hint = 'Pass what the codec of this socket can write'
      throw codecError('EINVAL', syscall, `No body can be made of ${name}`, hint, cause)
    }
  }

  /** @throws {NanomsgError} `EBADMSG`: the body is none of the codec's */
  decode(body: Buffer, syscall: string): unknown {
    try {
      return this.#codec!.decode(body)
    } catch (cause) {
      this.#onFailure()
      const hint = 'Both sides need the same codec'
      throw codecError('EBADMSG', syscall, 'The codec cannot read what the peer has sent', hint, cause)
    }
  }
}
