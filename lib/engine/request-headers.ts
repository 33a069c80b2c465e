import { argumentError } from './errors.js'

const MAX_BYTES = 3072

export type RequestHeaders = Readonly<Record<string, string>>

/** What a name consists of (RFC 9110, section 5.6.2). */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** Tab, and what is visible in Latin-1, as in the headers of node:http. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
const OURS =
  /^(host|upgrade|connection|content-length|transfer-encoding|te|trailer|expect|keep-alive|proxy-connection|sec-websocket-.*)$/i

function lineOf(name: string, value: unknown): string {
  if (!TOKEN.test(name)) throw argumentError('setsockopt', 'a name in requestHeaders', 'the name of a header', name)
  if (OURS.test(name)) throw argumentError('setsockopt', 'a name in requestHeaders', 'none that connecting sets', name)
  if (typeof value !== 'string' || !VALUE.test(value)) {
    // What is not shown may be a password.
    const shown = typeof value === 'string' ? {} : value
    throw argumentError('setsockopt', `requestHeaders[${JSON.stringify(name)}]`, 'a string on one line', shown)
  }
  return `${name}: ${value}\r\n`
}

/** The lines that the engine adds to its requests. */
export function requestHeaderLines(headers: unknown): Buffer {
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers)) {
    throw argumentError('setsockopt', 'requestHeaders', 'an object of strings', headers)
  }
  const lines = Object.entries(headers).map(([name, value]) => lineOf(name, value))
  const bytes = Buffer.from(lines.join(''), 'latin1')
  if (bytes.length > MAX_BYTES) {
    throw argumentError('setsockopt', 'requestHeaders', `at most ${MAX_BYTES} bytes`, headers)
  }
  return bytes
}
