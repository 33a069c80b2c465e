import type { ConnectEvent, DisconnectEvent, FailureEvent, RejectEvent } from '../connections/events.js'
import { codeOf, textOf } from './error-texts.js'
import type { SocketType } from './options.js'
import type { CatSocket } from './sockets.js'
import type { Style } from './terminal.js'

/** What --verbose reports of connections. Loaded only with that option. */

export type Report = (text: string, style: Style) => void

type ConnectionEvent = ConnectEvent | DisconnectEvent | RejectEvent

export const peersText = (count: number) => `${count} ${count === 1 ? 'peer' : 'peers'}`

function nameOf({ protocol, remoteAddress, address }: ConnectionEvent): string {
  const place = remoteAddress ?? address
  if (protocol === undefined) return place
  return `${typeof protocol === 'number' ? `type ${protocol}` : protocol} at ${place}`
}

function reasonOf({ protocol, error }: RejectEvent, ourType: SocketType): string {
  switch (codeOf(error)) {
    case 'EPROTOTYPE':
      return `${typeof protocol === 'string' ? protocol : 'it'} does not go with ${ourType}`
    case 'EPROTO':
      return 'it does not speak the protocol'
    case 'EBUSY':
      return 'a pair has one peer at a time'
    case 'EACCES':
      return 'one of the two does not accept the certificate of the other'
    case 'ETIMEDOUT':
      return 'it did not say in time what it is'
    case 'ECONNRESET':
      return 'it left before it was admitted; perhaps the types do not go together'
    default:
      return textOf(error)
  }
}

/** Reports connections that are made, lost or rejected, and attempts that fail. What repeats at an endpoint is reported
 * once. */
export function reportEvents(socket: CatSocket, ourType: SocketType, report: Report): void {
  let peers = 0
  /** The last trouble of each endpoint, but for the peer's port, which is a new one each time. */
  const troubles = new Map<string, string>()

  function reportTrouble({ address }: RejectEvent | FailureEvent, trouble: string, text: string): void {
    if (troubles.get(address) === trouble) return
    troubles.set(address, trouble)
    report(text, 'bad')
  }

  socket.on('connect', (event) => {
    peers = event.lost > 0 ? socket.stats().currentConnections : peers + 1
    troubles.delete(event.address)
    report(`connected: ${peersText(peers)} (${nameOf(event)})`, 'good')
  })
  socket.on('disconnect', (event) => {
    // At the end all connections are closed, which is not reported.
    if (event.reason === 'closed') return
    peers = event.lost > 0 ? socket.stats().currentConnections : peers - 1
    const how = event.error === undefined ? ' has left' : `: ${textOf(event.error)}`
    report(`disconnected: ${peersText(peers)} (${nameOf(event)}${how})`, 'bad')
  })
  socket.on('reject', (event) => {
    const reason = reasonOf(event, ourType)
    reportTrouble(event, `${event.protocol} ${reason}`, `rejected: ${nameOf(event)}: ${reason}`)
  })
  socket.on('failure', (event) => {
    const doing = event.bound ? 'cannot accept at' : 'cannot connect to'
    reportTrouble(
      event,
      textOf(event.error),
      `${doing} ${event.remoteAddress ?? event.address}: ${textOf(event.error)}`,
    )
  })
}
