import type { SocketEvents } from '../connections/events.js'
import { codeOf, textOf } from './error-texts.js'
import { Exit } from './exit.js'
import type { Attaching } from './hints.js'
import type { Settings, SocketType } from './options.js'

/** What of a socket's statistics is shown. */
export interface Counts {
  messagesSent: number
  messagesReceived: number
  bytesSent: number
  bytesReceived: number
  currentConnections: number
}

/** What nanocat needs of a socket. Which of `send`, `receive` and `subscribe` there are depends on its type. */
export interface CatSocket {
  sendTimeout: number
  receiveTimeout: number
  name: string
  tls: object
  stats(): Counts
  on<Type extends keyof SocketEvents>(type: Type, listener: (...event: SocketEvents[Type]) => void): unknown
  bind(address: string): { readonly address: string }
  connect(address: string): unknown
  close(options?: { linger?: number }): Promise<void>
  send(body: Uint8Array | string): Promise<void>
  receive(options?: { timeout?: number }): Promise<Uint8Array>
  subscribe(...prefixes: string[]): unknown
}

/** The package's exports: socket classes by name, among others. */
export type SocketModule = Readonly<Record<string, unknown>>

const classNames: Readonly<Record<SocketType, string>> = {
  push: 'Push',
  pull: 'Pull',
  pub: 'Pub',
  sub: 'Sub',
  req: 'Req',
  rep: 'Rep',
  surveyor: 'Surveyor',
  respondent: 'Respondent',
  bus: 'Bus',
  pair: 'Pair',
}

/** What the original says of it, and on a line of its own what can be done about it. */
export function failed(attempt: string, error: unknown, hint?: string): Exit {
  return new Exit(3, `${attempt}: ${textOf(error)}\n${hint === undefined ? '' : `${hint}\n`}`)
}

function orFail<Result>(attempt: string, action: () => Result): Result {
  try {
    return action()
  } catch (error) {
    throw failed(attempt, error)
  }
}

export async function createSocket(type: SocketType, load: () => Promise<SocketModule>): Promise<CatSocket> {
  const sockets = await load().catch((error) => {
    throw failed("Can't create socket", error)
  })
  const SocketClass = sockets[classNames[type]] as (new () => CatSocket) | undefined
  return orFail("Can't create socket", () => {
    if (SocketClass === undefined) throw new Error(`this version has no ${classNames[type]} sockets`)
    return new SocketClass()
  })
}

/** Sets what the command line asks for, in the original's order: the first refusal is the one reported. */
export function configure(socket: CatSocket, settings: Settings): void {
  const { sendTimeout, receiveTimeout, socketName, subscriptions } = settings
  if (sendTimeout !== undefined) {
    orFail("Can't set send timeout", () => {
      socket.sendTimeout = sendTimeout
    })
  }
  if (receiveTimeout !== undefined) {
    orFail("Can't set recv timeout", () => {
      socket.receiveTimeout = receiveTimeout
    })
  }
  if (socketName !== undefined) {
    orFail("Can't set socket name", () => {
      socket.name = socketName
    })
  }
  if (Object.keys(settings.tls).length > 0) {
    orFail("Can't use TLS", () => {
      socket.tls = settings.tls
    })
  }
  if (settings.socketType === 'sub') {
    const prefixes = subscriptions.length > 0 ? subscriptions : ['']
    orFail("Can't subscribe", () => socket.subscribe(...prefixes))
  }
}

/** Binds or connects to an address; what is wrong with one that is refused is explained. */
export async function attachTo<Result>(address: string, attaching: Attaching, action: () => Result): Promise<Result> {
  try {
    return action()
  } catch (error) {
    const { hintOnAddress } = await import('./hints.js')
    throw failed(`Can't ${attaching}`, error, hintOnAddress(address, attaching, codeOf(error)))
  }
}

/** Binds, then connects, and reports each when asked to. */
export async function attach(socket: CatSocket, settings: Settings, report: (text: string) => void): Promise<void> {
  for (const address of settings.binds) {
    const endpoint = await attachTo(address, 'bind', () => socket.bind(address))
    report(`listening on ${endpoint.address}`)
  }
  for (const address of settings.connects) {
    await attachTo(address, 'connect', () => socket.connect(address))
    report(`connecting to ${address}`)
  }
}

function hintOnSending(socket: CatSocket, error: unknown): string | undefined {
  const hasWaitedWithoutPeer = codeOf(error) === 'ETIMEDOUT' && socket.stats().currentConnections === 0
  return hasWaitedWithoutPeer ? 'no peer is connected' : undefined
}

/** Sends; a message that finds no room is reported and forgotten, as the original does. */
export async function send(socket: CatSocket, body: Uint8Array | string, warn: (text: string) => void): Promise<void> {
  try {
    await socket.send(body)
  } catch (error) {
    if (codeOf(error) !== 'EAGAIN') throw failed("Can't send", error, hintOnSending(socket, error))
    warn('Message not sent (EAGAIN)\n')
  }
}

const endsReceiving = new Set(['ETIMEDOUT', 'EAGAIN', 'EFSM'])

/** The next message, or undefined when none came in time or none can come in this state. */
export async function receiveIfAny(socket: CatSocket, timeout?: number): Promise<Uint8Array | undefined> {
  try {
    return await socket.receive(timeout === undefined ? undefined : { timeout })
  } catch (error) {
    if (endsReceiving.has(codeOf(error) ?? '')) return undefined
    throw failed("Can't recv", error)
  }
}

export async function receive(socket: CatSocket): Promise<Uint8Array> {
  try {
    return await socket.receive()
  } catch (error) {
    throw failed("Can't recv", error)
  }
}
