/** An array whose memory is gone looks like an empty one, but cannot be copied from. */
export function isGone(array: Uint8Array): boolean {
  try {
    new Uint8Array(0).set(array)
    return false
  } catch {
    return true
  }
}

const { get } = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), 'length')!

/** The length of an array as V8 knows it: a subclass, or a property of the array, may say another. */
export const lengthOf = Function.prototype.call.bind(get!) as (bytes: Uint8Array) => number
