/* REP on mock pipes. */
#include <nanomsg/protocol.h>

extern const struct nn_protocol sp_rep_protocol;
extern const struct nn_protocol sp_rep_raw_protocol;

#define ANSWERER sp_rep_protocol
#define ANSWERER_RAW sp_rep_raw_protocol
#include "answerer_tests.h"
