/** Channels of node:diagnostics_channel, for tools that watch a program from outside. */
import { channel } from 'node:diagnostics_channel'
import type { SocketEvent } from './events.js'

const opened = channel('nanomsg:socket')
const channels = {
  connect: channel('nanomsg:connect'),
  disconnect: channel('nanomsg:disconnect'),
  reject: channel('nanomsg:reject'),
  failure: channel('nanomsg:failure'),
  slow: channel('nanomsg:slow'),
}
const all = [opened, ...Object.values(channels)]
const failures = channel('nanomsg:handler-failure')

/** Whether sockets have to publish their events. */
export function isObserved(): boolean {
  return all.some((each) => each.hasSubscribers)
}

export function publishSocket(socket: object): void {
  if (opened.hasSubscribers) opened.publish({ socket })
}

export function publishEvent(socket: object, event: SocketEvent): void {
  const to = channels[event.type]
  if (to.hasSubscribers) to.publish({ socket, event })
}

/** Returns whether there is a subscriber. */
export function publishHandlerFailure(failure: object): boolean {
  if (failures.hasSubscribers) failures.publish(failure)
  return failures.hasSubscribers
}
