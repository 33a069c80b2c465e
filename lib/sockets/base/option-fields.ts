import { closest } from '../../engine/closest.js'
import { argumentError, type NanomsgError } from '../../engine/errors.js'
import { options } from '../../engine/options.js'

/** The options that are no numbers or booleans. */
const others = new Set([
  'codec',
  'requestHeaders',
  'origins',
  'tls',
  'name',
  'admit',
  'admitTimeout',
  'ipcOwner',
  'keepAlive',
])

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

/** What zeromq.js calls options of ours. */
const otherNames: Readonly<Record<string, string>> = {
  sendHighWaterMark: 'sendBuffer',
  receiveHighWaterMark: 'receiveBuffer',
  reconnectMaxInterval: 'reconnectIntervalMax',
  sendBufferSize: 'sendBuffer',
  receiveBufferSize: 'receiveBuffer',
  maxMsgSize: 'maxMessageSize',
  noDelay: 'tcpNoDelay',
}

/** An option that the socket does not have, and the one that may be meant. */
export function unknownOption(name: string, names: readonly string[]): NanomsgError {
  const meant = (Object.hasOwn(otherNames, name) ? otherNames[name] : undefined) ?? closest(name, names)
  const question = meant === undefined ? '' : ` (did you mean ${meant}?)`
  return argumentError('socket', 'an option', `one of ${names.join(', ')}${question}`, name)
}

/** An option is a property that a socket's class can set. */
export function isOption(socket: object, name: string): boolean {
  return optionNames(socket).includes(name)
}

/** The options that a socket's class and those above it have. */
export function optionNames(socket: object): string[] {
  const names: string[] = []
  for (
    let prototype = Object.getPrototypeOf(socket);
    prototype !== Object.prototype;
    prototype = Object.getPrototypeOf(prototype)
  ) {
    for (const [name, { set }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (set !== undefined) names.push(name)
    }
  }
  return names
}
