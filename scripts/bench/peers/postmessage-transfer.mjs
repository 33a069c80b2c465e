/** What Node.js itself offers between workers: postMessage with a transfer list, by which memory changes hands. */
import { fill } from './filled.mjs'
import { pushWith } from './postmessage-parts.mjs'

export { pull, transports, version } from './postmessage-parts.mjs'

export const push = pushWith((port, body) => {
  const message = Buffer.allocUnsafeSlow(body.length)
  fill(message, body)
  port.postMessage(message, [message.buffer])
})
