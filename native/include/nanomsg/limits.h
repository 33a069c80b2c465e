/* Limits of what peers can take of a socket. Options of level NN_SOL_SOCKET, int; -1: no limit. They hold for peers of
 * byte streams (tcp, ipc, ws and so on), not for inproc. */
#ifndef LIMITS_H_INCLUDED
#define LIMITS_H_INCLUDED

#include <nanomsg/nn.h>

/* Bytes of memory, default 256 MiB, for all messages that have come in part only, or were not received yet and are
 * longer than 16 KiB. When they have as many, further ones are not read, and so wait with their peers, until others are
 * received. One message may always go on, whatever its length, and 4 KiB of each. A peer is disconnected (ETIMEDOUT)
 * only when it sends nothing of its message for a second while others wait for the memory. */
#define NN_MAX_UNFINISHED_BYTES 64

/* A statistic: how many bytes those messages have now. */
#define NN_STAT_UNFINISHED_BYTES 216

#endif
