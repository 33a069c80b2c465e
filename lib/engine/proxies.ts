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

/** As Array.isArray(), which throws when it is given a Proxy that was revoked. */
export const isArray = (value: unknown): value is readonly unknown[] => !isRevoked(value) && Array.isArray(value)

/** What a message shows instead of one. */
export const REVOKED = 'a Proxy that was revoked'
