/** `tls+tcp://` and `wss://` by `node:tls`, where the engine finds no OpenSSL: in Bun, in Deno, in some Electrons. */
import type { Socket } from 'node:net'
import { constants, networkInterfaces } from 'node:os'
import type { Server, TLSSocket } from 'node:tls'
import { argumentError, errnoError } from '../engine/errors.js'
import type { Handle } from '../engine/handle.js'
import { ownOptions } from '../engine/own-options.js'
import type { TlsOptions } from '../engine/tls.js'
import { type Credentials, credentialsFor } from './host-credentials.js'
import { ADDRESS_LIMIT_BYTES, type Listening, OwnTransport } from './transport-registry.js'

// Only programs that use TLS of Node.js pay for loading these.
const net = () => require('node:net') as typeof import('node:net')
const tls = () => require('node:tls') as typeof import('node:tls')

/** How long a peer may take for its part of TLS, on both sides; as in the engine. */
const HANDSHAKE_LIMIT_MS = 3000

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

const withoutBrackets = (host: string) => host.replace(/^\[|\]$/g, '')

/** The parts of an address, or undefined when it is none of TLS. */
function placeOf(address: string): Place | undefined {
  const match = format.exec(address)
  if (match === null) return undefined
  const [, scheme = '', from, host = '', port, path = ''] = match
  if (port === undefined && scheme === 'tls+tcp') return undefined
  if (scheme === 'tls+tcp' && path !== '') return undefined
  return { scheme, from, host: withoutBrackets(host), port: Number(port ?? 443), path }
}

function partsOf(syscall: 'bind' | 'connect', address: string): Place {
  const place = placeOf(address)
  if (place === undefined || place.port > 65535 || place.host === '')
    throw errnoError(constants.errno.EINVAL, syscall, JSON.stringify(address))
  return place
}

/** The address of an interface of this machine, which may be named. The engine has found that there is one. */
function localAddress(name: string, families: readonly string[]): string {
  const addresses = networkInterfaces()[name] ?? []
  for (const family of families) {
    const found = addresses.find((each) => each.family === family && !each.address.startsWith('fe80:'))
    if (found !== undefined) return found.address
  }
  return name
}

/** What a listening socket has chosen of the ports that are free; `bind()` has to say it at once. */
function freePort(): number {
  const server = net().createServer().listen(0)
  const address = server.address()
  server.close()
  return typeof address === 'object' && address !== null ? address.port : 0
}

const shownHost = (host: string) => (host.includes(':') ? `[${host}]` : host)

/** The name that the peer must have: that of the option, or the host's. */
function expectedOf(host: string, { serverName }: Readonly<TlsOptions>): { servername?: string; host?: string } {
  const expected = serverName || host
  return net().isIP(expected) ? { host: expected } : { servername: expected.replace(/\.$/, '') }
}

/** Why the peer is not the one that is meant; undefined: it is. */
function problemOf(socket: TLSSocket, host: string, options: Readonly<TlsOptions>): Error | undefined {
  if (options.verify === false) return undefined
  if (!socket.authorized) return socket.authorizationError ?? new Error('The certificate of the peer is not accepted')
  const expected = expectedOf(host, options)
  const { subjectaltname } = socket.getPeerCertificate()
  // Without the subject: its common name does not count (RFC 9525), but for node:tls it would.
  const names = { subject: {}, subjectaltname } as ReturnType<TLSSocket['getPeerCertificate']>
  return tls().checkServerIdentity(expected.servername ?? expected.host ?? '', names)
}

/** Without delay. Only connections keep the process alive: it would end before they have carried what was accepted. */
const opened = (socket: TLSSocket) => socket.setNoDelay(true).ref()

/** A stream on which nothing is sent before the peer is known. */
function secured(socket: TLSSocket, address: string, problem: () => Error | undefined): Promise<TLSSocket> {
  const refuse = (errno: number) => errnoError(errno, 'connect', JSON.stringify(address))
  return new Promise((resolve, reject) => {
    let limit: NodeJS.Timeout | undefined
    const fail = (error: Error) => {
      socket.destroy()
      reject(error)
    }
    socket
      .on('error', fail) // also between this promise's end and the connection's begin
      .once('connect', () => {
        limit = setTimeout(() => fail(refuse(constants.errno.ETIMEDOUT)), HANDSHAKE_LIMIT_MS).unref()
      })
      .once('close', () => {
        clearTimeout(limit)
        reject(refuse(constants.errno.ECONNRESET))
      })
      .once('secureConnect', () => {
        clearTimeout(limit)
        const found = problem()
        if (found === undefined) resolve(socket)
        else fail(found)
      })
  })
}

const peerOf = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress} ${remotePort}`

/** Accepted connections whose handshake is under way. Some runtimes announce a connection by an object, and by another
 * one when it is secure: the peer's address tells which. */
class Handshakes {
  readonly #begun = new Map<string, { connection: Socket; limit: NodeJS.Timeout }>()

  begin(connection: Socket): void {
    const peer = peerOf(connection)
    const begun = { connection, limit: setTimeout(() => connection.destroy(), HANDSHAKE_LIMIT_MS).unref() }
    this.#begun.set(peer, begun)
    connection
      .on('error', () => {})
      .once('close', () => {
        clearTimeout(begun.limit)
        if (this.#begun.get(peer) === begun) this.#begun.delete(peer)
      })
  }

  end(connection: Socket): void {
    const peer = peerOf(connection)
    clearTimeout(this.#begun.get(peer)?.limit)
    this.#begun.delete(peer)
  }

  abandon(): void {
    for (const { connection } of this.#begun.values()) connection.destroy()
  }
}

class HostTls extends OwnTransport {
  /** Those that are no connections yet. */
  readonly #opening = new Set<TLSSocket>()
  #server: Server | undefined

  constructor(
    private options: Readonly<TlsOptions>,
    private credentials: Credentials,
    private readonly isIpv6Allowed: boolean,
  ) {
    super()
  }

  /** Connections from now on have these. Whether a server asks for certificates stays as it is. */
  renew(options: Readonly<TlsOptions>, credentials: Credentials): void {
    this.#server?.setSecureContext(credentials)
    this.options = options
    this.credentials = credentials
  }

  /** What fails is a rejection: the address was looked at before. */
  async connect(address: string): Promise<TLSSocket> {
    const { from, host, port } = partsOf('connect', address)
    const { servername } = expectedOf(host, this.options)
    const families = net().isIP(host) === 6 ? ['IPv6'] : net().isIP(host) === 4 ? ['IPv4'] : ['IPv4', 'IPv6']
    const socket = tls().connect({
      ...this.credentials,
      host,
      port,
      ...(from !== undefined && from !== '*' && { localAddress: localAddress(withoutBrackets(from), families) }),
      ...(servername !== undefined && { servername }),
      ...(!this.isIpv6Allowed && { family: 4 }),
      rejectUnauthorized: this.options.verify !== false,
      // The name is looked at in one place for all runtimes.
      checkServerIdentity: () => undefined,
    })
    this.#opening.add(socket)
    try {
      return opened(await secured(socket.unref(), address, () => problemOf(socket, host, this.options)))
    } finally {
      this.#opening.delete(socket)
    }
  }

  listen(address: string, onConnection: (connection: TLSSocket) => void): Promise<Listening> {
    const { host, port } = partsOf('bind', address)
    const handshakes = new Handshakes()
    return new Promise((resolve, reject) => {
      const isRequired = this.options.requireClientCertificate === true
      const server = tls()
        .createServer({ ...this.credentials, requestCert: isRequired, rejectUnauthorized: isRequired })
        .unref()
        .on('connection', (connection) => handshakes.begin(connection.unref()))
        .on('tlsClientError', (_error, connection) => connection.destroy())
        .on('secureConnection', (connection) => {
          handshakes.end(connection)
          onConnection(opened(connection))
        })
      this.#server = server
      const close = () => {
        server.close()
        handshakes.abandon()
      }
      const families = this.isIpv6Allowed ? ['IPv6', 'IPv4'] : ['IPv4']
      server.once('error', reject).listen(port, localAddress(host, families), () => {
        server.off('error', reject).on('error', () => {}) // a peer that could not be accepted
        resolve({ close })
      })
    })
  }

  override abandon(): void {
    for (const socket of this.#opening) socket.destroy()
  }
}

/** An address to bind to as peers can use it, with a port where it asks for any. */
function boundAddress(address: string, isIpv6Allowed: boolean): string {
  const { scheme, host, port, path } = partsOf('bind', address)
  if (port !== 0 && host !== '*') return address
  const anyHost = isIpv6Allowed ? '::' : '0.0.0.0'
  const chosen = `${scheme}://${shownHost(host === '*' ? anyHost : host)}:${port || freePort()}${path}`
  if (Buffer.byteLength(chosen) < ADDRESS_LIMIT_BYTES) return chosen
  throw errnoError(constants.errno.ENAMETOOLONG, 'bind', JSON.stringify(chosen))
}

/**
 * Secure addresses for a runtime whose OpenSSL the engine cannot use.
 *
 * @param given the socket's option
 * @returns the transport, and the address with what the system chose; undefined: it is no address of TLS
 * @throws {NanomsgError} what is wrong with the address or with the certificates
 */
export function hostTls(
  handle: Pick<Handle, 'tlsFiles' | 'getOption'>,
  syscall: 'bind' | 'connect',
  address: string,
  given: Readonly<TlsOptions>,
): { transport: OwnTransport; address: string; renew: (given: Readonly<TlsOptions>) => void } | undefined {
  if (!/^(tls\+tcp|wss):\/\//.test(address)) return undefined
  partsOf(syscall, address)
  const read = (from: Readonly<TlsOptions>) => {
    const options = checkedOptions(syscall, from)
    return [options, credentialsFor(syscall, address, options, handle.tlsFiles)] as const
  }
  const isIpv6Allowed = handle.getOption('ipv6') === true
  const transport = new HostTls(...read(given), isIpv6Allowed)
  const actual = syscall === 'bind' ? boundAddress(address, isIpv6Allowed) : address
  return { transport, address: actual, renew: (renewed) => transport.renew(...read(renewed)) }
}

function checkedOptions(syscall: 'bind' | 'connect', given: Readonly<TlsOptions>): Readonly<TlsOptions> {
  const options = ownOptions(given, syscall, 'tls')
  if (syscall === 'bind' && options.cert === undefined)
    throw argumentError('bind', 'tls.cert', 'given to bind to an address of TLS', options.cert)
  if (options.requireClientCertificate && options.ca === undefined && syscall === 'bind')
    throw argumentError('bind', 'tls.ca', 'given with requireClientCertificate', options.ca)
  return options
}
