/** In place of the npm package `nanomsg`: sockets as streams, in its words. */
import { nn_term } from '../nn/sockets.js'
import { bindings } from './bindings.js'
import { Socket } from './constructor.js'
import { Device } from './device.js'
import type { SocketOptions } from './socket.js'
import type { SocketType } from './types.js'

export { Socket } from './constructor.js'
export type { SocketError } from './errors.js'
export type { NumberMethod, SocketOptions, SocketOptions as Options } from './socket.js'
export type { Domain, Protocol, SocketType } from './types.js'
export { Device }

/** Functions of the C API, and its constants. */
export const _bindings = bindings

/** Opens a socket of a type such as 'req'. */
export const createSocket = (type: SocketType, options?: SocketOptions | null): Socket => new Socket(type, options)
export const socket = createSocket

/** Forwards messages between two raw sockets, or from one back to itself. */
export const createDevice = (sock1: Socket, sock2?: Socket): Device => new Device(sock1, sock2)
export const device = createDevice

/** The i-th constant of the library. Throws when there are no more. */
export const symbol = (i: number): { value: number; name: string } => bindings.Symbol(i)

/** The same with namespace, type and unit; undefined when there are no more. */
export const symbolInfo = (i: number) => bindings.SymbolInfo(i)

/** Closes all sockets of the process; no more can be opened. */
export const term = (): void => nn_term()

export default { _bindings, Socket, createSocket, socket, Device, createDevice, device, symbol, symbolInfo, term }
