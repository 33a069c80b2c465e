import { EventEmitter } from 'node:events'
import type { NanomsgError } from '../engine/errors.js'
import { isInstance } from '../engine/proxies.js'
import { nn_device } from '../nn/device.js'
import { invalid, SocketError } from './errors.js'
import { Socket } from './socket.js'

/** Forwards messages between two raw sockets, or from one back to itself, until a socket is closed or term() is called:
 * then it emits an error. */
export class Device extends EventEmitter {
  readonly sock1: Socket
  readonly sock2: Socket | undefined
  readonly s1: number
  readonly s2: number

  constructor(sock1: Socket, sock2?: Socket) {
    super()
    if (!isInstance(sock1, Socket)) throw invalid(new Error('expected at least one Socket argument'), 'device')
    this.sock1 = sock1
    this.sock2 = sock2
    this.s1 = sock1.binding
    this.s2 = isInstance(sock2, Socket) ? sock2.binding : -1
    setImmediate(() => void nn_device(this.s1, this.s2).catch((error) => this.#end(error)))
  }

  #end({ errno }: NanomsgError): void {
    // Not within a promise, which would keep an error without a listener.
    process.nextTick(() => this.emit('error', new SocketError(errno, 'device', (text) => `lib err: ${errno}\n${text}`)))
  }
}
