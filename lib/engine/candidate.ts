import type { X509Certificate } from 'node:crypto'
import type { ProtocolName } from './constants.js'

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

/** A peer that wants to come in. Nothing was said to it yet. */
export interface Candidate extends PeerInfo {
  /** The number that its connection has when it is admitted. */
  readonly pipe: number
  readonly protocol: ProtocolName
  /** Of the endpoint that it has come to, as in `Endpoint.address`. */
  readonly address: string
  readonly localAddress: string | undefined
  readonly remoteAddress: string | undefined
}

/** Whether a peer is admitted. */
export type Admit = (peer: Candidate) => boolean | Promise<boolean>
