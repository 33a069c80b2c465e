import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { closest } from '../engine/closest.js'

/** What may be wrong with a command line or an address, and what may have been meant. Loaded when something is
 *  wrong. */

const transports = ['tcp', 'ipc', 'inproc', 'ws', 'tls+tcp', 'wss']
const listed = transports.map((name) => `${name}://`).join(', ')
const withPort = ['tcp', 'ws', 'tls+tcp', 'wss']
const encrypted = ['tls+tcp', 'wss']

/** The port of examples. */
const PORT = 5555

/** What was meant by a word where only options can stand; undefined when it has no meaning. */
export function hintOnWord(word: string, commands: readonly string[], options: readonly string[]) {
  if (/^[a-z+]+:\/\//.test(word)) return `addresses follow --bind or --connect; did you mean --connect ${word}?`
  if (commands.includes(word)) return undefined
  const meant = closest(word, commands)
  if (meant !== undefined) return `did you mean ${meant}?`
  const option = closest(word, options)
  return option === undefined ? undefined : `did you mean --${option}?`
}

export type Attaching = 'bind' | 'connect'

/** What is wrong with an address that was refused with this error code; undefined when there is nothing to add. */
export function hintOnAddress(address: string, attaching: Attaching, code: string | undefined): string | undefined {
  const [, scheme, rest = ''] = /^([^:/]*):\/\/(.*)$/s.exec(address) ?? []
  if (scheme === undefined) return hintOnMissingScheme(address)
  if (code === 'EPROTONOSUPPORT' && !transports.includes(scheme)) return hintOnScheme(address, scheme, rest)
  return (
    hintOnForm(scheme, rest, attaching, code) ??
    (encrypted.includes(scheme) ? hintOnTls(attaching, code) : undefined) ??
    (attaching === 'bind' ? hintOnBinding(scheme, rest, code) : undefined)
  )
}

/** A hint on how the address is written. */
function hintOnForm(scheme: string, rest: string, attaching: Attaching, code: string | undefined) {
  if (withPort.includes(scheme)) return hintOnHost(scheme, rest, attaching, code)
  return scheme === 'ipc' ? hintOnIpc(rest, code) : undefined
}

/** What was meant by an address without `scheme://`. */
function withScheme(address: string): string {
  const [, scheme, rest] = /^([a-z+]+):?\/+(.*)$/.exec(address) ?? []
  if (scheme !== undefined && transports.includes(scheme)) return `${scheme}://${rest}`
  if (address.includes('/')) return `ipc://${address}`
  if (/^(.*):(\d+)$/.test(address)) return `tcp://${address.replace(/^:/, '*:')}`
  return `tcp://${address || '127.0.0.1'}:${PORT}`
}

function hintOnMissingScheme(address: string): string {
  return `address does not begin with a transport (${listed}): ${address}; did you mean ${withScheme(address)}?`
}

function hintOnScheme(address: string, scheme: string, rest: string): string {
  const meant = closest(scheme.toLowerCase().trim(), transports)
  const words = `there is no transport ${scheme}://: ${address}`
  return meant === undefined ? `${words}; there are ${listed}` : `${words}; did you mean ${meant}://${rest}?`
}

/** A hint on addresses with a host, a port and perhaps a path. */
function hintOnHost(scheme: string, rest: string, attaching: Attaching, code: string | undefined): string | undefined {
  const [, host, port, path] = /^(.*?)(?::([^:\]/]*))?(\/.*)?$/s.exec(rest) as unknown as [string, string, ...string[]]
  const address = `${scheme}://${rest}`
  const meant = (meantHost: string, meantPort: string | number = PORT) =>
    `${address}; did you mean ${scheme}://${meantHost}:${meantPort}${path ?? ''}?`
  if (code !== 'EINVAL' && code !== 'ENODEV') return undefined
  if (path !== undefined && (scheme === 'tcp' || scheme === 'tls+tcp')) {
    return `${scheme} address has a path: ${address}; did you mean ${scheme}://${host}:${port || PORT}?`
  }
  if (code === 'ENODEV') {
    const all = `${scheme}://*:${port || PORT}${path ?? ''}`
    return `no network interface has that name or address: ${address}; to listen on all of them, ${all}`
  }
  if (!port) return `${scheme} address has no port: ${meant(host)}`
  if (!/^\d+$/.test(port) || Number(port) > 65535) return `port is not a number up to 65535: ${meant(host)}`
  if (host === '') return `${scheme} address has no host: ${meant('127.0.0.1', port)}`
  if (attaching === 'connect' && Number(port) === 0) {
    return `no socket listens on port 0: ${address}; connect to the port that was chosen, which --verbose tells`
  }
  if (attaching === 'connect' && host === '*') return `only --bind knows *: ${meant('127.0.0.1', port)}`
  if (/[^\w.:;*[\]-]/.test(host)) return `no host is called that: ${address}`
  if (/^[\da-f:]+:[\da-f:]*$/i.test(host)) return `IPv6 address without brackets: ${meant(`[${host}]`, port)}`
  return undefined
}

function hintOnIpc(path: string, code: string | undefined): string | undefined {
  if (code !== 'ENAMETOOLONG' && code !== 'EINVAL') return undefined
  return `path of a socket is too long, with ${Buffer.byteLength(path)} bytes: most systems allow 107`
}

/** A hint on the files of certificates. */
function hintOnTls(attaching: Attaching, code: string | undefined): string | undefined {
  switch (code) {
    case 'EINVAL':
      return attaching === 'bind'
        ? 'the bound side needs a certificate and its key: --cert FILE --key FILE, as PEM and without a password'
        : 'what --cacert, --cert and --key name must be PEM, without a password'
    case 'ENOENT':
      return 'a file that --cacert, --cert or --key names does not exist'
    case 'EPROTONOSUPPORT':
      return 'this build has no TLS: it needs a Node.js with OpenSSL 3'
    default:
      return undefined
  }
}

function hintOnBinding(scheme: string, rest: string, code: string | undefined): string | undefined {
  const address = `${scheme}://${rest}`
  const [, host, port = ''] = /^(.*?)(:\d+)?(?:\/.*)?$/s.exec(rest) as unknown as [string, string, string | undefined]
  const hasPort = withPort.includes(scheme)
  switch (code) {
    case 'EADDRINUSE':
      return hasPort
        ? `another socket listens there already: ${address}; ${scheme}://${host}:0 takes any free port, and --verbose tells which`
        : `another socket listens there already: ${address}`
    case 'EADDRNOTAVAIL':
      return `this machine does not have that address: ${address}; to listen on all that it has, ${scheme}://*${port}`
    case 'EACCES':
      if (encrypted.includes(scheme) && !(Number(port.slice(1)) < 1024)) return 'no permission to read --cert or --key'
      return hasPort
        ? `ports below 1024 are reserved: ${address}; did you mean ${scheme}://${host}:${PORT}?`
        : `no permission to make a socket in ${dirname(rest)}`
    case 'ENOENT':
      return existsSync(dirname(rest)) ? undefined : `there is no folder ${dirname(rest)}`
    default:
      return undefined
  }
}
