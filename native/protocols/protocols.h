/* The tables of the protocols that come with the engine. */
#ifndef SP_PROTOCOLS_PROTOCOLS_H
#define SP_PROTOCOLS_PROTOCOLS_H

#include <nanomsg/protocol.h>

extern const struct nn_protocol sp_pair_protocol;
extern const struct nn_protocol sp_bus_protocol, sp_bus_raw_protocol;
extern const struct nn_protocol sp_pub_protocol;
extern const struct nn_protocol sp_sub_protocol;
extern const struct nn_protocol sp_push_protocol;
extern const struct nn_protocol sp_pull_protocol;
extern const struct nn_protocol sp_req_protocol, sp_req_raw_protocol;
extern const struct nn_protocol sp_rep_protocol, sp_rep_raw_protocol;
extern const struct nn_protocol sp_surveyor_protocol, sp_surveyor_raw_protocol;
extern const struct nn_protocol sp_respondent_protocol, sp_respondent_raw_protocol;

#endif
