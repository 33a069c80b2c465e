import type { X509Certificate } from 'node:crypto'
import type { EngineEvent } from '../engine/binding.js'
import type { PeerInfo } from '../engine/candidate.js'

export type { PeerInfo }

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
