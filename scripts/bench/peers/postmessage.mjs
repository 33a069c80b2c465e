/** What Node.js itself offers between workers: postMessage, which copies each message. */
import { pushWith, throwsBackWith, throwsWith } from './postmessage-parts.mjs'

export { pull, transports, version } from './postmessage-parts.mjs'

const post = (port, body) => port.postMessage(body)

export const push = pushWith(post)
export const throws = throwsWith(post)
export const throwsBack = throwsBackWith(post)
