/** With NODE_DEBUG=nanomsg: names that a program in JavaScript has misspelt, which nothing refuses, since objects stay
 * open for fields of subclasses and for spies of test runners. */

import { tell } from '../../connections/debug.js'
import { eventNames } from '../../connections/events.js'
import { closest } from '../../engine/closest.js'

/** The place in the program that a call comes from. */
function callerOf(above: (...args: never[]) => unknown): string {
  const trace: { stack?: string } = {}
  Error.captureStackTrace(trace, above)
  return trace.stack?.split('\n')[1]?.trim() ?? ''
}

const ownEvents: readonly (string | symbol)[] = [...eventNames, 'newListener', 'removeListener']

/** An event that is listened to and never emitted. */
export function tellUnknownEvent(socket: object, event: unknown): void {
  if (typeof event !== 'string' || ownEvents.includes(event)) return
  const meant = closest(event, eventNames)
  const question = meant === undefined ? `they are ${eventNames.join(', ')}` : `did you mean ${meant}?`
  tell(`${socket.constructor.name} has no event ${JSON.stringify(event)}: ${question}`)
}

/**
 * Has properties that are set on the prototype's objects looked at, when they are new and almost have the name of an
 * option. The object in between is asked for a property that neither the object nor its classes have.
 */
export function watchProperties(prototype: object, namesOf: (object: object) => readonly string[]): void {
  function set(target: object, name: string | symbol, value: unknown, object: object): boolean {
    const isOurs = typeof name === 'symbol' || name.startsWith('_') // those of EventEmitter begin so
    const meant = isOurs ? undefined : closest(name, namesOf(object))
    if (meant !== undefined) {
      tell(`${object.constructor.name} has no option ${String(name)}: did you mean ${meant}? ${callerOf(set)}`)
    }
    return Reflect.set(target, name, value, object)
  }
  Object.setPrototypeOf(prototype, new Proxy(Object.create(Object.getPrototypeOf(prototype)), { set }))
}
