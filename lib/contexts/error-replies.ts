/**
 * Replies that carry an error. The protocols of the family have none, so this is a convention of two programs that both
 * ask for it: `request(…, { expectErrors: true })` and `serve(…, { replyErrors: true })`.
 *
 * A request begins with MARK, and so does its reply, behind which comes a byte: OK and the body, or FAILED and JSON of
 * { name, message, code }. A reply is marked only if its request was, so that other peers never see a mark.
 */
import { NanomsgError } from '../engine/errors.js'
import { noteCopied } from '../engine/slabs.js'
import type { Body, Bytes } from '../messages/bytes.js'

const MARK = Buffer.from('\0nn-err1', 'latin1')
const OK = Buffer.concat([MARK, Buffer.of(0)])
const FAILED = Buffer.concat([MARK, Buffer.of(1)])
/** Of each text in an error reply. */
const MAX_TEXT_LENGTH = 4096
/** Linux's number; it is the same wherever the error is made. */
const EREMOTEIO = 121
const EPROTO = 71

/** What a server says of a handler that has failed. */
export interface RemoteFailure {
  /** The error's class, such as `'TypeError'`. */
  readonly name: string
  readonly message: string
  /** Its `code`, if it had one that is a string. */
  readonly code?: string | undefined
}

/** The handler of a request has failed at the server, which says so (`replyErrors`). */
export class RemoteError extends NanomsgError {
  readonly remote: RemoteFailure

  constructor(remote: RemoteFailure) {
    super(`EREMOTEIO: The handler of the request failed at its server, request: ${remote.name}: ${remote.message}`, {
      code: 'EREMOTEIO',
      errno: EREMOTEIO,
      syscall: 'request',
    })
    this.remote = remote
  }
}
Object.defineProperty(RemoteError.prototype, 'name', { value: 'RemoteError', configurable: true, writable: true })

const partsOf = (body: Body): readonly Bytes[] => (Array.isArray(body) ? body : [body as Bytes])

export const markRequest = (body: Body): Body => [MARK, ...partsOf(body)]
export const markReply = (body: Body): Body => [OK, ...partsOf(body)]

const startsWith = (body: Buffer, mark: Buffer): boolean =>
  body.length >= mark.length && mark.equals(body.subarray(0, mark.length))

/** The body of a marked request; undefined when it has no mark. */
export const unmarkRequest = (body: Buffer): Buffer | undefined =>
  startsWith(body, MARK) ? noteCopied(body.subarray(MARK.length)) : undefined

const textOf = (value: unknown): string => (typeof value === 'string' ? value.slice(0, MAX_TEXT_LENGTH) : '')

/** The reply to a marked request whose handler has failed. Its stack stays here. */
export function errorReply(error: unknown): Body {
  const failure = { name: 'Error', message: 'the handler failed', code: undefined as string | undefined }
  try {
    if (error instanceof Error) {
      failure.name = textOf(error.name) || 'Error'
      failure.message = textOf(error.message)
      failure.code = textOf((error as { code?: unknown }).code) || undefined
    } else {
      failure.message = textOf(String(error))
    }
  } catch {
    // Reading a property of the error has thrown.
  }
  return [FAILED, JSON.stringify(failure)]
}

function remoteFailureOf(text: string): RemoteFailure | undefined {
  try {
    const { name, message, code } = JSON.parse(text)
    if (typeof name !== 'string' || typeof message !== 'string') return undefined
    return { name: textOf(name), message: textOf(message), code: textOf(code) || undefined }
  } catch {
    return undefined
  }
}

function malformed(what: string): NanomsgError {
  return new NanomsgError(
    `EPROTO: ${what}, request. expectErrors needs a server with serve(…, { replyErrors: true }).`,
    {
      code: 'EPROTO',
      errno: EPROTO,
      syscall: 'request',
    },
  )
}

/** The body of a marked reply. Throws the error that it carries, or EPROTO when it has no mark. */
export function unmarkReply(reply: Buffer): Buffer {
  if (startsWith(reply, OK)) return noteCopied(reply.subarray(OK.length))
  if (!startsWith(reply, FAILED)) throw malformed('The reply does not follow the convention for errors')
  const failure = remoteFailureOf(reply.toString('utf8', FAILED.length))
  throw failure === undefined ? malformed('The reply carries an error that cannot be read') : new RemoteError(failure)
}
