/** Opening, closing, endpoints, statistics. */

import { native } from '../engine/native.js'
import { flush } from '../messages/gatherer.js'
import { Descriptor, descriptorOf } from './descriptor.js'
import { checked, checkInt, failure, invalid } from './failing.js'

/**
 * Opens a socket.
 *
 * @param domain AF_SP, or AF_SP_RAW for devices
 * @param protocol a type such as NN_REQ
 * @returns its number, which is none of the operating system's
 * @throws {NanomsgError} EAFNOSUPPORT, EINVAL, EMFILE, ENOMEM, ETERM
 */
export function nn_socket(domain: number, protocol: number): number {
  checkInt(domain, 'domain', 'nn_socket')
  checkInt(protocol, 'protocol', 'nn_socket')
  return new Descriptor(domain, protocol).s
}

/**
 * Closes a socket. Calls that wait for it are rejected with EBADF; messages that were accepted are delivered for up to
 * NN_LINGER milliseconds, also when the process ends.
 *
 * @throws {NanomsgError} EBADF
 */
export function nn_close(s: number): 0 {
  checkInt(s, 's', 'nn_close')
  checked(native.close(s), 'nn_close')
  descriptorOf(s)?.close()
  return 0
}

function attach(call: 'bind' | 'connect', s: number, address: unknown): number {
  const syscall = `nn_${call}`
  checkInt(s, 's', syscall)
  if (typeof address !== 'string') throw invalid(syscall, 'address', 'a string such as "tcp://127.0.0.1:5555"', address)
  return checked(native[call](s, address), syscall, JSON.stringify(address))
}

/**
 * Listens at an address.
 *
 * @returns the endpoint's id, for nn_shutdown() and nn_endpoint_address()
 * @throws {NanomsgError} EBADF, EINVAL, ENAMETOOLONG, EPROTONOSUPPORT, ENODEV, EADDRINUSE, EADDRNOTAVAIL, EACCES, …
 */
export const nn_bind = (s: number, address: string): number => attach('bind', s, address)

/**
 * Connects to an address, in the background, and again whenever the connection is lost.
 *
 * @returns the endpoint's id, for nn_shutdown()
 * @throws {NanomsgError} EBADF, EINVAL, ENAMETOOLONG, EPROTONOSUPPORT, ENODEV
 */
export const nn_connect = (s: number, address: string): number => attach('connect', s, address)

/**
 * Removes an endpoint and its connections.
 *
 * @throws {NanomsgError} EBADF; EINVAL when the socket has no such endpoint
 */
export function nn_shutdown(s: number, endpoint: number): 0 {
  checkInt(s, 's', 'nn_shutdown')
  checkInt(endpoint, 'endpoint', 'nn_shutdown')
  checked(native.shutdown(s, endpoint), 'nn_shutdown')
  return 0
}

/**
 * Where an endpoint is bound or connected, with the port that the system chose for tcp://127.0.0.1:0.
 *
 * @throws {NanomsgError} EBADF; EINVAL when the socket has no such endpoint
 */
export function nn_endpoint_address(s: number, endpoint: number): string {
  checkInt(s, 's', 'nn_endpoint_address')
  checkInt(endpoint, 'endpoint', 'nn_endpoint_address')
  const address = native.address(s, endpoint)
  if (typeof address === 'number') throw failure(-address, 'nn_endpoint_address')
  return address
}

/**
 * A counter of the socket.
 *
 * @param statistic such as NN_STAT_MESSAGES_SENT
 * @throws {NanomsgError} EBADF; EINVAL when there is no such counter
 */
export function nn_get_statistic(s: number, statistic: number): number {
  checkInt(s, 's', 'nn_get_statistic')
  checkInt(statistic, 'statistic', 'nn_get_statistic')
  const result = native.statistic(s, statistic)
  if (typeof result === 'number') throw failure(-result, 'nn_get_statistic')
  return result.value
}

/** Closes all sockets of the process, those of other threads and of the classes included. From then on nn_socket()
 * fails with ETERM. */
export function nn_term(): void {
  flush()
  native.term()
}

/** A text for an error's number. */
export function nn_strerror(errno: number): string {
  checkInt(errno, 'errno', 'nn_strerror')
  return native.strerror(errno)
}
