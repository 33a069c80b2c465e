/* A context holds its request until it is answered, then its reply. */
#include "protocols/parts/request_contexts.h"

#include "util/memory.h"

#include <errno.h>

struct context {
    struct sp_request request;
    struct sp_id_map_item by_number;
    struct sp_list_item answered;
    struct nn_message reply; /* owned; while linked by `answered` */
    bool has_failed;
};

static struct context *context_of(struct sp_id_map_item *by_number)
{
    return SP_CONTAINER(by_number, struct context, by_number);
}

void sp_request_contexts_init(struct sp_request_contexts *self, struct sp_requests *requests)
{
    self->requests = requests;
    self->terms.attempts = 0;
    self->terms.resend_ivl_ms = -1;
    sp_id_map_init(&self->by_number);
    sp_list_init(&self->answered);
}

static void context_end(struct sp_id_map_item *item, void *contexts)
{
    const struct sp_request_contexts *self = contexts;
    struct context *context = context_of(item);

    if (sp_list_is_linked(&context->answered)) {
        sp_list_remove(&context->answered);
        nn_message_free(&context->reply);
    } else {
        sp_requests_give_up(self->requests, &context->request);
    }
    sp_free(context);
}

void sp_request_contexts_destroy(struct sp_request_contexts *self)
{
    sp_id_map_drain(&self->by_number, context_end, self);
    sp_id_map_destroy(&self->by_number);
}

int sp_request_contexts_begin(struct sp_request_contexts *self, struct nn_message *message, uint32_t number)
{
    if (sp_id_map_find(&self->by_number, number) != NULL)
        return -EEXIST;
    struct context *context = sp_zalloc(sizeof *context);
    if (context == NULL)
        return -ENOMEM;
    int rc = sp_requests_begin(self->requests, &context->request, message, &self->terms);
    if (rc < 0) {
        sp_free(context);
        return rc;
    }
    sp_id_map_add(&self->by_number, &context->by_number, number);
    return 0;
}

void sp_request_contexts_answer(struct sp_request_contexts *self, struct sp_request *request, struct nn_message *reply)
{
    struct context *context = SP_CONTAINER(request, struct context, request);

    sp_requests_end(self->requests, request);
    context->reply = *reply;
    sp_list_append(&self->answered, &context->answered);
}

void sp_request_contexts_fail(struct sp_request_contexts *self, struct sp_request *request)
{
    struct context *context = SP_CONTAINER(request, struct context, request);

    sp_requests_end(self->requests, request);
    nn_message_init(&context->reply);
    context->reply.pipe = request->lost;
    context->has_failed = true;
    sp_list_append(&self->answered, &context->answered);
}

int sp_request_contexts_receive(struct sp_request_contexts *self, struct nn_message *reply, uint32_t *number)
{
    struct sp_list_item *item = sp_list_pop(&self->answered);

    if (item == NULL)
        return -EAGAIN;
    struct context *context = SP_CONTAINER(item, struct context, answered);
    *number = context->by_number.id;
    *reply = context->reply;
    int rc = context->has_failed ? -ECONNRESET : 0;
    sp_id_map_remove(&self->by_number, &context->by_number);
    sp_free(context);
    return rc;
}

int64_t sp_request_contexts_sent(const struct sp_request_contexts *self, uint32_t number)
{
    struct sp_id_map_item *item = sp_id_map_find(&self->by_number, number);

    if (item == NULL || sp_list_is_linked(&context_of(item)->answered))
        return -EINVAL;
    return context_of(item)->request.transmissions;
}

void sp_request_contexts_close(struct sp_request_contexts *self, uint32_t number)
{
    struct sp_id_map_item *item = sp_id_map_find(&self->by_number, number);

    if (item == NULL)
        return;
    sp_id_map_remove(&self->by_number, item);
    context_end(item, self);
}
