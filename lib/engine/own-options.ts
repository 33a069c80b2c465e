import { argumentError } from './errors.js'
import { isRevoked, REVOKED } from './proxies.js'

/**
 * The own properties of an options object, each read once, and no others: what the program has put on Object.prototype
 * is no option. A getter that throws throws here. What is no object is given back, for the caller to refuse.
 */
export function ownOptions<T>(options: T, syscall: string, name = 'options'): T {
  if (isRevoked(options)) throw argumentError(syscall, name, 'an object that can be read', REVOKED)
  if (typeof options !== 'object' || options === null) return options
  return { __proto__: null, ...options }
}

/** A property that an object of a class may inherit, but from no further up than that: undefined when it would be
 * Object.prototype's. */
export function memberOf<Owner extends object, Name extends string & keyof Owner>(
  owner: Owner,
  name: Name,
): Owner[Name] | undefined {
  for (
    let object: object | null = owner;
    object !== null && object !== Object.prototype;
    object = Object.getPrototypeOf(object)
  ) {
    if (Object.hasOwn(object, name)) return owner[name]
  }
  return undefined
}
