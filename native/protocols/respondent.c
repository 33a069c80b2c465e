/* RESPONDENT: receives a survey, then sends its answer or none; out of turn, sending is EFSM. The raw
 * socket works on any number of surveys at a time. All of it is parts/answerer.h. */
#include "protocols/parts/answerer.h"

#include <nanomsg/protocol.h>
#include <nanomsg/survey.h>

const struct nn_protocol sp_respondent_protocol = {
    .version = NN_PROTOCOL_VERSION,
    .name = "respondent",
    .domain = AF_SP,
    .id = NN_RESPONDENT,
    .peer_id = NN_SURVEYOR,
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

const struct nn_protocol sp_respondent_raw_protocol = {
    .version = NN_PROTOCOL_VERSION,
    .name = "respondent",
    .domain = AF_SP_RAW,
    .id = NN_RESPONDENT,
    .peer_id = NN_SURVEYOR,
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
