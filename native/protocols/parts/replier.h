/* What rep and respondent have in common: they take what was asked from any pipe, in turn, and send the
 * answer back to where that came from. A reply that cannot be sent at once is dropped: the requester will
 * ask again, or has given up. */
#ifndef SP_PROTOCOLS_PARTS_REPLIER_H
#define SP_PROTOCOLS_PARTS_REPLIER_H

#include "protocols/parts/backtrace.h"
#include "util/id_map.h"
#include "protocols/parts/filtered_queue.h"
#include "util/list.h"

/* A raw socket: the header of what is received, and of what is sent, is the id of a pipe and the stack
 * that came from it. */
struct sp_replier {
    struct nn_protocol_socket base;
    struct sp_filtered_queue received;
    struct sp_id_map pipes;
};

/* A cooked socket keeps the header between receiving and sending; those of contexts until they are answered. */
struct sp_replier_cooked {
    struct sp_replier raw;
    bool is_asked;
    uint32_t asked_by; /* id of a pipe, which may be gone */
    size_t backtrace_bytes;
    uint8_t backtrace[SP_BACKTRACE_MAX_BYTES];
    struct sp_id_map contexts;
    uint32_t last_context;
};

struct sp_replier_pipe {
    struct sp_priority_slot receiving;
    struct sp_list waiting; /* answers of contexts that the peer does not take yet; it is not listened to meanwhile */
    struct sp_id_map_item place;
    bool is_send_closed; /* takes no answers any more */
};

/* Functions of protocol tables; those for pipes serve both structures. */
int sp_replier_open(struct nn_protocol_socket *base);
void sp_replier_close(struct nn_protocol_socket *base);
int sp_replier_pipe_added(struct nn_protocol_socket *base, struct nn_pipe *pipe);
void sp_replier_pipe_removed(struct nn_protocol_socket *base, struct nn_pipe *pipe);
void sp_replier_pipe_readable(struct nn_protocol_socket *base, struct nn_pipe *pipe);
void sp_replier_pipe_writable(struct nn_protocol_socket *base, struct nn_pipe *pipe);
void sp_replier_pipe_sending_ended(struct nn_protocol_socket *base, struct nn_pipe *pipe);

int sp_replier_receive(struct nn_protocol_socket *base, struct nn_message *message);
int sp_replier_send(struct nn_protocol_socket *base, struct nn_message *message);
int sp_replier_events(struct nn_protocol_socket *base);

int sp_replier_cooked_open(struct nn_protocol_socket *base);
void sp_replier_cooked_close(struct nn_protocol_socket *base);
int sp_replier_cooked_receive(struct nn_protocol_socket *base, struct nn_message *message);
int sp_replier_cooked_send(struct nn_protocol_socket *base, struct nn_message *message);
int sp_replier_cooked_events(struct nn_protocol_socket *base);
int sp_replier_context_send(struct nn_protocol_socket *base, struct nn_message *message, uint32_t number);
int sp_replier_context_receive(struct nn_protocol_socket *base, struct nn_message *message, uint32_t *number);
void sp_replier_context_close(struct nn_protocol_socket *base, uint32_t number);

/* The tables of a protocol of this kind, as initialisers. */
#define SP_REPLIER_TABLE(NAME, ID, PEER)                                                                               \
    {                                                                                                                  \
        .version = NN_PROTOCOL_VERSION, .name = NAME, .domain = AF_SP, .id = ID, .peer_id = PEER,                      \
        .flags = NN_PROTOCOL_SENDS | NN_PROTOCOL_RECEIVES | NN_PROTOCOL_BUFFERS,                                       \
        .socket_bytes = sizeof(struct sp_replier_cooked), .pipe_bytes = sizeof(struct sp_replier_pipe),                \
        .open = sp_replier_cooked_open, .close = sp_replier_cooked_close, .pipe_added = sp_replier_pipe_added,         \
        .pipe_removed = sp_replier_pipe_removed, .pipe_readable = sp_replier_pipe_readable,                            \
        .pipe_writable = sp_replier_pipe_writable, .pipe_sending_ended = sp_replier_pipe_sending_ended,                \
        .send = sp_replier_cooked_send, .receive = sp_replier_cooked_receive, .events = sp_replier_cooked_events,      \
        .context_send = sp_replier_context_send, .context_receive = sp_replier_context_receive,                        \
        .context_close = sp_replier_context_close,                                                                     \
    }

#define SP_REPLIER_RAW_TABLE(NAME, ID, PEER)                                                                           \
    {                                                                                                                  \
        .version = NN_PROTOCOL_VERSION, .name = NAME, .domain = AF_SP_RAW, .id = ID, .peer_id = PEER,                  \
        .flags = NN_PROTOCOL_SENDS | NN_PROTOCOL_RECEIVES | NN_PROTOCOL_BUFFERS,                                       \
        .socket_bytes = sizeof(struct sp_replier), .pipe_bytes = sizeof(struct sp_replier_pipe),                       \
        .open = sp_replier_open, .close = sp_replier_close, .pipe_added = sp_replier_pipe_added,                       \
        .pipe_removed = sp_replier_pipe_removed, .pipe_readable = sp_replier_pipe_readable,                            \
        .pipe_writable = sp_replier_pipe_writable, .pipe_sending_ended = sp_replier_pipe_sending_ended,                \
        .send = sp_replier_send, .receive = sp_replier_receive, .events = sp_replier_events,                           \
    }

#endif
