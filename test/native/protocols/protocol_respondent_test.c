/* RESPONDENT on mock pipes. */
#include <nanomsg/protocol.h>

extern const struct nn_protocol sp_respondent_protocol;
extern const struct nn_protocol sp_respondent_raw_protocol;

#define ANSWERER sp_respondent_protocol
#define ANSWERER_RAW sp_respondent_raw_protocol
#include "answerer_tests.h"
