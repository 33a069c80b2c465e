import type { ConnectEvent, DisconnectEvent, FailureEvent, RejectEvent } from '../connections/events.js'
import { codeOf, textOf } from './error-texts.js'
import type { SocketType } from './options.js'
import type { CatSocket } from './sockets.js'
import type { Style } from './terminal.js'

/** What --verbose tells of connections. Loaded when somebody wants to know. */

export type TellNews = (news: string, style: Style) => void

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

/** Tells who comes, who goes, who is turned away and which attempts fail. What happens again and again at an endpoint is
 * told once. */
export function tellNews(socket: CatSocket, ourType: SocketType, tell: TellNews): void {
  let peers = 0
  /** The last trouble of each endpoint, but for the peer's port, which is a new one each time. */
  const troubles = new Map<string, string>()

  function tellTrouble({ address }: RejectEvent | FailureEvent, trouble: string, news: string): void {
    if (troubles.get(address) === trouble) return
    troubles.set(address, trouble)
    tell(news, 'bad')
  }

  socket.on('connect', (event) => {
    peers = event.lost > 0 ? socket.stats().currentConnections : peers + 1
    troubles.delete(event.address)
    tell(`connected: ${peersText(peers)} (${nameOf(event)})`, 'good')
  })
  socket.on('disconnect', (event) => {
    // At the end all are closed: that is no news.
    if (event.reason === 'closed') return
    peers = event.lost > 0 ? socket.stats().currentConnections : peers - 1
    const how = event.error === undefined ? ' has left' : `: ${textOf(event.error)}`
    tell(`disconnected: ${peersText(peers)} (${nameOf(event)}${how})`, 'bad')
  })
  socket.on('reject', (event) => {
    const reason = reasonOf(event, ourType)
    tellTrouble(event, `${event.protocol} ${reason}`, `rejected: ${nameOf(event)}: ${reason}`)
  })
  socket.on('failure', (event) => {
    const doing = event.bound ? 'cannot accept at' : 'cannot connect to'
    tellTrouble(event, textOf(event.error), `${doing} ${event.remoteAddress ?? event.address}: ${textOf(event.error)}`)
  })
}
