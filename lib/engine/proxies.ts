/** Values of callers that may be Proxies. */

/** Whether it is a Proxy that was revoked: whatever is done with it throws a TypeError of V8. */
export function isRevoked(value: unknown): boolean {
  try {
    // Runs no code of the caller's, also where it is a Proxy.
    Array.isArray(value)
    return false
  } catch {
    return true
  }
}

/**
 * Whether it is a Proxy that was revoked, or inherits from one: to read a property that it does not have itself, or to
 * ask for its class, throws a TypeError of V8. What a trap of a Proxy throws is thrown.
 */
export function inheritsRevoked(value: unknown): boolean {
  for (let object = value; isObject(object); object = Object.getPrototypeOf(object)) {
    if (isRevoked(object)) return true
  }
  return false
}

const isObject = (value: unknown): value is object =>
  typeof value === 'function' || (typeof value === 'object' && value !== null)

/** As `instanceof`, which throws for a Proxy that was revoked. */
export const isInstance = <Kind>(value: unknown, type: abstract new (...args: never[]) => Kind): value is Kind =>
  !inheritsRevoked(value) && value instanceof type

/** Whether it can be called: the type of a Proxy that was revoked remains `function`. */
export const isFunction = (value: unknown): value is (...args: never[]) => unknown =>
  typeof value === 'function' && !isRevoked(value)

/** As Array.isArray(), which throws when it is given a Proxy that was revoked. */
export const isArray = (value: unknown): value is readonly unknown[] => !isRevoked(value) && Array.isArray(value)

/** What a message shows instead of one. */
export const REVOKED = 'a Proxy that was revoked'
