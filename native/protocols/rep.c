/* REP: receives a request, then sends its reply; out of turn, sending is EFSM. The raw socket works on
 * any number of requests at a time, and their headers say which reply is whose. See parts/answerer.h. */
#include "protocols/parts/answerer.h"

#include <nanomsg/protocol.h>
#include <nanomsg/reqrep.h>

const struct nn_protocol sp_rep_protocol = {
    .version = NN_PROTOCOL_VERSION,
    .name = "rep",
    .domain = AF_SP,
    .id = NN_REP,
    .peer_id = NN_REQ,
    .flags = NN_PROTOCOL_SENDS | NN_PROTOCOL_RECEIVES | NN_PROTOCOL_BUFFERS,
    .socket_bytes = sizeof(struct sp_answerer_cooked),
    .pipe_bytes = sizeof(struct sp_answerer_pipe),
    .open = sp_answerer_cooked_open,
    .close = sp_answerer_cooked_close,
    .pipe_added = sp_answerer_pipe_added,
    .pipe_removed = sp_answerer_pipe_removed,
    .pipe_readable = sp_answerer_pipe_readable,
    .pipe_writable = sp_answerer_pipe_writable,
    .pipe_sending_ended = sp_answerer_pipe_sending_ended,
    .send = sp_answerer_cooked_send,
    .receive = sp_answerer_cooked_receive,
    .events = sp_answerer_cooked_events,
    .send_in = sp_answerer_send_in,
    .receive_any = sp_answerer_receive_any,
    .forget = sp_answerer_forget,
};

const struct nn_protocol sp_rep_raw_protocol = {
    .version = NN_PROTOCOL_VERSION,
    .name = "rep",
    .domain = AF_SP_RAW,
    .id = NN_REP,
    .peer_id = NN_REQ,
    .flags = NN_PROTOCOL_SENDS | NN_PROTOCOL_RECEIVES | NN_PROTOCOL_BUFFERS,
    .socket_bytes = sizeof(struct sp_answerer),
    .pipe_bytes = sizeof(struct sp_answerer_pipe),
    .open = sp_answerer_open,
    .close = sp_answerer_close,
    .pipe_added = sp_answerer_pipe_added,
    .pipe_removed = sp_answerer_pipe_removed,
    .pipe_readable = sp_answerer_pipe_readable,
    .pipe_writable = sp_answerer_pipe_writable,
    .pipe_sending_ended = sp_answerer_pipe_sending_ended,
    .send = sp_answerer_send,
    .receive = sp_answerer_receive,
    .events = sp_answerer_events,
};
