/* REP: receives a request, then sends its reply; out of turn, sending is EFSM. The raw socket works on
 * any number of requests at a time, and their headers say which reply is whose. See parts/replier.h. */
#include "protocols/parts/replier.h"

#include <nanomsg/protocol.h>
#include <nanomsg/reqrep.h>

const struct nn_protocol sp_rep_protocol = SP_REPLIER_TABLE("rep", NN_REP, NN_REQ);
const struct nn_protocol sp_rep_raw_protocol = SP_REPLIER_RAW_TABLE("rep", NN_REP, NN_REQ);
