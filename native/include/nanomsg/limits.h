/* Limits of what peers can take of a socket. Options of level NN_SOL_SOCKET, int; -1: no limit. They hold for peers of
 * byte streams (tcp, ipc, ws and so on), not for inproc. */
#ifndef LIMITS_H_INCLUDED
#define LIMITS_H_INCLUDED

#include <nanomsg/nn.h>

/* Bytes of memory, default 256 MiB, for all messages that have come in part only, or were not received yet and are
 * longer than 16 KiB. When they have as many, further ones are not read, and so wait with their peers, until others are
 * received. One message may always go on, whatever its length, and 4 KiB of each. A peer is disconnected (ETIMEDOUT)
 * only when it sends less than 4 KiB of its message in a second while others wait for the memory. */
#define NN_MAX_UNFINISHED_BYTES 64

/* Connections that peers have made to all bound endpoints together, to each one (for those that are bound later),
 * and from one address, at most; default -1. They count from the moment they are accepted until their descriptors
 * are closed, those of ws and wss from the end of their handshake on. Addresses of IPv6 count as one when their
 * first 64 bits are the same. A peer beyond a limit is disconnected at once; the event is NN_EVENT_REJECT with
 * EMLINK, and NN_PEER_PROBLEM says which limit it was. But of the first two limits handshakes that are older than 50 ms
 * give way first, so that peers that say nothing do not use them up. */
#define NN_MAX_CONNECTIONS 65
#define NN_MAX_CONNECTIONS_PER_ENDPOINT 66
#define NN_MAX_CONNECTIONS_PER_ADDRESS 67

/* Handshakes of such connections that are under way, default 1024. The next one takes the place of the oldest one,
 * whose peer is disconnected (EMLINK likewise), but never in its first 50 ms: accepting waits until then. */
#define NN_MAX_HANDSHAKES 68

/* What is done about a peer of PUB, BUS, SURVEYOR, REP and RESPONDENT that is slow (NN_EVENT_SLOW in nanomsg/loop.h),
 * of inproc as well; for those that become slow later. NN_SLOW_DROP, the default: nothing, so that it misses messages;
 * NN_SLOW_DISCONNECT: its connection ends (ENOBUFS in NN_EVENT_DISCONNECT), and what waits for it is lost. A peer that
 * has connected connects again, with nothing that waits. Others do not notice. */
#define NN_ON_SLOW 70
#define NN_SLOW_DROP 0
#define NN_SLOW_DISCONNECT 1
/* Statistic: how many connections that has ended. */
#define NN_STAT_SLOW_DISCONNECTS 309

/* Statistics: how many bytes those messages have now; how many such connections and handshakes there are now; how many
 * connections limits have ended. */
#define NN_STAT_REJECTED_CONNECTIONS 116
#define NN_STAT_UNFINISHED_BYTES 216
#define NN_STAT_PEER_CONNECTIONS 217
#define NN_STAT_HANDSHAKES 218

#endif
