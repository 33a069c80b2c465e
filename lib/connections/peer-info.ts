import type { X509Certificate } from 'node:crypto'
import type { EngineEvent } from '../engine/binding.js'

/** What is known of a peer besides its address, since the connection was made. */
export interface PeerInfo {
  /** Whose process it is, over `ipc://` and other sockets of this machine; `pid` is 0 where it cannot be seen. */
  readonly credentials: { readonly pid: number; readonly uid: number; readonly gid: number } | undefined
  /** The headers of its request, where it came to a `ws://` or `wss://` endpoint: names in lower case, what was sent
   * several times joined by `, `, as in node:http. */
  readonly requestHeaders: Readonly<Record<string, string>> | undefined
  /** Its certificate, over TLS; none that was not accepted. Servers see one with `requireClientCertificate` only. */
  readonly certificate: X509Certificate | undefined
}

function headersOf(lines: Buffer): Record<string, string> {
  const headers = new Map<string, string>()
  for (const line of lines.toString('latin1').split('\r\n')) {
    const colon = line.indexOf(':')
    if (colon < 0) continue
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '')
    const before = headers.get(name)
    headers.set(name, before === undefined ? value : `${before}${name === 'cookie' ? ';' : ','} ${value}`)
  }
  return Object.fromEntries(headers)
}

function certificateOf(der: Buffer): X509Certificate {
  // Only programs that use TLS pay for loading it.
  const { X509Certificate: Certificate } = require('node:crypto') as typeof import('node:crypto')
  return new Certificate(der)
}

export function peerInfoOf({ credentials, headers, certificate }: EngineEvent): PeerInfo {
  return {
    credentials,
    requestHeaders: headers && headersOf(headers),
    certificate: certificate && certificateOf(certificate),
  }
}
