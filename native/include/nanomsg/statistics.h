/* What is lost, repeated, refused, and what waits: statistics beside those of nanomsg/nn.h, nanomsg/limits.h and
 * nanomsg/admission.h, for nn_get_statistic. */
#ifndef STATISTICS_H_INCLUDED
#define STATISTICS_H_INCLUDED

#include <nanomsg/nn.h>

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Counters: they only grow. */

/* Messages that were lost here, with their bytes as they go over the wire, without framing: for a peer that was full
 * (PUB, BUS, SURVEYOR: once for each such peer), answers whose peer was full or is gone (REP, RESPONDENT), messages of
 * peers that nothing waited for (a late answer) or that broke the rules, that were longer than NN_RCVMAXSIZE, or whose
 * connection ended before they were complete (with the bytes that had come). What a SUB has not subscribed to is not
 * lost, nor is what a PUB sends without a peer. */
#define NN_STAT_MESSAGES_DROPPED 305
#define NN_STAT_BYTES_DROPPED 306

/* REQ: how often a request was sent again, since it was not answered in time or its peer went away. */
#define NN_STAT_RESENDS 307

/* PUB, BUS, SURVEYOR, REP, RESPONDENT: how often a peer became slow: messages were dropped or, answers in contexts,
 * kept back, since it took none. It is slow until it has taken all that waits for it (over inproc: until it takes
 * more). */
#define NN_STAT_SLOW_PEERS 308

/* Connections, made by either side, that ended before their peer was admitted: all, and those for some reasons.
 * NN_STAT_REJECTED_CONNECTIONS (limits) and NN_STAT_REFUSED_PEERS (the program, origins) are among them as well. */
#define NN_STAT_FAILED_HANDSHAKES 119
#define NN_STAT_WRONG_PROTOCOLS 120      /* its type does not go with ours */
#define NN_STAT_MALFORMED_HANDSHAKES 121 /* it does not speak the protocol */
#define NN_STAT_TLS_FAILURES 122         /* a certificate was not accepted, or what came was no TLS */
#define NN_STAT_HANDSHAKE_TIMEOUTS 123   /* it said too little in time */
#define NN_STAT_REFUSED_ORIGINS 124      /* NN_WS_ORIGINS */

/* Gauges: what is so at this moment. */

/* REQ: requests that wait for their answers, with those that wait for a peer. */
#define NN_STAT_REQUESTS_IN_FLIGHT 219
/* Bytes that were accepted for sending, and that neither the kernel nor, over inproc, the peer has taken yet. */
#define NN_STAT_QUEUED_BYTES 220

/* What has gone through one connection, since its peer was admitted. Bytes are as on the wire, without framing: with
 * the protocol's headers. */
struct nn_pipe_statistics {
    uint64_t age_ms; /* the time since then */
    uint64_t messages_sent;
    uint64_t bytes_sent;
    uint64_t messages_received;
    uint64_t bytes_received;
    uint64_t messages_dropped; /* as NN_STAT_MESSAGES_DROPPED */
    uint64_t bytes_dropped;
    uint64_t queued_bytes; /* as NN_STAT_QUEUED_BYTES */
};

/**
 * Reads what has gone through a connection to an admitted peer: one that nn_socket_pipes lists (nanomsg/loop.h).
 * nn_socket_peer describes the peer itself.
 *
 * @return 0, or -1 and sets errno: EBADF, ENOENT (no such connection), EFAULT (statistics is NULL)
 */
NN_EXPORT int nn_socket_pipe_statistics(int s, uint32_t pipe, struct nn_pipe_statistics *statistics);

#ifdef __cplusplus
}
#endif

#endif
