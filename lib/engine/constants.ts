/** Numbers of the engine's C API (nanomsg/*.h) that the classes are made of. */

export const AF_SP = 1

export const protocols = {
  pair: 16,
  pub: 32,
  sub: 33,
  req: 48,
  rep: 49,
  push: 80,
  pull: 81,
  surveyor: 98,
  respondent: 99,
  bus: 112,
} as const

export type ProtocolName = keyof typeof protocols

export const NN_POLLIN = 1
export const NN_POLLOUT = 2
export const NN_LOOP_CLOSED = 4
export const NN_LOOP_EVENTS = 8
/** Of streams. */
export const NN_STREAM_FINISHED = 16

export const NN_EVENT_CONNECT = 1
export const NN_EVENT_DISCONNECT = 2
export const NN_EVENT_REJECT = 3
export const NN_EVENT_SLOW = 6
export const NN_EVENTS_LIMIT = 1024

export const ETERM = 156384712 + 53
export const EFSM = 156384712 + 54
