import { once } from 'node:events'
import * as nano from 'nanomsg-native/compat'
import { nn_endpoint_address } from 'nanomsg-native/nn'

/** Sockets that are closed with their scope. */
export class Sockets {
  readonly #open: nano.Socket[] = []

  open(type: nano.SocketType, options?: nano.SocketOptions): nano.Socket {
    const socket = nano.socket(type, options)
    this.#open.push(socket)
    return socket
  }

  /** Opens one of each type; the first is bound, the others are connected to it. */
  connected(...types: nano.SocketType[]): nano.Socket[] {
    const [bound, ...others] = types.map((type) => this.open(type)) as [nano.Socket, ...nano.Socket[]]
    const address = newAddress()
    bound.bind(address)
    for (const socket of others) socket.connect(address)
    return [bound, ...others]
  }

  [Symbol.dispose](): void {
    for (const socket of this.#open) socket.close()
  }
}

let counter = 0

/** An address of this process without a bound socket. */
export const newAddress = (): string => `inproc://compat-${counter++}`

/** Binds to an address, and returns where that is. */
export const bindAny = (socket: nano.Socket, address: string): string =>
  nn_endpoint_address(socket.binding, socket.bind(address)!)

/** Binds to a port that the system chooses. */
export const bindTcp = (socket: nano.Socket): string => bindAny(socket, 'tcp://127.0.0.1:0')

/** The next `count` messages as text. */
export function texts(socket: nano.Socket, count: number): Promise<string[]> {
  const received: string[] = []
  return new Promise((resolve) => {
    socket.on('data', function collect(message: Buffer | string) {
      received.push(String(message))
      if (received.length < count) return
      socket.off('data', collect)
      resolve(received)
    })
  })
}

export const text = async (socket: nano.Socket): Promise<string> => (await texts(socket, 1))[0]!

/** The next error that a socket or device emits. */
export const errorOf = async (emitter: NodeJS.EventEmitter): Promise<Error & { code?: string }> =>
  (await once(emitter, 'error'))[0]

/** The next error that is not caught, which does not end the process this once. */
export async function uncaught(): Promise<unknown> {
  const handlers = process.rawListeners('uncaughtException') as NodeJS.UncaughtExceptionListener[]
  process.removeAllListeners('uncaughtException')
  try {
    return (await once(process, 'uncaughtException'))[0]
  } finally {
    for (const handler of handlers) process.on('uncaughtException', handler)
  }
}
