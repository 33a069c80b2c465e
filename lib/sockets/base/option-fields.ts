import { options } from '../../engine/options.js'

/** The options that are no numbers or booleans. */
const others = new Set(['requestHeaders', 'tls', 'name'])

/** Whether a name is that of an option which the object's class can set. */
function isSettable(prototype: object, name: string): boolean {
  if (!Object.hasOwn(options, name) && !others.has(name)) return false
  return Reflect.has(prototype, name)
}

/**
 * Sets the options that a class declares again as fields, such as `class Client extends Req { override receiveTimeout =
 * 500 }`: JavaScript gives the object a property of its own, which would hide the option. That property goes, so that
 * the option can be read and set as ever. A field without a value changes nothing.
 */
export function adoptOptionFields(socket: object): void {
  const prototype = Object.getPrototypeOf(socket)
  for (const name of Object.keys(socket)) {
    if (!isSettable(prototype, name)) continue
    const value = Reflect.get(socket, name)
    if (value !== undefined) Reflect.set(prototype, name, value, socket)
    Reflect.deleteProperty(socket, name)
  }
}
