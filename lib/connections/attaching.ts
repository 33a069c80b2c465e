import { constants } from 'node:os'
import { deferred } from '../engine/deferred.js'
import { argumentError, check, errnoError, isOfTls, type NanomsgError } from '../engine/errors.js'
import type { Handle } from '../engine/handle.js'
import { native } from '../engine/native.js'
import { inheritsRevoked, REVOKED } from '../engine/proxies.js'
import { type TlsOptions, unreadableFile } from '../engine/tls.js'
import { type Attachment, addressText } from './endpoint.js'
import { pathProblem } from './path-problems.js'
import type { Within } from './stream-endpoint.js'
import type { StreamEndpoints } from './stream-endpoints.js'
import { transportOf } from './transport-registry.js'

const hostCredentials = deferred(() => require('./host-credentials.js') as typeof import('./host-credentials.js'))
const hostTls = deferred(() => require('./host-tls.js') as typeof import('./host-tls.js'))

/**
 * Binds or connects a socket: in the engine, or by a transport in JavaScript where the engine does not know the scheme.
 *
 * @param streamEndpoints those of the socket, made when they are needed
 * @param tls the socket's option
 * @param within has the endpoint's options while a connection of such a transport begins
 */
export function attach(
  handle: Handle,
  syscall: 'bind' | 'connect',
  address: unknown,
  streamEndpoints: () => StreamEndpoints,
  tls: Readonly<TlsOptions>,
  within: Within,
): Attachment {
  const text = addressText(address, syscall)
  handle.assertOpen(syscall)
  return counted(handle, attachTo(handle, syscall, text, streamEndpoints, tls, within))
}

function attachTo(
  handle: Handle,
  syscall: 'bind' | 'connect',
  address: string,
  streamEndpoints: () => StreamEndpoints,
  tls: Readonly<TlsOptions>,
  within: Within,
): Attachment {
  const endpoint = native[syscall](handle.s, address)
  if (endpoint === -constants.errno.EPROTONOSUPPORT) {
    const transport = transportOf(address)
    if (inheritsRevoked(transport)) throw argumentError(syscall, 'the transport', 'an object that can be read', REVOKED)
    if (transport !== undefined) return streamEndpoints()[syscall](transport, address, within)
    const secure = isOfTls(address) ? hostTls(syscall).hostTls(handle, syscall, address, tls) : undefined
    if (secure !== undefined) {
      const attachment = streamEndpoints()[syscall](secure.transport, secure.address, within)
      return withRenewal(attachment, (renewed) => secure.renew(renewed))
    }
  }
  if (endpoint < 0) throw attachError(-endpoint, syscall, address, handle, tls)
  const attachment = { address: addressOf(handle, endpoint), close: () => shutdown(handle, endpoint) }
  if (!isOfTls(address)) return attachment
  return withRenewal(attachment, (renewed) => {
    const rc = native.renewTls(handle.s, endpoint)
    if (rc < 0) throw attachError(-rc, syscall, address, handle, renewed)
  })
}

function withRenewal(attachment: Attachment, renewTls: (tls: Readonly<TlsOptions>) => void): Attachment {
  return {
    get address() {
      return attachment.address
    },
    close: () => attachment.close(),
    renewTls,
  }
}

/** Counts the socket's addresses: an error of a call that was given up says when there is none. */
function counted(handle: Handle, attachment: Attachment): Attachment {
  handle.endpointCount++
  return {
    get address() {
      return attachment.address
    },
    renewTls: attachment.renewTls,
    close: () => {
      handle.endpointCount--
      attachment.close()
    },
  }
}

function attachError(
  errno: number,
  syscall: 'bind' | 'connect',
  address: string,
  { tlsFiles }: Handle,
  tls: Readonly<TlsOptions>,
): NanomsgError {
  const shown = JSON.stringify(address)
  if (!isOfTls(address)) return errnoError(errno, syscall, shown, pathProblem(errno, address))
  const problem = errno === constants.errno.EINVAL ? credentialsProblem(syscall, tls) : undefined
  return errnoError(
    errno,
    syscall,
    shown + unreadableFile(tlsFiles, errno),
    problem === undefined ? {} : { text: problem },
  )
}

/** Undefined as well where the file that knows cannot be read: the error of the engine stands then without it. */
function credentialsProblem(syscall: 'bind' | 'connect', tls: Readonly<TlsOptions>): string | undefined {
  try {
    return hostCredentials(syscall).credentialsProblem(syscall, tls)
  } catch {
    return undefined
  }
}

function addressOf(handle: Handle, endpoint: number): string {
  const address = native.address(handle.s, endpoint)
  if (typeof address === 'number') throw errnoError(-address, 'address')
  return address
}

function shutdown(handle: Handle, endpoint: number): void {
  const rc = handle.isOpen ? native.shutdown(handle.s, endpoint) : 0
  // It may have ended with its connection: see lib/contexts/draining.ts.
  if (rc !== -constants.errno.EINVAL) check(rc, 'shutdown')
}
