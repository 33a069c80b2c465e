/* A conversation holds its request until it is answered, then its reply. */
#include "protocols/parts/request_conversations.h"

#include "util/memory.h"

#include <errno.h>

struct conversation {
    struct sp_request request;
    struct sp_id_map_item by_number;
    struct sp_list_item answered;
    struct nn_message reply; /* owned; while linked by `answered` */
};

static struct conversation *conversation_of(struct sp_id_map_item *by_number)
{
    return SP_CONTAINER(by_number, struct conversation, by_number);
}

void sp_request_conversations_init(struct sp_request_conversations *self, struct sp_requests *requests)
{
    self->requests = requests;
    sp_id_map_init(&self->by_number);
    sp_list_init(&self->answered);
}

static void conversation_end(struct sp_id_map_item *item, void *context)
{
    const struct sp_request_conversations *self = context;
    struct conversation *conversation = conversation_of(item);

    if (sp_list_is_linked(&conversation->answered)) {
        sp_list_remove(&conversation->answered);
        nn_message_free(&conversation->reply);
    } else {
        sp_requests_end(self->requests, &conversation->request);
    }
    sp_free(conversation);
}

void sp_request_conversations_destroy(struct sp_request_conversations *self)
{
    sp_id_map_drain(&self->by_number, conversation_end, self);
    sp_id_map_destroy(&self->by_number);
}

int sp_request_conversations_begin(struct sp_request_conversations *self, struct nn_message *message, uint32_t number)
{
    if (sp_id_map_find(&self->by_number, number) != NULL)
        return -EEXIST;
    struct conversation *conversation = sp_zalloc(sizeof *conversation);
    if (conversation == NULL)
        return -ENOMEM;
    int rc = sp_requests_begin(self->requests, &conversation->request, message);
    if (rc < 0) {
        sp_free(conversation);
        return rc;
    }
    sp_id_map_add(&self->by_number, &conversation->by_number, number);
    return 0;
}

void sp_request_conversations_answer(struct sp_request_conversations *self, struct sp_request *request,
                                     struct nn_message *reply)
{
    struct conversation *conversation = SP_CONTAINER(request, struct conversation, request);

    sp_requests_end(self->requests, request);
    conversation->reply = *reply;
    sp_list_append(&self->answered, &conversation->answered);
}

int sp_request_conversations_receive(struct sp_request_conversations *self, struct nn_message *reply, uint32_t *number)
{
    struct sp_list_item *item = sp_list_pop(&self->answered);

    if (item == NULL)
        return -EAGAIN;
    struct conversation *conversation = SP_CONTAINER(item, struct conversation, answered);
    *number = conversation->by_number.id;
    *reply = conversation->reply;
    sp_id_map_remove(&self->by_number, &conversation->by_number);
    sp_free(conversation);
    return 0;
}

void sp_request_conversations_forget(struct sp_request_conversations *self, uint32_t number)
{
    struct sp_id_map_item *item = sp_id_map_find(&self->by_number, number);

    if (item == NULL)
        return;
    sp_id_map_remove(&self->by_number, item);
    conversation_end(item, self);
}
