/** Certificates and keys for `node:tls`, checked when a socket is bound or connected, as the engine does. */
import type { KeyObject, X509Certificate } from 'node:crypto'
import { constants } from 'node:os'
import { errnoError } from '../engine/errors.js'
import { type Pem, pemBytes, type TlsOptions, type TlsSetting, unreadableFile } from '../engine/tls.js'

// Only programs that use TLS pay for loading it.
const crypto = () => require('node:crypto') as typeof import('node:crypto')

const CERTIFICATE = /^(X509 |TRUSTED )?CERTIFICATE$/
const PRIVATE_KEY = /PRIVATE KEY$/

export interface Credentials {
  readonly cert?: string
  readonly key?: string
  readonly ca?: string[]
  readonly minVersion: 'TLSv1.2'
}

/** The parts of PEM text whose label is wanted: not every runtime finds them among others. */
function blocksOf(pem: Pem, label: RegExp): string[] {
  const blocks = pemBytes(pem)
    .toString('latin1')
    .matchAll(/-----BEGIN ([A-Z0-9 ]+)-----[\s\S]+?-----END \1-----/g)
  return Array.from(blocks).flatMap(([block, name = '']) => (label.test(name) ? [`${block}\n`] : []))
}

function certificatesOf(pem: Pem, name: string): { blocks: string[]; first: X509Certificate } {
  const blocks = blocksOf(pem, CERTIFICATE)
  const [first] = blocks.map((block) => parsed(() => new (crypto().X509Certificate)(block), name))
  if (first === undefined) throw new Error(`${name} holds no certificate in PEM`)
  return { blocks, first }
}

function keyOf(pem: Pem): { block: string; key: KeyObject } {
  const [block] = blocksOf(pem, PRIVATE_KEY)
  if (block === undefined) throw new Error('tls.key holds no private key in PEM')
  return { block, key: parsed(() => crypto().createPrivateKey(block), 'tls.key') }
}

function parsed<Result>(parse: () => Result, name: string): Result {
  try {
    return parse()
  } catch (cause) {
    throw new Error(`${name} cannot be read (${cause instanceof Error ? cause.message : String(cause)})`, { cause })
  }
}

/** Throws what is wrong: runtimes differ in when they look, and Deno never says. */
function checked({ cert, key = cert, ca }: Readonly<TlsOptions>): Credentials {
  const authorities =
    ca === undefined ? undefined : (Array.isArray(ca) ? ca : [ca as Pem]).map((pem) => certificatesOf(pem, 'tls.ca'))
  const own = cert === undefined ? undefined : certificatesOf(cert, 'tls.cert')
  const secret = own === undefined || key === undefined ? undefined : keyOf(key)
  if (secret !== undefined && own?.first.checkPrivateKey(secret.key) !== true)
    throw new Error('tls.key is not the key of tls.cert')
  return {
    ...(own !== undefined && { cert: own.blocks.join('') }),
    ...(secret !== undefined && { key: secret.block }),
    ...(authorities !== undefined && { ca: authorities.flatMap(({ blocks }) => blocks) }),
    minVersion: 'TLSv1.2',
  }
}

/** What is wrong with the options of a socket that the engine has refused to bind or connect, as a sentence without its
 * end; undefined: nothing is known to be. */
export function credentialsProblem(syscall: 'bind' | 'connect', options: Readonly<TlsOptions>): string | undefined {
  if (syscall === 'bind' && options.cert === undefined) return 'The option tls has no cert'
  if (syscall === 'bind' && options.requireClientCertificate && options.ca === undefined)
    return 'The option tls has requireClientCertificate, but no ca'
  try {
    checked(options)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : undefined
  }
}

/**
 * Reads the files now, as the engine does.
 *
 * @param options without a prototype
 * @throws {NanomsgError} `EINVAL`, or what reading a file fails with
 */
export function credentialsFor(
  syscall: string,
  address: string,
  options: Readonly<TlsOptions>,
  files: readonly TlsSetting[],
): Credentials {
  try {
    return checked(options)
  } catch (cause) {
    const { errno } = cause as NodeJS.ErrnoException
    const positive = typeof errno === 'number' && errno !== 0 ? Math.abs(errno) : constants.errno.EINVAL
    const isMalformed = positive === constants.errno.EINVAL && cause instanceof Error
    const error = errnoError(
      positive,
      syscall,
      JSON.stringify(address) + unreadableFile(files, positive),
      isMalformed ? { text: cause.message } : {},
    )
    error.cause = cause
    throw error
  }
}
