/* Requests on their way: each is kept until it is answered, and sent again when it was not answered within the resend
 * interval, or at once when the connection it went to breaks. Those that no peer takes wait in order: for a peer that
 * takes more, or that has room where the number of requests is limited for each.
 *
 * A request may have a number of attempts: peers that may go away while they have it. When that number have gone it is
 * not sent any more, be it by a timer, and it fails as soon as no peer has it: a request that kills its servers ends
 * that way before it has killed all of them.
 *
 * Only a peer that was asked can answer: a reply counts when it comes through a pipe that the request was sent through,
 * the latest or an earlier one. Ids are random, so that no peer can guess those that others see. */
#ifndef SP_PROTOCOLS_PARTS_REQUESTS_H
#define SP_PROTOCOLS_PARTS_REQUESTS_H

#include "protocols/parts/asked_peers.h"
#include "protocols/parts/deadline.h"
#include "util/id_map.h"
#include "util/list.h"

/* How long a request is tried. */
struct sp_request_terms {
    int attempts;      /* peers that may go away while they have it; 0: any number */
    int resend_ivl_ms; /* 0: never sent again for that reason; -1: that of all requests */
};

/* A member of what its owner knows of the request. */
struct sp_request {
    struct sp_id_map_item by_id;
    struct sp_list_item place; /* among the unsent, or among those of the pipe it went to last */
    struct sp_asked asked;
    struct sp_list_item due;
    uint64_t due_ms;
    unsigned transmissions; /* to any peer */
    uint32_t lost;          /* peers that have gone while they had it */
    struct sp_request_terms terms;
    struct nn_message message; /* owned */
};

struct sp_requests {
    struct nn_protocol_socket *socket;
    struct sp_asked_peers peers;
    struct sp_id_map by_id;
    struct sp_list unsent;
    struct sp_list unsent_again; /* those of the unsent that a peer has: they come first, since it may have lost them */
    struct sp_list failed;       /* those that their attempts are used up of, for the owner to take */
    struct sp_list due;          /* the sent ones, earliest first */
    struct sp_deadline resend;
    bool has_place;    /* a request that was given up has left one: others take it when the timer runs out */
    int resend_ivl_ms; /* 0: never for that reason */
    uint64_t resends;  /* how often requests were sent again */
};

/* The private part of a pipe. */
struct sp_requests_pipe {
    struct sp_asked_peer peer;
    struct sp_list sent; /* requests that went to it last */
};

void sp_requests_init(struct sp_requests *self, struct nn_protocol_socket *socket, int resend_ivl_ms);
/* All requests have ended. */
void sp_requests_destroy(struct sp_requests *self);

/* How many requests each peer may have at a time; 0: no limit. */
void sp_requests_set_max_in_flight(struct sp_requests *self, int max_in_flight);

/* Takes the message and sends it on these terms, now or when a peer takes it. Returns 0; -EINVAL when it has a header,
 * -ENOMEM, with nothing changed. */
int sp_requests_begin(struct sp_requests *self, struct sp_request *request, struct nn_message *message,
                      const struct sp_request_terms *terms);
/* Others may be sent in its place. */
void sp_requests_end(struct sp_requests *self, struct sp_request *request);
/* The same without an answer. Others are sent a moment later: those that are given up with it must not be. */
void sp_requests_give_up(struct sp_requests *self, struct sp_request *request);

/* Moves the id from a reply's body to its header. Returns the request that it answers, or NULL: also when `from` was
 * not asked. */
struct sp_request *sp_requests_answered(const struct sp_requests *self, struct nn_message *reply,
                                        const struct nn_pipe *from);

/* The next request that has failed, which its owner ends; or NULL. To be asked when a pipe was removed. */
struct sp_request *sp_requests_next_failed(struct sp_requests *self);

/* As the functions of a protocol's table. */
void sp_requests_pipe_added(struct sp_requests *self, struct nn_pipe *pipe);
void sp_requests_pipe_removed(struct sp_requests *self, struct nn_pipe *pipe);
void sp_requests_pipe_writable(struct sp_requests *self, struct nn_pipe *pipe);
void sp_requests_timer(struct sp_requests *self);

#endif
