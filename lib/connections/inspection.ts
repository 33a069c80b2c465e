/** What console.log() shows of our objects. */
import { inspect } from 'node:util'

export { inspect }

export type Inspect = typeof inspect

/** The name of the object's class, and what it says of itself; nested too deep, the name alone. */
export function inspected(object: object, content: object, depth: number, options: object, show: Inspect): string {
  const { name } = object.constructor
  return depth < 0 ? `[${name}]` : `${name} ${show(content, options)}`
}
