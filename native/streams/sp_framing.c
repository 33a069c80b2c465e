/* The SP mappings for byte streams: greeting and length-prefixed messages. */
#include "streams/framing.h"

#include "util/bytes.h"

#include <errno.h>
#include <string.h>

#define LENGTH_BYTES 8
#define IPC_MESSAGE_TYPE 1

/* The length is the peer's word: it is compared with the limit before anything is made of it. */
static int length_check(uint64_t body_bytes, size_t limit_bytes, size_t prefix_bytes, struct sp_frame *frame)
{
    if (body_bytes > limit_bytes)
        return -EMSGSIZE;
    frame->prefix_bytes = prefix_bytes;
    frame->body_bytes = (size_t)body_bytes;
    return 1;
}

static int tcp_parse(const uint8_t *data, size_t available_bytes, size_t limit_bytes, struct sp_frame *frame)
{
    if (available_bytes < LENGTH_BYTES)
        return 0;
    return length_check(sp_get_u64(data), limit_bytes, LENGTH_BYTES, frame);
}

static size_t tcp_write_prefix(uint8_t *prefix, size_t body_bytes)
{
    sp_put_u64(prefix, body_bytes);
    return LENGTH_BYTES;
}

static int ipc_parse(const uint8_t *data, size_t available_bytes, size_t limit_bytes, struct sp_frame *frame)
{
    if (available_bytes > 0 && data[0] != IPC_MESSAGE_TYPE)
        return -EPROTO;
    if (available_bytes < 1 + LENGTH_BYTES)
        return 0;
    return length_check(sp_get_u64(data + 1), limit_bytes, 1 + LENGTH_BYTES, frame);
}

static size_t ipc_write_prefix(uint8_t *prefix, size_t body_bytes)
{
    prefix[0] = IPC_MESSAGE_TYPE;
    sp_put_u64(prefix + 1, body_bytes);
    return 1 + LENGTH_BYTES;
}

static const uint8_t greeting_start[4] = {0x00, 'S', 'P', 0x00};

void sp_greeting_write(uint8_t greeting[SP_GREETING_BYTES], int protocol_id)
{
    memcpy(greeting, greeting_start, sizeof greeting_start);
    sp_put_u16(greeting + 4, (uint16_t)protocol_id);
    sp_put_u16(greeting + 6, 0); /* reserved */
}

int sp_greeting_parse(const uint8_t *data, size_t available_bytes)
{
    size_t known_bytes = available_bytes < sizeof greeting_start ? available_bytes : sizeof greeting_start;

    if (memcmp(data, greeting_start, known_bytes) != 0)
        return -EPROTO;
    if (available_bytes < SP_GREETING_BYTES)
        return 0;
    /* The reserved bytes are not checked: libnanomsg accepts any. An id of 0 is nobody's. */
    int id = sp_get_u16(data + 4);
    return id > 0 ? id : -EPROTO;
}

const struct sp_framing sp_tcp_framing = {.parse = tcp_parse, .write_prefix = tcp_write_prefix};
const struct sp_framing sp_ipc_framing = {.parse = ipc_parse, .write_prefix = ipc_write_prefix};
