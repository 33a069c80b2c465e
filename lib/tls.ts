import { argumentError } from './errors.js'

/** Level and numbers of nanomsg/tls.h. */
export const NN_TLS = -6

/** Text in the PEM format, as a string or as the bytes of a file; or, as a string, the name of such a file. */
export type Pem = string | Uint8Array

/** What `tls+tcp://` and `wss://` need. Files are read by `bind()` and `connect()`. */
export interface TlsOptions {
  /** Our certificate, followed by those between it and an authority that peers know. `bind()` needs it; `connect()`,
   * when the peer requires it. */
  cert?: Pem
  /** The private key of `cert`, without a password. Default: it stands in `cert`. */
  key?: Pem
  /** The authorities that the peer's certificate must come from, also as an array of PEM texts, such as
   * `rootCertificates` of `node:tls`. Default for `connect()`: those of the system. */
  ca?: Pem | readonly Pem[]
  /** Whether `connect()` checks that the peer's certificate is good, and for `serverName`. Default: true. */
  verify?: boolean
  /** The name that `connect()` asks for and expects. Default: the host of the address. */
  serverName?: string
  /** Whether `bind()` accepts only peers with a certificate that comes from `ca`. Default: false. */
  requireClientCertificate?: boolean
}

/** One option of the engine. */
export interface TlsSetting {
  readonly name: string
  readonly number: number
  readonly value: number | Uint8Array
}

const LONGEST_TEXT = 2 ** 20

const textOf = (value: string | Uint8Array): string =>
  typeof value === 'string' ? value : Buffer.from(value.buffer, value.byteOffset, value.length).toString('latin1')
const isText = (value: unknown): value is string | Uint8Array =>
  typeof value === 'string' || value instanceof Uint8Array
const isPem = (value: unknown): value is string | Uint8Array => isText(value) && textOf(value).includes('-----BEGIN')

/** The bytes of a text, or undefined when the engine would not take it. None: the option is taken back. */
function bytesOf(value: unknown): Uint8Array | undefined {
  if (!isText(value)) return undefined
  const bytes = Buffer.from(value)
  return bytes.includes(0) || bytes.length > LONGEST_TEXT ? undefined : bytes
}

function pemOf(value: unknown): Uint8Array | undefined {
  if (value === undefined) return Buffer.alloc(0)
  const mayBe = typeof value === 'string' ? value !== '' : isPem(value)
  return mayBe ? bytesOf(value) : undefined
}

function authoritiesOf(value: unknown): Uint8Array | undefined {
  if (!Array.isArray(value)) return pemOf(value)
  return value.length > 0 && value.every(isPem) ? bytesOf(value.map(textOf).join('\n')) : undefined
}

function flagOf(value: unknown, initial: boolean): number | undefined {
  if (value === undefined) return Number(initial)
  return typeof value === 'boolean' ? Number(value) : undefined
}

interface Row {
  readonly number: number
  readonly expectation: string
  toEngine(value: unknown): number | Uint8Array | undefined
}

const PEM = 'PEM text, or the name of a file with it'

const rows: Readonly<Record<keyof TlsOptions, Row>> = {
  cert: { number: 1, expectation: PEM, toEngine: pemOf },
  key: { number: 2, expectation: PEM, toEngine: pemOf },
  ca: { number: 3, expectation: `${PEM}, or an array of PEM texts`, toEngine: authoritiesOf },
  verify: { number: 4, expectation: 'true or false', toEngine: (value) => flagOf(value, true) },
  serverName: {
    number: 5,
    expectation: 'the name of a host',
    toEngine: (value) => (value === undefined || typeof value === 'string' ? bytesOf(value ?? '') : undefined),
  },
  requireClientCertificate: { number: 6, expectation: 'true or false', toEngine: (value) => flagOf(value, false) },
}

/** What the engine is told: all options, so that those which are not given get their defaults again. */
export function tlsSettings(options: unknown): TlsSetting[] {
  if (typeof options !== 'object' || options === null) throw argumentError('setsockopt', 'tls', 'an object', options)
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(rows, name))
      throw argumentError('setsockopt', 'an option of tls', `one of ${Object.keys(rows).join(', ')}`, name)
  }
  return Object.entries(rows).map(([name, { number, expectation, toEngine }]) => {
    const value = toEngine(Reflect.get(options, name))
    if (value === undefined) throw argumentError('setsockopt', `tls.${name}`, expectation, secretFree(options, name))
    return { name, number, value }
  })
}

/** A wrong value as a message may show it: what could be a key is not. */
function secretFree(options: object, name: string): unknown {
  const value: unknown = Reflect.get(options, name)
  return isText(value) && value.length > 0 ? {} : value
}
