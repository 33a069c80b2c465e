/** What Node.js itself offers between workers: postMessage, which copies each message. */
import { pushWith } from './postmessage-parts.mjs'

export { pull, transports, version } from './postmessage-parts.mjs'

export const push = pushWith((port, body) => port.postMessage(body))
