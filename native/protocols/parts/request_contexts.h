/* Requests that go on side by side: each has a number of its user's, and is over when its reply has been received. */
#ifndef SP_PROTOCOLS_PARTS_REQUEST_CONTEXTS_H
#define SP_PROTOCOLS_PARTS_REQUEST_CONTEXTS_H

#include "protocols/parts/requests.h"

struct sp_request_contexts {
    struct sp_requests *requests;
    struct sp_request_terms terms; /* of requests that are begun later */
    struct sp_id_map by_number;
    struct sp_list answered; /* in the order of their replies, or failures */
};

void sp_request_contexts_init(struct sp_request_contexts *self, struct sp_requests *requests);
void sp_request_contexts_destroy(struct sp_request_contexts *self);

/* Takes the message on 0; -EEXIST when the number is in use, -EINVAL when there is a header, -ENOMEM. */
int sp_request_contexts_begin(struct sp_request_contexts *self, struct nn_message *message, uint32_t number);

/* Keeps the reply to a request that was begun here; the request is over. */
void sp_request_contexts_answer(struct sp_request_contexts *self, struct sp_request *request, struct nn_message *reply);

/* A request that was begun here has failed. */
void sp_request_contexts_fail(struct sp_request_contexts *self, struct sp_request *request);

/* Gives the next reply and ends its context, or returns -EAGAIN. -ECONNRESET: the request of this context has failed,
 * and reply->pipe is how many peers have gone while they had it. */
int sp_request_contexts_receive(struct sp_request_contexts *self, struct nn_message *reply, uint32_t *number);

/* How often its request was sent, or -EINVAL: there is no such context, or its reply has come. */
int64_t sp_request_contexts_sent(const struct sp_request_contexts *self, uint32_t number);

void sp_request_contexts_close(struct sp_request_contexts *self, uint32_t number);

static inline bool sp_request_contexts_can_receive(const struct sp_request_contexts *self)
{
    return !sp_list_is_empty(&self->answered);
}

#endif
