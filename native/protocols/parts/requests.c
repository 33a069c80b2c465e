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
    sp_list_init(&self->unsent);
    sp_list_init(&self->due);
    self->resend_ivl_ms = resend_ivl_ms;
}

void sp_requests_destroy(struct sp_requests *self)
{
    sp_id_map_destroy(&self->by_id);
}

/* ---- Pipes that a request was sent through ---- */

/* Only requests that are sent again through another pipe need notes. */
struct earlier_pipe {
    struct sp_list_item of_request;
    struct sp_list_item of_pipe;
    struct nn_pipe *pipe;
};

static struct sp_list *requests_of_earlier(struct nn_pipe *pipe)
{
    return &((struct sp_requests_pipe *)nn_pipe_data(pipe))->earlier;
}

static bool request_knows_earlier(const struct sp_request *request, const struct nn_pipe *pipe)
{
    struct sp_list_item *item = sp_list_first(&request->earlier);

    while (item != NULL && SP_CONTAINER(item, struct earlier_pipe, of_request)->pipe != pipe)
        item = sp_list_next(&request->earlier, item);
    return item != NULL;
}

/* Without memory a late reply through the pipe is dropped; the request has been sent again. */
static void request_note_earlier(struct sp_request *request, struct nn_pipe *pipe)
{
    if (request_knows_earlier(request, pipe))
        return;
    struct earlier_pipe *note = sp_alloc(sizeof *note);
    if (note == NULL)
        return;
    note->pipe = pipe;
    sp_list_append(&request->earlier, &note->of_request);
    sp_list_append(requests_of_earlier(pipe), &note->of_pipe);
}

static void earlier_pipe_forget(struct earlier_pipe *note)
{
    sp_list_remove(&note->of_request);
    sp_list_remove(&note->of_pipe);
    sp_free(note);
}

static void request_set_pipe(struct sp_request *request, struct nn_pipe *pipe)
{
    struct nn_pipe *before = request->pipe;

    request->pipe = pipe;
    if (before != NULL && before != pipe)
        request_note_earlier(request, before);
}

static void request_forget_pipes(struct sp_request *request)
{
    struct sp_list_item *item;

    while ((item = sp_list_first(&request->earlier)) != NULL)
        earlier_pipe_forget(SP_CONTAINER(item, struct earlier_pipe, of_request));
    request->pipe = NULL;
}

static void pipe_forget_earlier(struct nn_pipe *pipe)
{
    struct sp_list_item *item;

    while ((item = sp_list_first(requests_of_earlier(pipe))) != NULL)
        earlier_pipe_forget(SP_CONTAINER(item, struct earlier_pipe, of_pipe));
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
    if (sp_list_first(&self->due) == &request->due)
        sp_deadline_set(&self->resend, self->socket, delay_ms);
}

/* ---- Sending ---- */

/* Sends the request to the next peer in turn. Returns 0, -EAGAIN when none takes it and it is among the unsent, or
 * -ENOMEM when it is tried again soon. */
static int requests_transmit(struct sp_requests *self, struct sp_request *request)
{
    struct nn_message copy;
    struct nn_pipe *pipe = NULL;

    int rc = nn_message_share(&copy, &request->message);
    if (rc == 0 && (rc = sp_load_balancer_send(&self->peers, &copy, &pipe)) < 0)
        nn_message_free(&copy);
    request_set_pipe(request, rc == 0 ? pipe : NULL);
    if (rc == -EAGAIN) {
        requests_forget_due(request);
        sp_list_append(&self->unsent, &request->place);
        return rc;
    }
    if (rc == 0) {
        request->transmissions++;
        sp_list_append(&((struct sp_requests_pipe *)nn_pipe_data(pipe))->sent, &request->place);
    }
    requests_set_due(self, request, rc == 0 ? self->resend_ivl_ms : OUT_OF_MEMORY_DELAY_MS);
    return rc;
}

static void requests_send_again(struct sp_requests *self, struct sp_request *request)
{
    if (sp_list_is_linked(&request->place))
        sp_list_remove(&request->place);
    requests_transmit(self, request);
}

static uint32_t requests_draw_id(const struct sp_requests *self)
{
    uint32_t id;

    do {
        id = nn_protocol_random() | SP_BACKTRACE_BOTTOM;
    } while (sp_id_map_find(&self->by_id, id) != NULL);
    return id;
}

int sp_requests_begin(struct sp_requests *self, struct sp_request *request, struct nn_message *message)
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
    request->pipe = NULL;
    request->transmissions = 0;
    sp_list_init(&request->earlier);
    sp_id_map_add(&self->by_id, &request->by_id, id);
    requests_transmit(self, request);
    return 0;
}

void sp_requests_end(struct sp_requests *self, struct sp_request *request)
{
    sp_id_map_remove(&self->by_id, &request->by_id);
    if (sp_list_is_linked(&request->place))
        sp_list_remove(&request->place);
    requests_forget_due(request);
    if (sp_list_is_empty(&self->due))
        sp_deadline_clear(&self->resend);
    request_forget_pipes(request);
    nn_message_free(&request->message);
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
    return request->pipe == from || request_knows_earlier(request, from) ? request : NULL;
}

/* ---- Events ---- */

void sp_requests_pipe_added(struct sp_requests *self, struct nn_pipe *pipe)
{
    struct sp_requests_pipe *data = nn_pipe_data(pipe);

    (void)self;
    sp_load_balancer_add(&data->slot, pipe);
    sp_list_init(&data->sent);
    sp_list_init(&data->earlier);
}

void sp_requests_pipe_removed(struct sp_requests *self, struct nn_pipe *pipe)
{
    struct sp_requests_pipe *data = nn_pipe_data(pipe);
    struct sp_list_item *item;

    sp_load_balancer_remove(&self->peers, &data->slot);
    pipe_forget_earlier(pipe);
    while ((item = sp_list_first(&data->sent)) != NULL) {
        struct sp_request *request = SP_CONTAINER(item, struct sp_request, place);
        request->pipe = NULL;
        requests_send_again(self, request);
    }
}

void sp_requests_pipe_writable(struct sp_requests *self, struct nn_pipe *pipe)
{
    struct sp_requests_pipe *data = nn_pipe_data(pipe);
    struct sp_list waiting;
    struct sp_list_item *item;

    sp_load_balancer_writable(&self->peers, &data->slot);
    if (sp_list_is_empty(&self->unsent))
        return;
    sp_list_init(&waiting);
    sp_list_move(&waiting, &self->unsent);
    while ((item = sp_list_pop(&waiting)) != NULL) {
        if (requests_transmit(self, SP_CONTAINER(item, struct sp_request, place)) == -EAGAIN)
            break;
    }
    sp_list_move(&self->unsent, &waiting);
}

void sp_requests_timer(struct sp_requests *self)
{
    struct sp_list_item *item;

    if (!sp_deadline_expired(&self->resend, self->socket))
        return;
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
