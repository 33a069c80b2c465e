import { argumentError } from './errors.js'
import { isArray } from './proxies.js'

/** As NN_WS_ORIGINS_MAX, without what the list begins with. */
const MAX_BYTES = 65536 - 5

/** What browsers send in Origin: a scheme and a host, with a port where it is not the usual one. */
const ORIGIN = /^[a-z0-9+.-]+:\/\/[^\s/?#@,\x80-\uffff]+$/i

const EXPECTATION = 'an origin such as "https://example.org:8443" (without a path), "null" or "*"'

/** What the engine gets: the origins besides that of the server itself. */
export function originList(given: unknown, syscall: string): { origins: readonly string[]; list: Buffer } {
  if (!isArray(given)) throw argumentError(syscall, 'origins', 'an array of strings', given)
  const origins = Array.from(given)
  for (const [i, origin] of origins.entries()) {
    const isKnown = typeof origin === 'string' && (origin === '*' || origin === 'null' || ORIGIN.test(origin))
    if (!isKnown) throw argumentError(syscall, `origins[${i}]`, EXPECTATION, origin)
  }
  const list = Buffer.from(['self', ...origins].join(' '))
  if (list.length > MAX_BYTES) throw argumentError(syscall, 'origins', `at most ${MAX_BYTES} bytes`, origins.length)
  return { origins: Object.freeze(origins as string[]), list }
}
