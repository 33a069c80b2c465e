/* RESPONDENT: receives a survey, then sends its answer or none; out of turn, sending is EFSM. The raw
 * socket works on any number of surveys at a time. All of it is parts/replier.h. */
#include "protocols/parts/replier.h"

#include <nanomsg/protocol.h>
#include <nanomsg/survey.h>

const struct nn_protocol sp_respondent_protocol = SP_REPLIER_TABLE("respondent", NN_RESPONDENT, NN_SURVEYOR);
const struct nn_protocol sp_respondent_raw_protocol = SP_REPLIER_RAW_TABLE("respondent", NN_RESPONDENT, NN_SURVEYOR);
