/** The Scalability Protocols for Node.js. */

export type { Endpoint } from './connections/endpoint.js'
export type {
  ConnectEvent,
  DisconnectEvent,
  FailureEvent,
  RejectEvent,
  SlowEvent,
  SocketEvent,
  SocketEvents,
} from './connections/events.js'
export type { PeerStatus } from './connections/peer-status.js'
export type { ReadyOptions } from './connections/readiness.js'
export { type Listening, registerTransport, type Transport } from './connections/transport-registry.js'
export type { HandlerContext } from './contexts/askers.js'
export { RemoteError, type RemoteFailure } from './contexts/error-replies.js'
export type { Peer } from './contexts/peer.js'
export type { RequestOptions } from './contexts/requests.js'
export type { Handler, ServeOptions } from './contexts/serve-options.js'
export type { Answer, SurveyOptions } from './contexts/surveys.js'
export { Device, type DevicePattern, type DeviceSide } from './device.js'
export type { Admit, Candidate } from './engine/candidate.js'
export { NanomsgError } from './engine/errors.js'
export type { IpcOwner } from './engine/ipc-owner.js'
export type { KeepAlive } from './engine/keep-alive.js'
export { type MetricSource, type MetricsOptions, openMetrics } from './engine/metrics.js'
export type { OnSlow, SlowPeerOptions, SocketOptions } from './engine/options.js'
export type { RequestHeaders } from './engine/request-headers.js'
export type { Statistics } from './engine/statistics.js'
export type { Pem, PemFile, PemText, TlsOptions } from './engine/tls.js'
export type { WaitOptions } from './engine/waits.js'
export type { Body, Bytes } from './messages/bytes.js'
export type { Codec, CodecOption } from './messages/codec.js'
export type { StreamKind } from './messages/streams.js'
export { allocMessage, type SendOptions } from './messages/transfer.js'
export { type BindOptions, Socket, type SocketJson } from './sockets/base/socket.js'
export { Bus } from './sockets/bus.js'
export { Pair } from './sockets/pair.js'
export { Pub } from './sockets/pub.js'
export { Pull } from './sockets/pull.js'
export { Push } from './sockets/push.js'
export { Rep, type RepOptions } from './sockets/rep.js'
export { Req, type ReqOptions } from './sockets/req.js'
export { Respondent } from './sockets/respondent.js'
export { Sub } from './sockets/sub.js'
export { Surveyor, type SurveyorOptions } from './sockets/surveyor.js'
