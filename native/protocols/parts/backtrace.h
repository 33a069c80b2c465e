/* The stack of 32-bit words at the front of requests, surveys and their answers: the ids of the pipes
 * that a message has crossed, one for each device, and at the bottom the requester's id, which alone has
 * its top bit set (RFC sp-request-reply-01, section 4). */
#ifndef SP_PROTOCOLS_PARTS_BACKTRACE_H
#define SP_PROTOCOLS_PARTS_BACKTRACE_H

#include <nanomsg/protocol.h>

#define SP_BACKTRACE_WORD_BYTES 4
#define SP_BACKTRACE_BOTTOM 0x80000000u

/* The deepest stack: NN_MAXTTL is at most 255. */
#define SP_BACKTRACE_MAX_BYTES (255 * SP_BACKTRACE_WORD_BYTES)

/* The number of words down to the bottom, or 0 when the bottom is not among the first max_words. */
size_t sp_backtrace_words(const uint8_t *bytes, size_t count_bytes, size_t max_words);

/* For the replier: moves the stack from the body to the header and pushes the pipe's id. Returns 0,
 * -EPROTO when there is no stack of at most max_words, -ENOMEM; the message is to be dropped then. */
int sp_backtrace_unstack(struct nn_message *message, uint32_t pipe_id, int max_words);

/* For the requester: moves the bottom word, which is all that is left, from the body to the header. Returns 0,
 * -EPROTO when the body is shorter, -ENOMEM. */
int sp_backtrace_unstack_id(struct nn_message *message);

/* Whether the header is one word: this id. */
bool sp_backtrace_is_id(const struct nn_message *message, uint32_t id);

/* Makes the header one word. Returns 0, -EINVAL when there is a header already, -ENOMEM. */
int sp_backtrace_push_id(struct nn_message *message, uint32_t id);

#endif
