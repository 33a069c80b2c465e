/** What NODE_DEBUG=nanomsg tells on stderr. */
import { debuglog } from 'node:util'

const debug = debuglog('nanomsg')

export const isDebugging = debug.enabled

/** One line, only with NODE_DEBUG=nanomsg. */
export function tell(line: string): void {
  debug('%s', line)
}
