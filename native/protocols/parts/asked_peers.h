/* Which peers have which requests, and which one gets the next.
 *
 * Without a limit the next in turn gets it. With one, a peer has at most that number of requests at a time, and the
 * next goes to the peer that has the fewest. A peer that has as many as it may is no longer asked, until one of them is
 * over: so the choice looks at peers with room only. */
#ifndef SP_PROTOCOLS_PARTS_ASKED_PEERS_H
#define SP_PROTOCOLS_PARTS_ASKED_PEERS_H

#include "protocols/parts/load_balancer.h"
#include "util/list.h"

struct sp_asked_peers {
    struct sp_load_balancer open; /* those with room */
    struct sp_list full;
    int max_in_flight; /* of each peer; 0: no limit */
};

/* A peer's part: the first member of the pipe's private part. */
struct sp_asked_peer {
    struct sp_priority_slot slot;
    struct sp_list_item full; /* linked: it has as many requests as it may */
    struct sp_list earlier;   /* notes of requests that went to another peer later */
    int in_flight;            /* requests that it was sent and that go on, be they sent to others as well */
};

/* A request's part: the peers that were sent it, without those that are gone. */
struct sp_asked {
    struct nn_pipe *pipe;   /* the latest one; NULL: it waits to be sent */
    struct sp_list earlier; /* the others */
};

void sp_asked_peers_init(struct sp_asked_peers *self);
/* Counts from the next request on: a peer that has more keeps them. */
void sp_asked_peers_set_limit(struct sp_asked_peers *self, int max_in_flight);

void sp_asked_peers_added(struct nn_pipe *pipe);
/* The peer gets no requests any more. Before its end, the caller takes back what it has: see sp_asked_lose_earlier; of
 * requests that went to it last it sets the pipe to NULL. */
void sp_asked_peers_removed(struct sp_asked_peers *self, struct nn_pipe *pipe);
/* Takes a request from the peer that went to another one later. Returns NULL when there is none. */
struct sp_asked *sp_asked_lose_earlier(struct nn_pipe *pipe);
void sp_asked_peers_writable(struct sp_asked_peers *self, struct nn_pipe *pipe);

void sp_asked_init(struct sp_asked *asked);

/* Takes the message on 0; -EAGAIN when no peer takes it, or -ENOMEM. The peer is asked->pipe then, or NULL. A request
 * that all peers with room refuse may go once more to one that has it. */
int sp_asked_peers_send(struct sp_asked_peers *self, struct sp_asked *asked, struct nn_message *message);

/* The request is over. Returns true if a peer that was full has room. */
bool sp_asked_peers_forget(struct sp_asked_peers *self, struct sp_asked *asked);

bool sp_asked_knows(const struct sp_asked *asked, const struct nn_pipe *pipe);

static inline bool sp_asked_is_with_any(const struct sp_asked *asked)
{
    return asked->pipe != NULL || !sp_list_is_empty(&asked->earlier);
}

static inline bool sp_asked_is_with_others(const struct sp_asked *asked)
{
    return !sp_list_is_empty(&asked->earlier);
}

#endif
