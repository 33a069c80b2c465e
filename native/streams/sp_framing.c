/* The SP mappings for byte streams: handshake and length-prefixed messages. */
#include "core/socket_state.h"

#include "streams/framing.h"

#include "message/message.h"

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

static int tcp_parse(const struct sp_session *session, const uint8_t *data, size_t available_bytes, size_t limit_bytes,
                     struct sp_frame *frame)
{
    (void)session;
    if (available_bytes < LENGTH_BYTES)
        return 0;
    return length_check(sp_get_u64(data), limit_bytes, LENGTH_BYTES, frame);
}

static size_t tcp_write_prefix(struct sp_session *session, uint8_t *prefix, const struct nn_message *message)
{
    (void)session;
    sp_put_u64(prefix, sp_message_bytes(message));
    return LENGTH_BYTES;
}

static int ipc_parse(const struct sp_session *session, const uint8_t *data, size_t available_bytes, size_t limit_bytes,
                     struct sp_frame *frame)
{
    (void)session;
    if (available_bytes > 0 && data[0] != IPC_MESSAGE_TYPE)
        return -EPROTO;
    if (available_bytes < 1 + LENGTH_BYTES)
        return 0;
    return length_check(sp_get_u64(data + 1), limit_bytes, 1 + LENGTH_BYTES, frame);
}

static size_t ipc_write_prefix(struct sp_session *session, uint8_t *prefix, const struct nn_message *message)
{
    (void)session;
    prefix[0] = IPC_MESSAGE_TYPE;
    sp_put_u64(prefix + 1, sp_message_bytes(message));
    return 1 + LENGTH_BYTES;
}

/* ---- Handshake ---- */

/* A peer that has not sent its handshake by then is no SP peer; libnanomsg waits as long. */
#define HANDSHAKE_LIMIT_MS 1000

static const uint8_t handshake_start[4] = {0x00, 'S', 'P', 0x00};

static void sp_begin(struct sp_session *session, struct sp_handshake *handshake)
{
    (void)session;
    memcpy(handshake->reply, handshake_start, sizeof handshake_start);
    sp_put_u16(handshake->reply + 4, (uint16_t)handshake->endpoint->socket->protocol->id);
    sp_put_u16(handshake->reply + 6, 0); /* reserved */
    handshake->reply_bytes = SP_HANDSHAKE_BYTES;
}

/* Only as many bytes as there are need to be right, so that garbage is noticed early. */
static int sp_answer(struct sp_session *session, struct sp_handshake *handshake)
{
    size_t count = handshake->received_bytes;
    size_t known_bytes = count < sizeof handshake_start ? count : sizeof handshake_start;

    (void)session;
    if (memcmp(handshake->received, handshake_start, known_bytes) != 0)
        return -EPROTO;
    if (count < SP_HANDSHAKE_BYTES)
        return 0;
    handshake->taken_bytes = SP_HANDSHAKE_BYTES;
    /* The reserved bytes are not checked: libnanomsg accepts any. No protocol has the id 0. */
    int id = sp_get_u16(handshake->received + 4);
    return id > 0 ? id : -EPROTO;
}

const struct sp_framing sp_tcp_framing = {
    .handshake_limit_bytes = SP_HANDSHAKE_BYTES,
    .handshake_limit_ms = HANDSHAKE_LIMIT_MS,
    .begin = sp_begin,
    .answer = sp_answer,
    .parse = tcp_parse,
    .write_prefix = tcp_write_prefix,
};

const struct sp_framing sp_ipc_framing = {
    .is_local = true,
    .handshake_limit_bytes = SP_HANDSHAKE_BYTES,
    .handshake_limit_ms = HANDSHAKE_LIMIT_MS,
    .begin = sp_begin,
    .answer = sp_answer,
    .parse = ipc_parse,
    .write_prefix = ipc_write_prefix,
};
