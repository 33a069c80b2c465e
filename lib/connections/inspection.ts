/** What console.log() shows of our objects. */
import { inspect } from 'node:util'

export { inspect }

export type Inspect = typeof inspect

/** Programs can give an object another constructor, or none. */
function nameOf(object: object): string {
  try {
    return String(object.constructor.name)
  } catch {
    return 'Object'
  }
}

/** A Proxy, and what only inherits from one of our objects, have no content. */
function contentOf(read: () => object): object {
  try {
    return read()
  } catch {
    return {}
  }
}

/** The name of the object's class, and what it says of itself; nested too deep, the name alone. Throws nothing, since
 * programs show objects where they tell of errors. */
export function inspected(object: object, read: () => object, depth: number, options: object, show: Inspect): string {
  const name = nameOf(object)
  return depth < 0 ? `[${name}]` : `${name} ${show(contentOf(read), options)}`
}
