/* Notes of which peer was asked what, and the choice of the next peer. */
#include "protocols/parts/asked_peers.h"

#include "util/memory.h"

#include <errno.h>

void sp_asked_peers_init(struct sp_asked_peers *self)
{
    sp_list_init(&self->full);
}

static struct sp_asked_peer *peer_of(struct nn_pipe *pipe)
{
    return nn_pipe_data(pipe);
}

static struct sp_asked_peer *peer_of_slot(struct sp_priority_slot *slot)
{
    return SP_CONTAINER(slot, struct sp_asked_peer, slot);
}

/* ---- Room ---- */

static bool peer_has_room(const struct sp_asked_peers *self, const struct sp_asked_peer *peer)
{
    return self->max_in_flight == 0 || peer->in_flight < self->max_in_flight;
}

/* The peer has a request more, or may have fewer. */
static void peers_leave_if_full(struct sp_asked_peers *self, struct sp_asked_peer *peer)
{
    if (peer_has_room(self, peer) || sp_list_is_linked(&peer->full))
        return;
    sp_load_balancer_remove(&self->open, &peer->slot);
    sp_list_append(&self->full, &peer->full);
}

/* The peer has a request less, or may have more. Returns true if it was full. One that takes nothing now leaves the
 * open ones when its turn comes. */
static bool peers_rejoin_if_open(struct sp_asked_peers *self, struct sp_asked_peer *peer)
{
    if (!sp_list_is_linked(&peer->full) || !peer_has_room(self, peer))
        return false;
    sp_list_remove(&peer->full);
    sp_load_balancer_writable(&self->open, &peer->slot);
    return true;
}

static void peers_close_full(struct sp_asked_peers *self)
{
    for (unsigned level = 0; level < SP_PRIORITIES; level++) {
        struct sp_priority_slot *slot = self->open.writable.turn[level];
        const struct sp_priority_slot *last = slot != NULL ? slot->previous : NULL;
        while (slot != NULL) {
            struct sp_priority_slot *next = slot != last ? slot->next : NULL;
            peers_leave_if_full(self, peer_of_slot(slot));
            slot = next;
        }
    }
}

void sp_asked_peers_set_limit(struct sp_asked_peers *self, int max_in_flight)
{
    struct sp_list full;
    struct sp_list_item *item;

    self->max_in_flight = max_in_flight;
    sp_list_init(&full);
    sp_list_move(&full, &self->full);
    while ((item = sp_list_first(&full)) != NULL) {
        if (peers_rejoin_if_open(self, SP_CONTAINER(item, struct sp_asked_peer, full)))
            continue;
        sp_list_remove(item);
        sp_list_append(&self->full, item);
    }
    peers_close_full(self);
}

/* ---- Notes ---- */

/* Only requests that are sent again to another peer need notes. */
struct earlier_peer {
    struct sp_list_item of_request;
    struct sp_list_item of_peer;
    struct sp_asked *asked;
    struct nn_pipe *pipe;
};

static struct earlier_peer *note_of_request(struct sp_list_item *item)
{
    return SP_CONTAINER(item, struct earlier_peer, of_request);
}

static struct earlier_peer *asked_find_earlier(const struct sp_asked *asked, const struct nn_pipe *pipe)
{
    struct sp_list_item *item = sp_list_first(&asked->earlier);

    while (item != NULL && note_of_request(item)->pipe != pipe)
        item = sp_list_next(&asked->earlier, item);
    return item != NULL ? note_of_request(item) : NULL;
}

bool sp_asked_knows(const struct sp_asked *asked, const struct nn_pipe *pipe)
{
    return asked->pipe == pipe || asked_find_earlier(asked, pipe) != NULL;
}

static void earlier_peer_forget(struct earlier_peer *note)
{
    sp_list_remove(&note->of_request);
    sp_list_remove(&note->of_peer);
    sp_free(note);
}

/* Returns true if the peer was full. */
static bool peers_release(struct sp_asked_peers *self, struct nn_pipe *pipe)
{
    struct sp_asked_peer *peer = peer_of(pipe);

    peer->in_flight--;
    return peers_rejoin_if_open(self, peer);
}

/* Without memory a late reply of the peer is dropped; the request has been sent again. */
static void peers_note_earlier(struct sp_asked_peers *self, struct sp_asked *asked, struct nn_pipe *pipe)
{
    struct earlier_peer *note = sp_alloc(sizeof *note);

    if (note == NULL) {
        peers_release(self, pipe);
        return;
    }
    note->asked = asked;
    note->pipe = pipe;
    sp_list_append(&asked->earlier, &note->of_request);
    sp_list_append(&peer_of(pipe)->earlier, &note->of_peer);
}

/* A peer that gets a request which it has already has it once. */
static void peers_note_sent(struct sp_asked_peers *self, struct sp_asked *asked, struct nn_pipe *pipe)
{
    struct nn_pipe *before = asked->pipe;

    if (pipe == before)
        return;
    struct earlier_peer *note = pipe != NULL ? asked_find_earlier(asked, pipe) : NULL;
    if (note != NULL)
        earlier_peer_forget(note);
    else if (pipe != NULL)
        peer_of(pipe)->in_flight++;
    asked->pipe = pipe;
    if (before != NULL)
        peers_note_earlier(self, asked, before);
    if (pipe != NULL)
        peers_leave_if_full(self, peer_of(pipe));
}

void sp_asked_init(struct sp_asked *asked)
{
    asked->pipe = NULL;
    sp_list_init(&asked->earlier);
}

bool sp_asked_peers_forget(struct sp_asked_peers *self, struct sp_asked *asked)
{
    struct sp_list_item *item;
    bool has_room = asked->pipe != NULL && peers_release(self, asked->pipe);

    asked->pipe = NULL;
    while ((item = sp_list_first(&asked->earlier)) != NULL) {
        struct earlier_peer *note = note_of_request(item);
        has_room |= peers_release(self, note->pipe);
        earlier_peer_forget(note);
    }
    return has_room;
}

/* ---- Peers ---- */

void sp_asked_peers_added(struct nn_pipe *pipe)
{
    struct sp_asked_peer *peer = peer_of(pipe);

    sp_load_balancer_add(&peer->slot, pipe);
    sp_list_item_init(&peer->full);
    sp_list_init(&peer->earlier);
}

void sp_asked_peers_removed(struct sp_asked_peers *self, struct nn_pipe *pipe)
{
    struct sp_asked_peer *peer = peer_of(pipe);

    sp_load_balancer_remove(&self->open, &peer->slot);
    if (sp_list_is_linked(&peer->full))
        sp_list_remove(&peer->full);
}

struct sp_asked *sp_asked_lose_earlier(struct nn_pipe *pipe)
{
    struct sp_list_item *item = sp_list_first(&peer_of(pipe)->earlier);

    if (item == NULL)
        return NULL;
    struct earlier_peer *note = SP_CONTAINER(item, struct earlier_peer, of_peer);
    struct sp_asked *asked = note->asked;
    earlier_peer_forget(note);
    return asked;
}

void sp_asked_peers_writable(struct sp_asked_peers *self, struct nn_pipe *pipe)
{
    struct sp_asked_peer *peer = peer_of(pipe);

    if (!sp_list_is_linked(&peer->full))
        sp_load_balancer_writable(&self->open, &peer->slot);
}

/* ---- Choice ---- */

/* Whether the first is the better choice: a peer that does not have the request, or else one that has fewer. */
static bool is_better(const struct sp_asked *asked, struct sp_priority_slot *slot, struct sp_priority_slot *other)
{
    bool has = sp_asked_knows(asked, slot->pipe);
    bool other_has = sp_asked_knows(asked, other->pipe);

    return has != other_has ? other_has : peer_of_slot(slot)->in_flight < peer_of_slot(other)->in_flight;
}

/* The best choice among those of the best priority; of equals, the one whose turn comes first. */
static struct sp_priority_slot *peers_least_busy(const struct sp_asked_peers *self, const struct sp_asked *asked)
{
    struct sp_priority_slot *first = sp_priority_ring_first(&self->open.writable);

    if (first == NULL)
        return NULL;
    struct sp_priority_slot *least = first;
    for (struct sp_priority_slot *slot = first->next; slot != first; slot = slot->next) {
        if (peer_of_slot(least)->in_flight == 0)
            break;
        if (is_better(asked, slot, least))
            least = slot;
    }
    return least;
}

static int peers_send_to_least_busy(struct sp_asked_peers *self, const struct sp_asked *asked,
                                    struct nn_message *message, struct nn_pipe **to)
{
    struct sp_priority_slot *slot;

    while ((slot = peers_least_busy(self, asked)) != NULL) {
        int rc = sp_load_balancer_send_to(&self->open, slot, message);
        if (rc == 0)
            *to = slot->pipe;
        if (rc != -EAGAIN)
            return rc;
    }
    return -EAGAIN;
}

/* To peers that are full, but have this request already. */
static int peers_send_once_more(const struct sp_asked *asked, struct nn_message *message, struct nn_pipe **to)
{
    struct sp_list_item *item = sp_list_first(&asked->earlier);
    int rc = -EAGAIN;

    *to = asked->pipe;
    if (*to != NULL)
        rc = nn_pipe_send(*to, message);
    for (; rc == -EAGAIN && item != NULL; item = sp_list_next(&asked->earlier, item)) {
        *to = note_of_request(item)->pipe;
        rc = nn_pipe_send(*to, message);
    }
    return rc;
}

int sp_asked_peers_send(struct sp_asked_peers *self, struct sp_asked *asked, struct nn_message *message)
{
    struct nn_pipe *pipe = NULL;
    int rc;

    if (self->max_in_flight == 0)
        rc = sp_load_balancer_send(&self->open, message, &pipe);
    else if ((rc = peers_send_to_least_busy(self, asked, message, &pipe)) == -EAGAIN)
        rc = peers_send_once_more(asked, message, &pipe);
    peers_note_sent(self, asked, rc == 0 ? pipe : NULL);
    return rc;
}
