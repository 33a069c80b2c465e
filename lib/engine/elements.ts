/** Arrays of callers. */
import { argumentError } from './errors.js'

/** A Proxy may say that it has any number of elements. */
const MAX_ELEMENTS = 2 ** 24

export function checkCount(count: number, name: string, syscall: string): void {
  if (!(count <= MAX_ELEMENTS)) throw argumentError(syscall, name, `an array of at most ${MAX_ELEMENTS}`, count)
}

/** The elements of a caller's array, each read and checked once: later it may have others, or never have had these. */
export function elementsOf<T>(
  array: readonly unknown[],
  name: string,
  syscall: string,
  take: (element: unknown, name: string, syscall: string) => T,
  count: number = array.length,
): T[] {
  checkCount(count, name, syscall)
  const elements: T[] = []
  for (let i = 0; i < count; i++) elements.push(take(array[i], name, syscall))
  return elements
}
