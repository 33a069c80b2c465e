/** `tls+tcp://` and `wss://` by `node:tls`, where the engine finds no OpenSSL: in Bun, in Deno, in some Electrons. */
import { createServer, isIP } from 'node:net'
import { constants } from 'node:os'
import type { TLSSocket } from 'node:tls'
import { argumentError, errnoError } from '../engine/errors.js'
import { type Pem, pemBytes, type TlsOptions, type TlsSetting, unreadableFile } from '../engine/tls.js'
import type { Listening, Transport } from './transport-registry.js'

// Only programs that use TLS pay for loading it.
const tls = () => require('node:tls') as typeof import('node:tls')

const format = /^(tls\+tcp|wss):\/\/(?:([^;/]*);)?(\[[^\]/]+\]|[^:/[\]]*)(?::(\d{1,5}))?(\/.*)?$/

interface Place {
  scheme: string
  /** An address of this machine, to connect from. */
  from: string | undefined
  /** Without brackets. */
  host: string
  port: number
  path: string
}

/** The parts of an address, or undefined when it is none of TLS. */
function placeOf(address: string): Place | undefined {
  const match = format.exec(address)
  if (match === null) return undefined
  const [, scheme = '', from, host = '', port, path = ''] = match
  if (port === undefined && scheme === 'tls+tcp') return undefined
  if (scheme === 'tls+tcp' && path !== '') return undefined
  return { scheme, from, host: host.replace(/^\[|\]$/g, ''), port: Number(port ?? 443), path }
}

function partsOf(syscall: 'bind' | 'connect', address: string): Place {
  const place = placeOf(address)
  if (place === undefined || place.port > 65535 || place.host === '')
    throw errnoError(constants.errno.EINVAL, syscall, JSON.stringify(address))
  return place
}

/** What a listening socket has chosen of the ports that are free; `bind()` has to say it at once. */
function freePort(): number {
  const server = createServer().listen(0)
  const address = server.address()
  server.close()
  return typeof address === 'object' && address !== null ? address.port : 0
}

const shownHost = (host: string) => (host.includes(':') ? `[${host}]` : host)

/** Certificates as node:tls takes them. Throws what reading a file fails with. */
function credentials({ cert, key = cert, ca }: Readonly<TlsOptions>) {
  const authorities = ca === undefined ? undefined : (Array.isArray(ca) ? ca : [ca as Pem]).map(pemBytes)
  return {
    ...(cert !== undefined && { cert: pemBytes(cert) }),
    ...(key !== undefined && { key: pemBytes(key) }),
    ...(authorities !== undefined && { ca: authorities }),
    minVersion: 'TLSv1.2' as const,
  }
}

/** Reads the certificates now, as the engine does. */
function credentialsFor(syscall: string, address: string, options: Readonly<TlsOptions>, files: readonly TlsSetting[]) {
  try {
    return credentials(options)
  } catch (error) {
    const errno = Math.abs(Number((error as NodeJS.ErrnoException).errno) || constants.errno.EINVAL)
    throw errnoError(errno, syscall, JSON.stringify(address) + unreadableFile(files, errno))
  }
}

type Credentials = ReturnType<typeof credentials>

/** The name that the peer must have: that of the option, or the host's. */
function expectedOf(host: string, { serverName = host }: Readonly<TlsOptions>): { servername?: string; host?: string } {
  return isIP(serverName) ? { host: serverName } : { servername: serverName.replace(/\.$/, '') }
}

/** Why the peer is not the one that is meant; undefined: it is. */
function problemOf(socket: TLSSocket, host: string, options: Readonly<TlsOptions>): Error | undefined {
  if (options.verify === false) return undefined
  if (!socket.authorized) return socket.authorizationError ?? new Error('The certificate of the peer is not accepted')
  const expected = expectedOf(host, options)
  return tls().checkServerIdentity(expected.servername ?? expected.host ?? '', socket.getPeerCertificate())
}

/** A stream on which nothing is sent before the peer is known. */
function secured(socket: TLSSocket, host: string, options: Readonly<TlsOptions>): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject).once('secureConnect', () => {
      socket.off('error', reject)
      const problem = problemOf(socket, host, options)
      if (problem === undefined) {
        resolve(socket)
      } else {
        socket.on('error', () => {}).destroy()
        reject(problem)
      }
    })
  })
}

class HostTls implements Transport {
  constructor(
    private readonly options: Readonly<TlsOptions>,
    private readonly credentials: Credentials,
  ) {}

  connect(address: string): Promise<TLSSocket> {
    const { from, host, port } = partsOf('connect', address)
    const { servername } = expectedOf(host, this.options)
    const socket = tls().connect({
      ...this.credentials,
      host,
      port,
      ...(from !== undefined && from !== '*' && { localAddress: from.replace(/^\[|\]$/g, '') }),
      ...(servername !== undefined && { servername }),
      rejectUnauthorized: this.options.verify !== false,
      // The name is looked at in one place for all runtimes.
      checkServerIdentity: () => undefined,
    })
    return secured(socket.setNoDelay(true), host, this.options)
  }

  listen(address: string, onConnection: (connection: TLSSocket) => void): Promise<Listening> {
    const { host, port } = partsOf('bind', address)
    const isRequired = this.options.requireClientCertificate === true
    const server = tls().createServer(
      { ...this.credentials, requestCert: isRequired, rejectUnauthorized: isRequired },
      (socket) => onConnection(socket.setNoDelay(true)),
    )
    return new Promise((resolve, reject) => {
      server.once('error', reject).listen(port, host === '*' ? undefined : host, () => {
        server.off('error', reject).on('error', () => {}) // a peer that could not be accepted
        resolve({ close: () => server.close() })
      })
    })
  }
}

/**
 * Secure addresses for a runtime whose OpenSSL the engine cannot use.
 *
 * @returns the transport, and the address with a port where it asks for any; undefined: it is no address of TLS
 * @throws {NanomsgError} what is wrong with the address or with the certificates
 */
export function hostTls(
  syscall: 'bind' | 'connect',
  address: string,
  options: Readonly<TlsOptions>,
  files: readonly TlsSetting[],
): { transport: Transport; address: string } | undefined {
  if (!/^(tls\+tcp|wss):\/\//.test(address)) return undefined
  const { scheme, host, port, path } = partsOf(syscall, address)
  if (syscall === 'bind' && options.cert === undefined)
    throw argumentError('bind', 'tls.cert', 'given to bind to an address of TLS', options.cert)
  if (options.requireClientCertificate && options.ca === undefined && syscall === 'bind')
    throw argumentError('bind', 'tls.ca', 'given with requireClientCertificate', options.ca)
  const transport = new HostTls(options, credentialsFor(syscall, address, options, files))
  const isAnyPort = syscall === 'bind' && port === 0
  return { transport, address: isAnyPort ? `${scheme}://${shownHost(host)}:${freePort()}${path}` : address }
}
