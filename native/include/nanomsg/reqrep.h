/* REQ and REP: a question to one of several answerers, asked again until it is answered. */
#ifndef REQREP_H_INCLUDED
#define REQREP_H_INCLUDED

#include <nanomsg/nn.h>

#define NN_PROTO_REQREP 3

#define NN_REQ (NN_PROTO_REQREP * 16 + 0)
#define NN_REP (NN_PROTO_REQREP * 16 + 1)

/* Option of level NN_REQ: milliseconds (int, default 60000) after which a request is sent again. */
#define NN_REQ_RESEND_IVL 1

/* Option of level NN_REQ: how many requests (int, default 0: no limit) each peer may have at a time; more wait until
 * one has room. With a limit, a request goes to the peer that has the fewest. */
#define NN_REQ_MAX_IN_FLIGHT 16

/* Options of level NN_REQ: how many peers may go away while they have a request (int, default 0: any number), before it
 * fails: nn_recv returns ECONNRESET. So a request that kills its servers does not kill all of them. A request that was
 * sent to several peers, as NN_REQ_RESEND_IVL does, fails when the last of them has gone. For later requests: those of
 * nn_send, and those in contexts (nanomsg/loop.h), for which nn_socket_context_receive reports it. */
#define NN_REQ_ATTEMPTS 17
#define NN_REQ_CONTEXT_ATTEMPTS 18

/* Option of level NN_REQ: NN_REQ_RESEND_IVL of later requests in contexts (int, default -1: the same). */
#define NN_REQ_CONTEXT_RESEND_IVL 19

#endif
