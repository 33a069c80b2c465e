/** What Node.js itself offers between workers: postMessage with a transfer list, by which memory changes hands. */
import { fill } from './filled.mjs'
import { pushWith, throwsBackWith, throwsWith } from './postmessage-parts.mjs'

export { pull, transports, version } from './postmessage-parts.mjs'

const post = (port, message) => port.postMessage(message, [message.buffer])

export const push = pushWith((port, body) => {
  const message = Buffer.allocUnsafeSlow(body.length)
  fill(message, body)
  post(port, message)
})
export const throws = throwsWith(post)
export const throwsBack = throwsBackWith(post)
