import { constants } from 'node:os'
import { getSystemErrorName } from 'node:util'
import { EFSM, ETERM } from './constants.js'
import { native } from './native.js'
import { shortageHints } from './shortages.js'

/** A call that failed, as Node reports failed system calls. */
export class NanomsgError extends Error {
  /** The error's name, such as `'EADDRINUSE'`, `'ETIMEDOUT'` or `'EFSM'`. */
  readonly code: string
  /** Its number on this platform. */
  readonly errno: number
  /** What was called: `'bind'`, `'send'`, ... */
  readonly syscall: string

  constructor(message: string, { code, errno, syscall }: { code: string; errno: number; syscall: string }) {
    super(message)
    this.code = code
    this.errno = errno
    this.syscall = syscall
  }
}
Object.defineProperty(NanomsgError.prototype, 'name', { value: 'NanomsgError', configurable: true, writable: true })

const ownCodes: Readonly<Record<number, string>> = { [EFSM]: 'EFSM', [ETERM]: 'ETERM' }

export function codeOf(errno: number): string {
  const own = ownCodes[errno]
  if (own !== undefined) return own
  const name = getSystemErrorName(-errno)
  return name.startsWith('Unknown') ? `E${errno}` : name
}

const withoutTls =
  'This build has no TLS: it uses the OpenSSL 3 of Node.js itself. With such a Node.js, run: npx --no nanomsg-native-build. Elsewhere use the classes of nanomsg-native, which take TLS from node:tls'
const missingFile = 'A text in the option tls that is not PEM names a file, which must exist'

/** What to do about it, where the code alone does not say; by the code, or by the call and the code. */
const hints: Readonly<Record<string, string>> = {
  ...shortageHints,
  'bind EADDRINUSE': 'Another socket is bound there: close it, or choose port 0 and read the endpoint’s address',
  'bind EADDRNOTAVAIL': 'No interface of this machine has that address',
  'bind EACCES': 'Choose a port from 1024 on, or a folder that this process may write to',
  'bind ENODEV': 'No interface of that name, or none with an address of the family in use (see the option ipv6)',
  'connect ENODEV': 'No interface of that name, or none with an address of the family in use (see the option ipv6)',
  'bind EPROTONOSUPPORT':
    'Addresses begin with tcp://, tls+tcp://, ws://, wss://, ipc:// or inproc://, or as registerTransport() was told',
  'connect EPROTONOSUPPORT':
    'Addresses begin with tcp://, tls+tcp://, ws://, wss://, ipc:// or inproc://, or as registerTransport() was told',
  'bind EPROTONOSUPPORT of TLS': withoutTls,
  'connect EPROTONOSUPPORT of TLS': withoutTls,
  'bind EINVAL': 'Write addresses as tcp://127.0.0.1:5555, tcp://*:0, ipc:///tmp/name or inproc://name',
  'connect EINVAL': 'Write addresses as tcp://host:5555, ipc:///tmp/name or inproc://name',
  'bind EINVAL of TLS':
    'Write addresses as tls+tcp://127.0.0.1:5555 or wss://127.0.0.1:5555/path. The option tls needs cert and its key, and with requireClientCertificate ca: PEM without a password, or names of files with it',
  'connect EINVAL of TLS':
    'Write addresses as tls+tcp://host:5555 or wss://host:5555/path. In the option tls, ca, cert and its key are PEM without a password, or names of files with it',
  'bind ENOENT of TLS': missingFile,
  'connect ENOENT of TLS': missingFile,
  'bind EACCES of TLS': 'Choose a port from 1024 on, and name files in the option tls that this process may read',
  'connect EACCES of TLS': 'Name files in the option tls that this process may read',
  'bind ENAMETOOLONG': 'Addresses have at most 127 bytes, and paths of ipc as many as the system allows',
  'connect ENAMETOOLONG': 'Addresses have at most 127 bytes, and paths of ipc as many as the system allows',
  'send EFSM': 'Receive a request before you reply to it',
  'receive EFSM': 'Send a request (or a survey) before you receive an answer to it',
  'receive ETIMEDOUT': 'No message came in time',
  'send ETIMEDOUT': 'No peer could take the message in time',
  'socket ETERM': 'nn_term() was called: this process opens no sockets any more',
  'socket EAFNOSUPPORT': 'The domain is AF_SP or AF_SP_RAW',
  'socket EINVAL': 'The protocol is one of NN_PAIR, NN_BUS, NN_REQ, NN_REP, NN_PUB, NN_SUB, NN_PUSH, NN_PULL, …',
  'send ENOTSUP': 'Sockets of this type only receive',
  'receive ENOTSUP': 'Sockets of this type only send',
  'send EAGAIN': 'No peer can take a message now',
  'receive EAGAIN': 'There is no message now',
  'connect ECONNREFUSED': 'Nobody listens there now; the socket tries again',
  'connect ENOENT': 'Nobody listens there now; the socket tries again',
  'reject EPROTOTYPE': 'The peer is a socket of a type that does not go with this one',
  'reject EPROTO': 'The peer does not speak this protocol',
  'reject EACCES': 'One of the two does not accept the other’s certificate: see the option tls',
  'reject EBUSY': 'A Pair has one peer at a time',
  'reject ETIMEDOUT': 'The peer did not say what it is in time',
  'reject ECONNRESET': 'The peer has left before it was admitted: perhaps the types do not go together, or it is taken',
  'disconnect EMSGSIZE': 'The peer sent more than maxMessageSize allows',
  'disconnect EPROTO': 'The peer does not keep to the protocol',
  'disconnect EILSEQ': 'The peer sent text over WebSocket that is not UTF-8',
  'nn_poll ENOPROTOOPT': 'NN_POLLIN is for types that receive, NN_POLLOUT for those that send',
  'nn_device EINVAL': 'Both sockets are AF_SP_RAW, and of types that talk to each other, such as NN_REP and NN_REQ',
  'nn_shutdown EINVAL': 'The socket has no such endpoint: take what nn_bind() or nn_connect() has returned',
  'nn_setsockopt ENOPROTOOPT': 'Sockets of this type have no such option at this level, or it can only be read',
  'nn_getsockopt ENOPROTOOPT': 'Sockets of this type have no such option at this level, or it can only be set',
  'nn_setsockopt EINVAL': 'The value is out of the option’s range, or of the wrong size',
}

/** Functions of the C API have the hints of those that do the same. */
const sameHints: Readonly<Record<string, string>> = {
  nn_bind: 'bind',
  nn_connect: 'connect',
  nn_socket: 'socket',
  nn_send: 'send',
  nn_sendmsg: 'send',
  nn_recv: 'receive',
  nn_recvmsg: 'receive',
}

/** Whether it is an address, or begins with one as a message shows it, whose connections are encrypted. */
export const isOfTls = (subject: string): boolean => /^"?(tls\+tcp|wss):/.test(subject)

/**
 * @param errno a positive number
 * @param subject what the call was about, such as an address
 */
export function errnoError(errno: number, syscall: string, subject = ''): NanomsgError {
  const code = codeOf(errno)
  const call = `${sameHints[syscall] ?? syscall} ${code}`
  const hint = (isOfTls(subject) && hints[`${call} of TLS`]) || (hints[call] ?? hints[code])
  const message = `${code}: ${native.strerror(errno)}, ${syscall}${subject && ` ${subject}`}`
  return new NanomsgError(hint === undefined ? message : `${message}. ${hint}.`, { code, errno, syscall })
}

/** An argument of the wrong type or range. `expectation` completes the sentence "... must be". */
export function argumentError(syscall: string, name: string, expectation: string, value: unknown): NanomsgError {
  const got = typeof value === 'object' && value !== null ? 'another object' : inspectBriefly(value)
  const errno = constants.errno.EINVAL
  return new NanomsgError(`EINVAL: ${name} must be ${expectation}, not ${got}, ${syscall}`, {
    code: 'EINVAL',
    errno,
    syscall,
  })
}

function inspectBriefly(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 64 ? `${value.slice(0, 64)}…` : value)
  if (typeof value === 'bigint') return `${value}n`
  return typeof value === 'function' ? 'a function' : String(value)
}

/** The result of a function of the binding, or its error. */
export function check(result: number, syscall: string, subject?: string): number {
  if (result < 0) throw errnoError(-result, syscall, subject)
  return result
}
