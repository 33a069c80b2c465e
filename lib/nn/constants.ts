/** The constants of nanomsg's C API. */
import { constants } from 'node:os'

export * from '../engine/option-numbers.js'

// ---- Domains, types of sockets ----

export const AF_SP = 1
export const AF_SP_RAW = 2

export const NN_PROTO_PAIR = 1
export const NN_PROTO_PUBSUB = 2
export const NN_PROTO_REQREP = 3
export const NN_PROTO_PIPELINE = 5
export const NN_PROTO_SURVEY = 6
export const NN_PROTO_BUS = 7

export const NN_PAIR = 16
export const NN_PUB = 32
export const NN_SUB = 33
export const NN_REQ = 48
export const NN_REP = 49
export const NN_PUSH = 80
export const NN_PULL = 81
export const NN_SURVEYOR = 98
export const NN_RESPONDENT = 99
export const NN_BUS = 112

export const NN_SOCKADDR_MAX = 128

// ---- Sending, receiving, polling ----

/** Flag of sending and receiving: answer at once, by EAGAIN if need be. */
export const NN_DONTWAIT = 1
/** As a length: the message changes hands instead of being copied. */
export const NN_MSG = -1

export const PROTO_SP = 1
export const SP_HDR = 1

export const NN_POLLIN = 1
export const NN_POLLOUT = 2

// ---- Statistics ----

export const NN_STAT_ESTABLISHED_CONNECTIONS = 101
export const NN_STAT_ACCEPTED_CONNECTIONS = 102
export const NN_STAT_DROPPED_CONNECTIONS = 103
export const NN_STAT_BROKEN_CONNECTIONS = 104
export const NN_STAT_CONNECT_ERRORS = 105
export const NN_STAT_BIND_ERRORS = 106
export const NN_STAT_ACCEPT_ERRORS = 107
export const NN_STAT_REJECTED_CONNECTIONS = 116
export const NN_STAT_REFUSED_PEERS = 118
export const NN_STAT_FAILED_HANDSHAKES = 119
export const NN_STAT_WRONG_PROTOCOLS = 120
export const NN_STAT_MALFORMED_HANDSHAKES = 121
export const NN_STAT_TLS_FAILURES = 122
export const NN_STAT_HANDSHAKE_TIMEOUTS = 123
export const NN_STAT_REFUSED_ORIGINS = 124
export const NN_STAT_CURRENT_CONNECTIONS = 201
export const NN_STAT_INPROGRESS_CONNECTIONS = 202
export const NN_STAT_CURRENT_EP_ERRORS = 203
export const NN_STAT_UNFINISHED_BYTES = 216
export const NN_STAT_PEER_CONNECTIONS = 217
export const NN_STAT_HANDSHAKES = 218
export const NN_STAT_REQUESTS_IN_FLIGHT = 219
export const NN_STAT_QUEUED_BYTES = 220
export const NN_STAT_MESSAGES_SENT = 301
export const NN_STAT_MESSAGES_RECEIVED = 302
export const NN_STAT_BYTES_SENT = 303
export const NN_STAT_BYTES_RECEIVED = 304
export const NN_STAT_MESSAGES_DROPPED = 305
export const NN_STAT_BYTES_DROPPED = 306
export const NN_STAT_RESENDS = 307
export const NN_STAT_SLOW_PEERS = 308
export const NN_STAT_SLOW_DISCONNECTS = 309
export const NN_STAT_CURRENT_SND_PRIORITY = 401

// ---- The table of symbols ----

export const NN_NS_NAMESPACE = 0
export const NN_NS_VERSION = 1
export const NN_NS_DOMAIN = 2
export const NN_NS_TRANSPORT = 3
export const NN_NS_PROTOCOL = 4
export const NN_NS_OPTION_LEVEL = 5
export const NN_NS_SOCKET_OPTION = 6
export const NN_NS_TRANSPORT_OPTION = 7
export const NN_NS_OPTION_TYPE = 8
export const NN_NS_OPTION_UNIT = 9
export const NN_NS_FLAG = 10
export const NN_NS_ERROR = 11
export const NN_NS_LIMIT = 12
export const NN_NS_EVENT = 13
export const NN_NS_STATISTIC = 14

export const NN_TYPE_NONE = 0
export const NN_TYPE_INT = 1
export const NN_TYPE_STR = 2

export const NN_UNIT_NONE = 0
export const NN_UNIT_BYTES = 1
export const NN_UNIT_MILLISECONDS = 2
export const NN_UNIT_PRIORITY = 3
export const NN_UNIT_BOOLEAN = 4
export const NN_UNIT_MESSAGES = 5
export const NN_UNIT_COUNTER = 6

export const NN_VERSION_CURRENT = 5
export const NN_VERSION_REVISION = 1
export const NN_VERSION_AGE = 0

// ---- Errors: numbers of this platform, or nanomsg's own where it lacks one ----

export const NN_HAUSNUMERO = 156384712

const { errno } = constants
/** @param own which of nanomsg's own numbers stands in */
const orOwn = (number: number | undefined, own: number): number => number ?? NN_HAUSNUMERO + own

export const ENOTSUP: number = orOwn(errno.ENOTSUP, 1)
export const EPROTONOSUPPORT: number = orOwn(errno.EPROTONOSUPPORT, 2)
export const ENOBUFS: number = orOwn(errno.ENOBUFS, 3)
export const ENETDOWN: number = orOwn(errno.ENETDOWN, 4)
export const EADDRINUSE: number = orOwn(errno.EADDRINUSE, 5)
export const EADDRNOTAVAIL: number = orOwn(errno.EADDRNOTAVAIL, 6)
export const ECONNREFUSED: number = orOwn(errno.ECONNREFUSED, 7)
export const EINPROGRESS: number = orOwn(errno.EINPROGRESS, 8)
export const ENOTSOCK: number = orOwn(errno.ENOTSOCK, 9)
export const EAFNOSUPPORT: number = orOwn(errno.EAFNOSUPPORT, 10)
export const EPROTO: number = orOwn(errno.EPROTO, 11)
export const EAGAIN: number = orOwn(errno.EAGAIN, 12)
export const EBADF: number = orOwn(errno.EBADF, 13)
export const EINVAL: number = orOwn(errno.EINVAL, 14)
export const EMFILE: number = orOwn(errno.EMFILE, 15)
export const EFAULT: number = orOwn(errno.EFAULT, 16)
export const EACCES: number = orOwn(errno.EACCES, 17)
export const EACCESS: number = EACCES
export const ENETRESET: number = orOwn(errno.ENETRESET, 18)
export const ENETUNREACH: number = orOwn(errno.ENETUNREACH, 19)
export const EHOSTUNREACH: number = orOwn(errno.EHOSTUNREACH, 20)
export const ENOTCONN: number = orOwn(errno.ENOTCONN, 21)
export const EMSGSIZE: number = orOwn(errno.EMSGSIZE, 22)
export const ETIMEDOUT: number = orOwn(errno.ETIMEDOUT, 23)
export const ECONNABORTED: number = orOwn(errno.ECONNABORTED, 24)
export const ECONNRESET: number = orOwn(errno.ECONNRESET, 25)
export const ENOPROTOOPT: number = orOwn(errno.ENOPROTOOPT, 26)
export const EISCONN: number = orOwn(errno.EISCONN, 27)
export const ESOCKTNOSUPPORT: number = orOwn((errno as Record<string, number>).ESOCKTNOSUPPORT ?? undefined, 28)
export const EINTR: number = errno.EINTR
export const ENAMETOOLONG: number = errno.ENAMETOOLONG
export const ENODEV: number = errno.ENODEV
export const ENOMEM: number = errno.ENOMEM
export const ETERM: number = NN_HAUSNUMERO + 53
export const EFSM: number = NN_HAUSNUMERO + 54
