/* Admission of peers: a program looks at each peer before it gets a connection that carries messages. For peers that
 * connect to bound endpoints of byte streams (tcp, ipc, ws and so on, also inside of TLS), not for inproc. */
#ifndef ADMISSION_H_INCLUDED
#define ADMISSION_H_INCLUDED

#include <nanomsg/loop.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Option of level NN_SOL_SOCKET: int, default 0: peers are admitted unseen. Otherwise a peer of an endpoint that is
 * bound afterwards, whose handshake is read and right, is held until the program has decided, for as many milliseconds
 * at most (-1: no limit); then it is refused. Until then it gets no handshake of ours, so it takes nothing for
 * connected, sends nothing, and loses nothing when it is refused. Peers that are held count as handshakes under way
 * (NN_MAX_HANDSHAKES). Those of libnanomsg and NNG wait for a handshake for one second, over ws for five. */
#define NN_ADMISSION_TIMEO 69

/* Statistic: how many peers were refused, by the program, its silence, or NN_WS_ORIGINS. They are events as well,
 * NN_EVENT_REJECT with EPERM. */
#define NN_STAT_REFUSED_PEERS 118

/* The type of the events that follow. */
#define NN_EVENT_CANDIDATE 5

/**
 * Takes the next peer that is held and was not taken before, as an event: with `protocol`, the addresses, and `pipe`,
 * the number that its connection has when it is admitted. nn_socket_event_peer reads its headers, its certificate and
 * its credentials. The socket need not be monitored. Hosts of loops are told by NN_LOOP_EVENTS.
 *
 * @param timeout_ms how long to wait; 0: not at all, -1: without limit
 * @return 1; 0 when there was none in time; or -1 and sets errno: EBADF (also when the socket is closed meanwhile),
 *         EINTR, EFAULT (event is NULL), ENOMEM
 */
NN_EXPORT int nn_socket_next_candidate(int s, struct nn_event *event, int timeout_ms);

/**
 * Decides about a peer that is held. May be called on any thread.
 *
 * @param refusal  NULL: the peer is admitted. Or why not, a text for the event (NN_PEER_PROBLEM); the peer reads a
 *                 status of 403 over WebSocket, and otherwise that the connection has ended
 * @return 0, or -1 and sets errno: EBADF, ENOENT (no such peer is held: it has left, or the time is over)
 */
NN_EXPORT int nn_socket_admit(int s, uint32_t pipe, const char *refusal);

/**
 * Ends a connection, also one over inproc; what was accepted for it is still passed on for up to NN_LINGER. A peer that
 * is held is refused. An endpoint that connects will connect again, and so may the peer.
 *
 * @return 0, or -1 and sets errno: EBADF, ENOENT (no such connection)
 */
NN_EXPORT int nn_socket_disconnect(int s, uint32_t pipe);

#ifdef __cplusplus
}
#endif

#endif
