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

function certificatesOf(pem: Pem): { blocks: string[]; first: X509Certificate } {
  const blocks = blocksOf(pem, CERTIFICATE)
  const [first] = blocks.map((block) => new (crypto().X509Certificate)(block))
  if (first === undefined) throw new Error('There is no certificate')
  return { blocks, first }
}

function keyOf(pem: Pem): { block: string; key: KeyObject } {
  const [block] = blocksOf(pem, PRIVATE_KEY)
  if (block === undefined) throw new Error('There is no private key')
  return { block, key: crypto().createPrivateKey(block) }
}

/** Throws what is wrong: runtimes differ in when they look, and Deno never says. */
function checked({ cert, key = cert, ca }: Readonly<TlsOptions>): Credentials {
  const authorities = ca === undefined ? undefined : (Array.isArray(ca) ? ca : [ca as Pem]).map(certificatesOf)
  const own = cert === undefined ? undefined : certificatesOf(cert)
  const secret = own === undefined || key === undefined ? undefined : keyOf(key)
  if (secret !== undefined && own?.first.checkPrivateKey(secret.key) !== true)
    throw new Error('The key is that of another certificate')
  return {
    ...(own !== undefined && { cert: own.blocks.join('') }),
    ...(secret !== undefined && { key: secret.block }),
    ...(authorities !== undefined && { ca: authorities.flatMap(({ blocks }) => blocks) }),
    minVersion: 'TLSv1.2',
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
    const error = errnoError(positive, syscall, JSON.stringify(address) + unreadableFile(files, positive))
    error.cause = cause
    throw error
  }
}
