/** The Scalability Protocols for Node.js. */
export type { Body, Bytes } from './bytes.js'
export { Device, type DevicePattern, type DeviceSide } from './device.js'
export type { Endpoint } from './endpoint.js'
export { NanomsgError } from './errors.js'
export type {
  ConnectEvent,
  DisconnectEvent,
  FailureEvent,
  RejectEvent,
  SocketEvent,
  SocketEvents,
} from './events.js'
export type { SocketOptions } from './options.js'
export type { Peer } from './peer.js'
export type { Readying } from './readiness.js'
export type { RequestHeaders } from './request-headers.js'
export type { Requesting } from './requests.js'
export type { Handler, Serving } from './service.js'
export { Socket } from './socket.js'
export { Bus } from './sockets/bus.js'
export { Pair } from './sockets/pair.js'
export { Pub } from './sockets/pub.js'
export { Pull } from './sockets/pull.js'
export { Push } from './sockets/push.js'
export { Rep } from './sockets/rep.js'
export { Req, type ReqOptions } from './sockets/req.js'
export { Respondent } from './sockets/respondent.js'
export { Sub } from './sockets/sub.js'
export { Surveyor, type SurveyorOptions } from './sockets/surveyor.js'
export type { Statistics } from './statistics.js'
export type { StreamKind } from './streams.js'
export type { Answer, Surveying } from './surveys.js'
export type { Pem, PemFile, PemText, TlsOptions } from './tls.js'
export { allocMessage, type Sending } from './transfer.js'
export { type Listening, registerTransport, type Transport } from './transports/registry.js'
export type { Waiting } from './waits.js'
