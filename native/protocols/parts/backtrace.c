/* Parsing and building the words in front of a body. */
#include "protocols/parts/backtrace.h"

#include "util/bytes.h"

#include <errno.h>

size_t sp_backtrace_words(const uint8_t *bytes, size_t count_bytes, size_t max_words)
{
    size_t words = count_bytes / SP_BACKTRACE_WORD_BYTES;

    if (words > max_words)
        words = max_words;
    for (size_t word = 0; word < words; word++)
        if (bytes[word * SP_BACKTRACE_WORD_BYTES] & 0x80)
            return word + 1;
    return 0;
}

int sp_backtrace_unstack(struct nn_message *message, uint32_t pipe_id, int max_words)
{
    size_t words = sp_backtrace_words(message->body, message->body_bytes, (size_t)max_words);
    uint8_t id[SP_BACKTRACE_WORD_BYTES];

    if (words == 0)
        return -EPROTO;
    sp_put_u32(id, pipe_id);
    int rc = nn_message_header_append(message, id, sizeof id);
    if (rc == 0)
        rc = nn_message_header_pull(message, words * SP_BACKTRACE_WORD_BYTES);
    return rc;
}

int sp_backtrace_unstack_id(struct nn_message *message)
{
    if (message->body_bytes < SP_BACKTRACE_WORD_BYTES)
        return -EPROTO;
    return nn_message_header_pull(message, SP_BACKTRACE_WORD_BYTES);
}

bool sp_backtrace_is_id(const struct nn_message *message, uint32_t id)
{
    return message->header_bytes == SP_BACKTRACE_WORD_BYTES && sp_get_u32(nn_message_header(message)) == id;
}

int sp_backtrace_push_id(struct nn_message *message, uint32_t id)
{
    uint8_t word[SP_BACKTRACE_WORD_BYTES];

    if (message->header_bytes > 0)
        return -EINVAL;
    sp_put_u32(word, id);
    return nn_message_header_append(message, word, sizeof word);
}
