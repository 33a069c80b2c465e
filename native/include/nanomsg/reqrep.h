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

#endif
