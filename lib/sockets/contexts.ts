/** What few sockets need: requests and surveys side by side, and serving. The constructors of their classes load it
 * before the engine has the socket: later there may be no descriptor left to read the file. */
import { deferred } from '../engine/deferred.js'

export const requests = deferred(() => require('../contexts/requests.js') as typeof import('../contexts/requests.js'))
export const service = deferred(() => require('../contexts/service.js') as typeof import('../contexts/service.js'))
export const surveys = deferred(() => require('../contexts/surveys.js') as typeof import('../contexts/surveys.js'))
