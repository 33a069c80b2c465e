import { publishHandlerFailure } from '../connections/diagnostics.js'
import type { Peer } from './peer.js'

/** What has failed: each kind is warned of once. */
export type FailureKind = 'handler' | 'reply' | 'onError'

const texts: Readonly<Record<FailureKind, string>> = {
  handler: 'A handler of serve() has thrown',
  reply: 'A reply of serve() cannot be sent',
  onError: 'onError of serve() has thrown',
}
const advice =
  'That request has no reply, and serving goes on. Pass onError to serve() to hear of each failure, or stopOnError to end at the first'

const warned = new Set<FailureKind>()

/** Tells of a request that has failed in this process and that no `onError` has heard of. */
export function reportFailure(socket: object, kind: FailureKind, error: unknown, body: Buffer, peer: Peer): void {
  if (publishHandlerFailure({ socket, kind, error, body, peer }) || warned.has(kind)) return
  warned.add(kind)
  process.emitWarning(`${texts[kind]}. ${advice}.`, {
    type: 'NanomsgWarning',
    code: 'NANOMSG_SERVE',
    detail: detailOf(error),
  })
}

function detailOf(error: unknown): string {
  try {
    return error instanceof Error ? (error.stack ?? String(error)) : String(error)
  } catch {
    return 'an object that cannot be shown'
  }
}
