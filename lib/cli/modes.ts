import { setImmediate, setTimeout } from 'node:timers/promises'
import type { Settings } from './options.js'
import { type CatSocket, receive, receiveIfAny, send } from './sockets.js'

/** A socket that is bound and connected, and the two ways to be heard. */
export interface Conversation {
  readonly socket: CatSocket
  readonly settings: Settings
  /** Aborted when the program has to end. */
  readonly signal: AbortSignal
  print(message: Uint8Array): Promise<void>
  warn(text: string): void
}

/** What goes on after binding and connecting; settles when there is nothing more to do. */
export type Mode = (conversation: Conversation) => Promise<void>

/** Waits at least until the event loop has turned: signals and peers get their chance in a busy loop too. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (milliseconds > 0) await setTimeout(milliseconds, undefined, { signal })
  else await setImmediate(undefined, { signal })
}

const bodyOf = ({ body }: Settings) => body ?? ''

async function sendRepeatedly({ socket, settings, signal, warn }: Conversation): Promise<void> {
  for (;;) {
    const started = performance.now()
    await send(socket, bodyOf(settings), warn)
    if (settings.interval === undefined) return
    await pause(started + settings.interval - performance.now(), signal)
  }
}

async function receiveAll({ socket, print }: Conversation): Promise<void> {
  for (;;) {
    const message = await receiveIfAny(socket)
    if (message === undefined) return
    await print(message)
  }
}

/** Asks and prints the answers; with an interval, asks again when it is over. */
async function ask(conversation: Conversation): Promise<void> {
  const { socket, settings, signal, warn } = conversation
  for (;;) {
    const started = performance.now()
    await send(socket, bodyOf(settings), warn)
    if (settings.interval === undefined) return await receiveAll(conversation)
    await receiveUntil(started + settings.interval, conversation)
    await pause(started + settings.interval - performance.now(), signal)
  }
}

async function receiveUntil(deadline: number, { socket, settings, print }: Conversation): Promise<void> {
  const patience = settings.receiveTimeout ?? Infinity
  for (let left = deadline - performance.now(); left > 0; left = deadline - performance.now()) {
    const message = await receiveIfAny(socket, Math.ceil(Math.min(left, patience)))
    if (message === undefined) return
    await print(message)
  }
}

async function answer({ socket, settings, print, warn }: Conversation): Promise<void> {
  for (;;) {
    await print(await receive(socket))
    await send(socket, bodyOf(settings), warn)
  }
}

export function modeOf({ socketType, body }: Settings): Mode {
  switch (socketType) {
    case 'push':
    case 'pub':
      return sendRepeatedly
    case 'req':
    case 'surveyor':
      return ask
    case 'pair':
    case 'bus':
      return body === undefined ? receiveAll : ask
    case 'rep':
    case 'respondent':
      return body === undefined ? receiveAll : answer
    default:
      return receiveAll
  }
}
