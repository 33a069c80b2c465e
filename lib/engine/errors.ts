import { constants } from 'node:os'
import { getSystemErrorName } from 'node:util'
import { EFSM, ETERM } from './constants.js'
import { hints, texts } from './error-texts.js'
import { native } from './native.js'
import { isInstance } from './proxies.js'

/** What the engine knew when a call failed. Each is undefined where it says nothing about that call. */
export interface Circumstances {
  /** Peers that were connected. */
  readonly peers?: number
  /** Attempts to connect that have failed since the socket was opened. */
  readonly attempts?: number
  /** How often the request was sent to a peer. */
  readonly sent?: number
  /** How many peers have gone away while they had the request. */
  readonly lost?: number
  /** What has last failed with the socket's connections, such as an attempt to connect. */
  readonly lastFailure?: NanomsgError
}

/** A call that failed, as Node reports failed system calls. */
export class NanomsgError extends Error {
  /** The error's name, such as `'EADDRINUSE'`, `'ETIMEDOUT'` or `'EFSM'`. */
  readonly code: string
  /** Its number on this platform. */
  readonly errno: number
  /** What was called: `'bind'`, `'send'`, ... */
  readonly syscall: string
  /** Of a call that was given up: peers that were connected then. */
  declare readonly peers?: number
  /** The same: attempts to connect that had failed since the socket was opened. */
  declare readonly attempts?: number
  /** Of a request: how often it was sent to a peer. */
  declare readonly sent?: number
  /** Of a request that has failed with ECONNRESET: how many peers have gone away while they had it. */
  declare readonly lost?: number
  /** What had failed last with the socket's connections, such as an attempt to connect. */
  declare readonly lastFailure?: NanomsgError

  constructor(
    message: string,
    { code, errno, syscall, ...circumstances }: { code: string; errno: number; syscall: string } & Circumstances,
  ) {
    super(message)
    this.code = code
    this.errno = errno
    this.syscall = syscall
    Object.assign(this, circumstances)
  }
}
Object.defineProperty(NanomsgError.prototype, 'name', { value: 'NanomsgError', configurable: true, writable: true })

const ownCodes: Readonly<Record<number, string>> = { [EFSM]: 'EFSM', [ETERM]: 'ETERM' }

/** libuv has numbers of its own on Windows; the engine's are those of the C library there, as everywhere. */
function nameOnWindows(errno: number): string {
  const found = Object.entries(constants.errno).find(([name, number]) => number === errno && !name.startsWith('WSA'))
  return found?.[0] ?? `E${errno}`
}

export function codeOf(errno: number): string {
  const own = ownCodes[errno]
  if (own !== undefined) return own
  if (process.platform === 'win32') return nameOnWindows(errno)
  const name = getSystemErrorName(-errno)
  return name.startsWith('Unknown') ? `E${errno}` : name
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

/** What the texts for an address depend on. */
function kindOf(subject: string): string {
  if (isOfTls(subject)) return ' of TLS'
  return /^"?ipc:/.test(subject) ? ' of ipc' : ''
}

/** What a message says besides, where its maker knows more than the code does. */
export interface ErrorDetails extends Circumstances {
  /** The code, where it is not that of the errno. */
  readonly code?: string
  /** What has happened, instead of the usual text. */
  readonly text?: string
  /** What to do, instead of the usual hint. */
  readonly hint?: string
}

/**
 * @param errno a positive number
 * @param subject what the call was about, such as an address
 */
export function errnoError(errno: number, syscall: string, subject = '', details: ErrorDetails = {}): NanomsgError {
  const { code = codeOf(errno), text, hint, ...circumstances } = details
  const kind = kindOf(subject)
  const find = (table: Readonly<Record<string, string>>, call: string) =>
    table[`${call} ${code}${kind}`] ?? table[`${call} ${code}`]
  const what = text ?? find(texts, syscall) ?? native.strerror(errno)
  const advice = hint ?? find(hints, syscall) ?? find(hints, sameHints[syscall] ?? syscall) ?? hints[code]
  const message = `${code}: ${what}, ${syscall}${subject && ` ${subject}`}`
  return new NanomsgError(advice ? `${message}. ${advice}.` : message, { code, errno, syscall, ...circumstances })
}

/** The socket is closed, or closes while the call waits. */
export const closedError = (syscall: string): NanomsgError =>
  errnoError(constants.errno.EBADF, syscall, '(the socket is closed)', {
    hint: 'Open a new one: what is closed stays closed',
  })

/** The promise of a call that waited, whose error gets the stack of what awaits it: that of the timer which has ended
 * the wait says nothing. The reason of a signal is its program's, and stays as it is. */
export async function traced<Result>(promise: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  try {
    return await promise
  } catch (error) {
    const isOfSignal = signal?.aborted === true && error === signal.reason
    if (!isOfSignal && isInstance(error, NanomsgError)) Error.captureStackTrace(error, traced)
    throw error
  }
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
