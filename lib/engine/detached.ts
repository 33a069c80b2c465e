/** An array whose memory is gone looks like an empty one, but cannot be copied from. */
export function isGone(array: Uint8Array): boolean {
  try {
    new Uint8Array(0).set(array)
    return false
  } catch {
    return true
  }
}
