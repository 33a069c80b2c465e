/* Sending, resending and recognising the answers. */
#include "protocols/parts/requests.h"

#include "protocols/parts/backtrace.h"

#include "util/bytes.h"
#include "util/memory.h"

#include <errno.h>

/* Retry delay of a request that could not be sent for lack of memory. */
#define OUT_OF_MEMORY_DELAY_MS 20

void sp_requests_init(struct sp_requests *self, struct nn_protocol_socket *socket, int resend_ivl_ms)
{
    self->socket = socket;
    sp_id_map_init(&self->by_id);
    sp_asked_peers_init(&self->peers);
    sp_list_init(&self->unsent);
    sp_list_init(&self->unsent_again);
    sp_list_init(&self->failed);
    sp_list_init(&self->due);
    self->resend_ivl_ms = resend_ivl_ms;
}

void sp_requests_destroy(struct sp_requests *self)
{
    sp_id_map_destroy(&self->by_id);
}

/* ---- Resending ---- */

static void requests_forget_due(struct sp_request *request)
{
    if (sp_list_is_linked(&request->due))
        sp_list_remove(&request->due);
}

/* Intervals are mostly the same, so the latest is mostly the last. */
static void requests_insert_due(struct sp_requests *self, struct sp_request *request)
{
    struct sp_list_item *before = self->due.head.previous;

    while (before != &self->due.head && SP_CONTAINER(before, struct sp_request, due)->due_ms > request->due_ms)
        before = before->previous;
    request->due.previous = before;
    request->due.next = before->next;
    before->next->previous = &request->due;
    before->next = &request->due;
}

static void requests_set_due(struct sp_requests *self, struct sp_request *request, int delay_ms)
{
    requests_forget_due(request);
    if (delay_ms == 0)
        return;
    request->due_ms = nn_protocol_now_ms() + (uint64_t)delay_ms;
    requests_insert_due(self, request);
    if (sp_list_first(&self->due) == &request->due && !self->has_place)
        sp_deadline_set(&self->resend, self->socket, delay_ms);
}

static bool request_is_used_up(const struct sp_request *request)
{
    return request->terms.attempts > 0 && request->lost >= (uint32_t)request->terms.attempts;
}

/* ---- Sending ---- */

/* Sends the request to the next peer in turn. Returns 0, -EAGAIN when none takes it and it is among the unsent, or
 * -ENOMEM when it is tried again soon. */
static int requests_transmit(struct sp_requests *self, struct sp_request *request)
{
    struct nn_message copy;

    int rc = nn_message_share(&copy, &request->message);
    if (rc == 0 && (rc = sp_asked_peers_send(&self->peers, &request->asked, &copy)) < 0)
        nn_message_free(&copy);
    if (rc == -EAGAIN) {
        bool is_with_others = sp_asked_is_with_others(&request->asked);
        requests_forget_due(request);
        sp_list_append(is_with_others ? &self->unsent_again : &self->unsent, &request->place);
        return rc;
    }
    if (rc == 0) {
        struct sp_requests_pipe *data = nn_pipe_data(request->asked.pipe);
        if (request->transmissions++ > 0)
            self->resends++;
        sp_list_append(&data->sent, &request->place);
    }
    int resend_ivl_ms = request->terms.resend_ivl_ms >= 0 ? request->terms.resend_ivl_ms : self->resend_ivl_ms;
    requests_set_due(self, request, rc == 0 ? resend_ivl_ms : OUT_OF_MEMORY_DELAY_MS);
    return rc;
}

static void requests_send_again(struct sp_requests *self, struct sp_request *request)
{
    if (sp_list_is_linked(&request->place))
        sp_list_remove(&request->place);
    requests_transmit(self, request);
}

/* Those that a peer has may go to it once more where others wait for room. */
static void requests_send_unsent(struct sp_requests *self)
{
    struct sp_list waiting;
    struct sp_list_item *item;
    int rc = 0;

    sp_list_init(&waiting);
    sp_list_move(&waiting, &self->unsent_again);
    while ((rc != -EAGAIN || self->peers.max_in_flight > 0) && (item = sp_list_pop(&waiting)) != NULL)
        rc = requests_transmit(self, SP_CONTAINER(item, struct sp_request, place));
    sp_list_move(&self->unsent_again, &waiting);

    sp_list_move(&waiting, &self->unsent);
    while (rc != -EAGAIN && (item = sp_list_pop(&waiting)) != NULL)
        rc = requests_transmit(self, SP_CONTAINER(item, struct sp_request, place));
    sp_list_move(&self->unsent, &waiting);
}

static bool requests_have_unsent(const struct sp_requests *self)
{
    return !sp_list_is_empty(&self->unsent) || !sp_list_is_empty(&self->unsent_again);
}

void sp_requests_set_max_in_flight(struct sp_requests *self, int max_in_flight)
{
    sp_asked_peers_set_limit(&self->peers, max_in_flight);
    if (requests_have_unsent(self))
        requests_send_unsent(self);
}

static uint32_t requests_draw_id(const struct sp_requests *self)
{
    uint32_t id;

    do {
        id = nn_protocol_random() | SP_BACKTRACE_BOTTOM;
    } while (sp_id_map_find(&self->by_id, id) != NULL);
    return id;
}

int sp_requests_begin(struct sp_requests *self, struct sp_request *request, struct nn_message *message,
                      const struct sp_request_terms *terms)
{
    if (message->header_bytes > 0)
        return -EINVAL;
    int rc = nn_message_own(message);
    if (rc < 0)
        return rc;
    uint32_t id = requests_draw_id(self);
    if ((rc = sp_backtrace_push_id(message, id)) < 0)
        return rc;

    request->message = *message;
    sp_list_item_init(&request->place);
    sp_list_item_init(&request->due);
    sp_asked_init(&request->asked);
    request->transmissions = 0;
    request->lost = 0;
    request->terms = *terms;
    sp_id_map_add(&self->by_id, &request->by_id, id);
    requests_transmit(self, request);
    return 0;
}

/* Returns true if others may be sent in its place. */
static bool requests_remove(struct sp_requests *self, struct sp_request *request)
{
    sp_id_map_remove(&self->by_id, &request->by_id);
    if (sp_list_is_linked(&request->place))
        sp_list_remove(&request->place);
    requests_forget_due(request);
    if (sp_list_is_empty(&self->due) && !self->has_place)
        sp_deadline_clear(&self->resend);
    nn_message_free(&request->message);
    return sp_asked_peers_forget(&self->peers, &request->asked) && requests_have_unsent(self);
}

void sp_requests_end(struct sp_requests *self, struct sp_request *request)
{
    if (requests_remove(self, request))
        requests_send_unsent(self);
}

void sp_requests_give_up(struct sp_requests *self, struct sp_request *request)
{
    if (!requests_remove(self, request))
        return;
    self->has_place = true;
    sp_deadline_set(&self->resend, self->socket, 0);
}

struct sp_request *sp_requests_answered(const struct sp_requests *self, struct nn_message *reply,
                                        const struct nn_pipe *from)
{
    if (sp_backtrace_unstack_id(reply) < 0)
        return NULL;
    struct sp_id_map_item *item = sp_id_map_find(&self->by_id, sp_get_u32(nn_message_header(reply)));
    if (item == NULL)
        return NULL;
    struct sp_request *request = SP_CONTAINER(item, struct sp_request, by_id);
    return sp_asked_knows(&request->asked, from) ? request : NULL;
}

/* ---- Events ---- */

void sp_requests_pipe_added(struct sp_requests *self, struct nn_pipe *pipe)
{
    struct sp_requests_pipe *data = nn_pipe_data(pipe);

    (void)self;
    sp_asked_peers_added(pipe);
    sp_list_init(&data->sent);
}

/* A peer has gone that had it. Returns true if it may be sent again. One that no peer has any more fails. */
static bool requests_count_lost(struct sp_requests *self, struct sp_request *request)
{
    request->lost++;
    if (!request_is_used_up(request))
        return true;
    requests_forget_due(request);
    if (request->asked.pipe != NULL)
        return false;
    if (sp_list_is_linked(&request->place))
        sp_list_remove(&request->place);
    if (!sp_asked_is_with_any(&request->asked))
        sp_list_append(&self->failed, &request->place);
    return false;
}

struct sp_request *sp_requests_next_failed(struct sp_requests *self)
{
    struct sp_list_item *item = sp_list_first(&self->failed);

    return item != NULL ? SP_CONTAINER(item, struct sp_request, place) : NULL;
}

void sp_requests_pipe_removed(struct sp_requests *self, struct nn_pipe *pipe)
{
    struct sp_requests_pipe *data = nn_pipe_data(pipe);
    struct sp_list_item *item;
    struct sp_asked *asked;

    sp_asked_peers_removed(&self->peers, pipe);
    while ((asked = sp_asked_lose_earlier(pipe)) != NULL)
        requests_count_lost(self, SP_CONTAINER(asked, struct sp_request, asked));
    while ((item = sp_list_first(&data->sent)) != NULL) {
        struct sp_request *request = SP_CONTAINER(item, struct sp_request, place);
        request->asked.pipe = NULL;
        if (requests_count_lost(self, request))
            requests_send_again(self, request);
    }
}

void sp_requests_pipe_writable(struct sp_requests *self, struct nn_pipe *pipe)
{
    sp_asked_peers_writable(&self->peers, pipe);
    if (requests_have_unsent(self))
        requests_send_unsent(self);
}

void sp_requests_timer(struct sp_requests *self)
{
    struct sp_list_item *item;

    if (!sp_deadline_expired(&self->resend, self->socket))
        return;
    if (self->has_place) {
        self->has_place = false;
        requests_send_unsent(self);
    }
    uint64_t now_ms = nn_protocol_now_ms();
    while ((item = sp_list_first(&self->due)) != NULL) {
        struct sp_request *request = SP_CONTAINER(item, struct sp_request, due);
        if (request->due_ms > now_ms) {
            sp_deadline_set(&self->resend, self->socket, (int)(request->due_ms - now_ms));
            return;
        }
        requests_send_again(self, request);
    }
}
