/** Sockets are made as the npm package makes them: with `new`, by a class that extends `Socket`, or by a function that
 * calls it for its own object, as constructors did before there were classes. */
import { Socket as SocketClass, type SocketOptions } from './socket.js'
import type { SocketType } from './types.js'

function construct(this: unknown, type: SocketType, options?: SocketOptions | null): SocketClass {
  if (new.target !== undefined) return Reflect.construct(SocketClass, [type, options], new.target) as SocketClass
  return new SocketClass(type, options, this instanceof SocketClass ? this : undefined)
}
construct.prototype = SocketClass.prototype
Object.defineProperty(construct, 'name', { value: 'Socket' })
Object.defineProperty(SocketClass.prototype, 'constructor', { value: construct, configurable: true, writable: true })

export type Socket = SocketClass
/** A socket as a stream of messages. */
export const Socket = construct as unknown as typeof SocketClass &
  ((this: SocketClass, type: SocketType, options?: SocketOptions | null) => void)
