import { constants } from 'node:os'
import { argumentError, check, errnoError, isOfTls } from '../engine/errors.js'
import type { Handle } from '../engine/handle.js'
import { native } from '../engine/native.js'
import { inheritsRevoked, REVOKED } from '../engine/proxies.js'
import { type TlsOptions, unreadableFile } from '../engine/tls.js'
import { type Attachment, checkAddress } from './endpoint.js'
import { hostTls } from './host-tls.js'
import type { StreamEndpoints } from './stream-endpoints.js'
import { transportOf } from './transport-registry.js'

/**
 * Binds or connects a socket: in the engine, or by a transport in JavaScript where the engine does not know the scheme.
 *
 * @param streamEndpoints those of the socket, made when they are needed
 * @param tls the socket's option
 */
export function attach(
  handle: Handle,
  syscall: 'bind' | 'connect',
  address: unknown,
  streamEndpoints: () => StreamEndpoints,
  tls: Readonly<TlsOptions>,
): Attachment {
  checkAddress(address, syscall)
  handle.assertOpen(syscall)
  const endpoint = native[syscall](handle.s, address)
  if (endpoint === -constants.errno.EPROTONOSUPPORT) {
    const transport = transportOf(address)
    if (inheritsRevoked(transport)) throw argumentError(syscall, 'the transport', 'an object that can be read', REVOKED)
    if (transport !== undefined) return streamEndpoints()[syscall](transport, address)
    const secure = hostTls(handle, syscall, address, tls)
    if (secure !== undefined) return streamEndpoints()[syscall](secure.transport, secure.address)
  }
  if (endpoint < 0) {
    const file = isOfTls(address) ? unreadableFile(handle.tlsFiles, -endpoint) : ''
    throw errnoError(-endpoint, syscall, JSON.stringify(address) + file)
  }
  return { address: addressOf(handle, endpoint), close: () => shutdown(handle, endpoint) }
}

function addressOf(handle: Handle, endpoint: number): string {
  const address = native.address(handle.s, endpoint)
  if (typeof address === 'number') throw errnoError(-address, 'address')
  return address
}

function shutdown(handle: Handle, endpoint: number): void {
  if (handle.isOpen) check(native.shutdown(handle.s, endpoint), 'shutdown')
}
