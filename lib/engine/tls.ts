import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { isUint8Array } from 'node:util/types'
import { elementsOf } from './elements.js'
import { argumentError, codeOf } from './errors.js'
import * as nn from './option-numbers.js'
import { ownOptions } from './own-options.js'
import { isArray, isRevoked } from './proxies.js'

/** Text in the PEM format, as a string or as the bytes of a file. It is never taken for the name of a file. */
export interface PemText {
  pem: string | Uint8Array
}

/** The name of a file with text in the PEM format. It is never taken for such text. */
export interface PemFile {
  file: string
}

/** Text in the PEM format, as a string or as bytes; or the name of a file with such text: a string without `-----BEGIN`
 * and without line breaks. What comes from a form or a database is better given as `{ pem }`, which opens no file. */
export type Pem = string | Uint8Array | PemText | PemFile

/** What `tls+tcp://` and `wss://` need. Files are read by `bind()` and `connect()`. */
export interface TlsOptions {
  /** Our certificate, followed by those between it and an authority that peers know. `bind()` needs it; `connect()`,
   * when the peer requires it. */
  cert?: Pem | undefined
  /** The private key of `cert`, without a password. Default: it stands in `cert`. */
  key?: Pem | undefined
  /** The authorities that the peer's certificate must come from, also as an array of PEM texts, such as
   * `rootCertificates` of `node:tls`. Default for `connect()`: those of the system. */
  ca?: Pem | readonly Pem[] | undefined
  /** Whether `connect()` checks that the peer's certificate is good, and for `serverName`. Default: true. */
  verify?: boolean | undefined
  /** The name that `connect()` asks for and expects. Default: the host of the address. */
  serverName?: string | undefined
  /** Whether `bind()` accepts only peers with a certificate that comes from `ca`. Default: false. */
  requireClientCertificate?: boolean | undefined
}

/** One option of the engine. */
export interface TlsSetting {
  readonly name: string
  readonly number: number
  /** Bytes are a copy, which the caller overwrites when they are set: they may be a key. */
  readonly value: number | Uint8Array
  /** The name of the file that the engine will read; undefined: none. */
  readonly file?: string | undefined
}

const MAX_TEXT_BYTES = 2 ** 20

const BEGIN = '-----BEGIN'

type Text = string | Uint8Array

const isText = (value: unknown): value is Text => typeof value === 'string' || isUint8Array(value)
const textOf = (value: Text): string => (typeof value === 'string' ? value : Buffer.from(value).toString('latin1'))

function hasBegin(value: Text): boolean {
  if (typeof value === 'string') return value.includes(BEGIN)
  const copy = Buffer.from(value) // which may be a key
  const isThere = copy.includes(BEGIN)
  copy.fill(0)
  return isThere
}

/** The bytes of a text, or undefined when the engine would not take it. None: the option is taken back. */
function bytesOf(value: unknown): Uint8Array | undefined {
  if (!isText(value)) return undefined
  const bytes = Buffer.from(value)
  return bytes.includes(0) || bytes.length > MAX_TEXT_BYTES ? undefined : bytes
}

/** The one property of an object, which must be its own. */
function onlyOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || isUint8Array(value) || isRevoked(value)) return undefined
  const names = Object.keys(value)
  return names.length === 1 && names[0] === name ? Reflect.get(value, name) : undefined
}

/** The text of `{ pem }`, or of a string or bytes that are PEM; undefined: it is none. */
function pemTextOf(value: unknown): Text | undefined {
  const text = isText(value) ? value : onlyOf(value, 'pem')
  return isText(text) && hasBegin(text) ? text : undefined
}

/** The name of `{ file }`, or of a string that is not PEM; undefined: it is none. */
function fileOf(value: unknown): string | undefined {
  const name = typeof value === 'string' ? value : onlyOf(value, 'file')
  const isName = typeof name === 'string' && name !== '' && !name.includes(BEGIN) && !/[\r\n]/.test(name)
  return isName ? name : undefined
}

function pemOf(value: unknown): Uint8Array | undefined {
  return value === undefined ? Buffer.alloc(0) : bytesOf(pemTextOf(value) ?? fileOf(value))
}

function authoritiesOf(value: unknown): Uint8Array | undefined {
  if (!isArray(value)) return pemOf(value)
  const given = elementsOf(value, 'tls.ca', 'setsockopt', pemTextOf)
  const texts = given.filter((text) => text !== undefined)
  return texts.length > 0 && texts.length === given.length ? bytesOf(texts.map(textOf).join('\n')) : undefined
}

/** OpenSSL takes a leading dot for any name that ends like this. */
function serverNameOf(value: unknown): Uint8Array | undefined {
  if (value === undefined) return Buffer.alloc(0)
  return typeof value === 'string' && !value.startsWith('.') ? bytesOf(value) : undefined
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

const PEM = 'PEM text, or the name of a file with it (without line breaks), or { pem } or { file }'

const rows: Readonly<Record<keyof TlsOptions, Row>> = {
  cert: { number: nn.NN_TLS_CERT, expectation: PEM, toEngine: pemOf },
  key: { number: nn.NN_TLS_KEY, expectation: PEM, toEngine: pemOf },
  ca: { number: nn.NN_TLS_CA, expectation: `${PEM}, or an array of PEM texts`, toEngine: authoritiesOf },
  verify: { number: nn.NN_TLS_VERIFY, expectation: 'true or false', toEngine: (value) => flagOf(value, true) },
  serverName: {
    number: nn.NN_TLS_SERVER_NAME,
    expectation: 'the name of a host, without a dot at its start',
    toEngine: serverNameOf,
  },
  requireClientCertificate: {
    number: nn.NN_TLS_REQUIRE_CLIENT_CERT,
    expectation: 'true or false',
    toEngine: (value) => flagOf(value, false),
  },
}

/** What the engine gets: all options, so that those which are not given get their defaults again. */
export function tlsSettings(given: unknown): TlsSetting[] {
  if (typeof given !== 'object' || given === null) throw argumentError('setsockopt', 'tls', 'an object', given)
  const options = ownOptions(given, 'setsockopt', 'tls')
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(rows, name))
      throw argumentError('setsockopt', 'an option of tls', `one of ${Object.keys(rows).join(', ')}`, name)
  }
  return Object.entries(rows).map(([name, { number, expectation, toEngine }]) => {
    const given: unknown = Object.hasOwn(options, name) ? Reflect.get(options, name) : undefined
    const value = toEngine(given)
    if (value === undefined) {
      const shown = withFile.has(name) ? secretFree(given) : given
      throw argumentError('setsockopt', `tls.${name}`, expectation, shown)
    }
    const file = withFile.has(name) && pemTextOf(given) === undefined ? fileOf(given) : undefined
    return { name, number, value, ...(file !== undefined && { file }) }
  })
}

/** A wrong value as a message may show it: what could be a key is not. */
function secretFree(value: unknown): unknown {
  return isText(value) && value.length > 0 ? {} : value
}

/** The bytes of PEM text, which may be in a file. Throws what reading it fails with. */
export function pemBytes(given: Pem): Buffer {
  const text = pemTextOf(given)
  return text === undefined ? readFileSync(fileOf(given) ?? '') : Buffer.from(text)
}

const withFile: ReadonlySet<string> = new Set(['cert', 'key', 'ca'])

/** The error's name when a file cannot be read; undefined: it can. */
function troubleWith(file: string): string | undefined {
  try {
    const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
    const isFolder = fstatSync(fd).isDirectory()
    closeSync(fd)
    return isFolder ? 'EISDIR' : undefined
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : undefined
  }
}

/** Which of the files is the reason why `bind()` or `connect()` has failed, as a message says it; or ''. A key without
 * the lines around it is taken for a name, and is not shown. */
export function unreadableFile(settings: readonly TlsSetting[], errno: number): string {
  const setting = settings.find(({ file }) => file !== undefined && troubleWith(file) === codeOf(errno))
  if (setting === undefined) return ''
  return setting.name === 'key' ? ', tls.key' : `, tls.${setting.name} ${JSON.stringify(setting.file)}`
}
