let last = 0

/** A number for a context that is not in use: it takes hours until it comes again. */
export function nextContext(): number {
  last = (last % 0x7fffffff) + 1
  return last
}
