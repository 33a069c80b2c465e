/* What rep and respondent have in common: they take what was asked from any pipe, in turn, and send the
 * answer back to where that came from. An answer that cannot be sent at once is dropped: who asked will
 * ask again, or has given up. */
#ifndef SP_PROTOCOLS_PARTS_ANSWERER_H
#define SP_PROTOCOLS_PARTS_ANSWERER_H

#include "protocols/parts/backtrace.h"
#include "util/id_map.h"
#include "protocols/parts/inbox.h"
#include "util/list.h"

/* A raw socket: the header of what is received, and of what is sent, is the id of a pipe and the stack
 * that came from it. */
struct sp_answerer {
    struct nn_protocol_socket base;
    struct sp_inbox inbox;
    struct sp_id_map pipes;
};

/* A cooked socket keeps the header between receiving and sending; those of conversations until they are answered. */
struct sp_answerer_cooked {
    struct sp_answerer raw;
    bool is_asked;
    uint32_t asked_by; /* id of a pipe, which may be gone */
    size_t backtrace_bytes;
    uint8_t backtrace[SP_BACKTRACE_MAX_BYTES];
    struct sp_id_map conversations;
    uint32_t last_conversation;
};

struct sp_answerer_pipe {
    struct sp_priority_slot receiving;
    struct sp_list
        waiting; /* answers of conversations that the peer does not take yet; it is not listened to meanwhile */
    struct sp_id_map_item place;
    bool is_mute; /* takes no answers any more */
};

/* Functions of protocol tables; those for pipes serve both structures. */
int sp_answerer_open(struct nn_protocol_socket *base);
void sp_answerer_close(struct nn_protocol_socket *base);
int sp_answerer_pipe_added(struct nn_protocol_socket *base, struct nn_pipe *pipe);
void sp_answerer_pipe_removed(struct nn_protocol_socket *base, struct nn_pipe *pipe);
void sp_answerer_pipe_readable(struct nn_protocol_socket *base, struct nn_pipe *pipe);
void sp_answerer_pipe_writable(struct nn_protocol_socket *base, struct nn_pipe *pipe);
void sp_answerer_pipe_sending_ended(struct nn_protocol_socket *base, struct nn_pipe *pipe);

int sp_answerer_receive(struct nn_protocol_socket *base, struct nn_message *message);
int sp_answerer_send(struct nn_protocol_socket *base, struct nn_message *message);
int sp_answerer_events(struct nn_protocol_socket *base);

int sp_answerer_cooked_open(struct nn_protocol_socket *base);
void sp_answerer_cooked_close(struct nn_protocol_socket *base);
int sp_answerer_cooked_receive(struct nn_protocol_socket *base, struct nn_message *message);
int sp_answerer_cooked_send(struct nn_protocol_socket *base, struct nn_message *message);
int sp_answerer_cooked_events(struct nn_protocol_socket *base);
int sp_answerer_send_in(struct nn_protocol_socket *base, struct nn_message *message, uint32_t number);
int sp_answerer_receive_any(struct nn_protocol_socket *base, struct nn_message *message, uint32_t *number);
void sp_answerer_forget(struct nn_protocol_socket *base, uint32_t number);

#endif
