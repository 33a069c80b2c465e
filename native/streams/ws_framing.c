/* The frames of WebSocket (RFC 6455, section 5): data, fragments, control frames, closing. */
#include "streams/ws_framing.h"

#include "streams/ws_handshake.h"
#include "streams/ws_session.h"

#include "message/chunk.h"
#include "message/message.h"

#include "util/bytes.h"
#include "util/mask.h"
#include "util/random.h"
#include "util/utf8.h"

#include <errno.h>
#include <string.h>

#define FIN 0x80
#define RESERVED 0x70
#define OPCODE 0x0f
#define MASKED 0x80
#define LENGTH 0x7f
#define LENGTH_16 126
#define LENGTH_64 127

#define IS_CONTROL 0x08
#define CONTROL_LIMIT_BYTES 125
/* A fragmented message's first memory; it doubles as fragments come. */
#define FRAGMENTS_FIRST_BYTES ((size_t)1024)

enum opcode { CONTINUATION = 0, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 };

/* RFC 6455, 7.4.1. */
enum close_code {
    CLOSE_NORMAL = 1000,
    CLOSE_PROTOCOL_ERROR = 1002,
    CLOSE_INVALID_DATA = 1007,
    CLOSE_TOO_BIG = 1009,
    CLOSE_INTERNAL_ERROR = 1011,
};

/* ---- Prefixes ---- */

static size_t length_bytes_of(uint8_t length)
{
    return length == LENGTH_64 ? 8 : length == LENGTH_16 ? 2 : 0;
}

/* Whether a frame may begin like this here. */
static bool is_start_allowed(const struct sp_ws_session *self, uint8_t start)
{
    uint8_t opcode = start & OPCODE;

    if (start & RESERVED)
        return false; /* no extension was agreed upon */
    switch (opcode) {
    case CONTINUATION:
        return self->fragment_opcode != 0;
    case TEXT:
    case BINARY:
        return self->fragment_opcode == 0;
    case CLOSE:
    case PING:
    case PONG:
        return start & FIN;
    default:
        return false;
    }
}

static size_t fragments_bytes(const struct sp_ws_session *self)
{
    return self->fragments != NULL ? self->fragments->size_bytes : 0;
}

/* Compares the peer's word with what is left of the limit. */
static int check_length(const struct sp_ws_session *self, uint64_t body_bytes, size_t limit_bytes)
{
    size_t so_far = fragments_bytes(self);

    if (body_bytes > INT64_MAX)
        return -EPROTO;
    return so_far > limit_bytes || body_bytes > limit_bytes - so_far ? -EMSGSIZE : 1;
}

/* A length that would fit into a shorter form is refused (5.2). */
static bool is_length_minimal(uint64_t body_bytes, size_t length_bytes)
{
    return length_bytes == 0 || body_bytes > (length_bytes == 2 ? LENGTH_16 - 1 : UINT16_MAX);
}

static int ws_parse(const struct sp_session *session, const uint8_t *data, size_t available_bytes, size_t limit_bytes,
                    struct sp_frame *frame)
{
    const struct sp_ws_session *self = SP_CONST_CONTAINER(session, struct sp_ws_session, base);

    if (available_bytes >= 1 && !is_start_allowed(self, data[0]))
        return -EPROTO;
    if (available_bytes < 2)
        return 0;

    /* Clients mask, servers do not; the other way round is an error (5.1). */
    bool is_control = data[0] & IS_CONTROL;
    uint8_t length = data[1] & LENGTH;
    if (((data[1] & MASKED) != 0) == self->is_client || (is_control && length > CONTROL_LIMIT_BYTES))
        return -EPROTO;

    size_t length_bytes = length_bytes_of(length);
    if (available_bytes < 2 + length_bytes)
        return 0;
    uint64_t body_bytes = length_bytes == 8 ? sp_get_u64(data + 2) : length_bytes == 2 ? sp_get_u16(data + 2) : length;
    if (!is_length_minimal(body_bytes, length_bytes))
        return -EPROTO;
    int rc = is_control ? 1 : check_length(self, body_bytes, limit_bytes);
    frame->prefix_bytes = 2 + length_bytes + (self->is_client ? 0 : SP_MASK_KEY_BYTES);
    frame->body_bytes = (size_t)body_bytes;
    return rc > 0 && available_bytes < frame->prefix_bytes ? 0 : rc;
}

/* Writes a prefix, with a new mask when we are the client. `start` is FIN and the opcode. Returns its length. */
static size_t write_prefix(const struct sp_ws_session *self, uint8_t *prefix, uint8_t start, size_t body_bytes)
{
    uint8_t masked = self->is_client ? MASKED : 0;
    size_t count = 2;

    prefix[0] = start;
    if (body_bytes < LENGTH_16) {
        prefix[1] = masked | (uint8_t)body_bytes;
    } else if (body_bytes <= UINT16_MAX) {
        prefix[1] = masked | LENGTH_16;
        sp_put_u16(prefix + 2, (uint16_t)body_bytes);
        count += 2;
    } else {
        prefix[1] = masked | LENGTH_64;
        sp_put_u64(prefix + 2, body_bytes);
        count += 8;
    }
    if (self->is_client) {
        sp_put_u32(prefix + count, sp_random_unpredictable_u32());
        count += SP_MASK_KEY_BYTES;
    }
    return count;
}

/* ---- Sending ---- */

static uint8_t opcode_of(const struct sp_ws_session *self, const struct nn_message *message)
{
    bool is_typed = message->type == TEXT || message->type == BINARY;

    return is_typed ? (uint8_t)message->type : self->send_opcode;
}

static size_t ws_write_prefix(struct sp_session *session, uint8_t *prefix, const struct nn_message *message)
{
    const struct sp_ws_session *self = sp_ws_session_of(session);

    return write_prefix(self, prefix, FIN | opcode_of(self, message), sp_message_bytes(message));
}

static size_t ws_write_fragment_prefix(struct sp_session *session, uint8_t *prefix, const struct nn_message *fragment,
                                       bool is_first, bool is_last)
{
    const struct sp_ws_session *self = sp_ws_session_of(session);
    uint8_t opcode = is_first ? opcode_of(self, fragment) : CONTINUATION;

    return write_prefix(self, prefix, (is_last ? FIN : 0) | opcode, sp_message_bytes(fragment));
}

/* A client's messages leave as masked copies: their bodies may be shared. */
static int ws_mask(const uint8_t *prefix, size_t prefix_bytes, const struct nn_message *message,
                   uint8_t scratch[SP_ENCODE_SCRATCH_BYTES], struct nn_message *encoded)
{
    const uint8_t *key = prefix + prefix_bytes - SP_MASK_KEY_BYTES;
    size_t count = sp_message_bytes(message);
    uint8_t *to = scratch;

    if (count <= SP_ENCODE_SCRATCH_BYTES) {
        sp_message_borrow(encoded, scratch, count);
    } else {
        struct nn_chunk *chunk = sp_chunk_create(count);
        if (chunk == NULL)
            return -ENOMEM;
        to = chunk->bytes;
        sp_message_view(encoded, chunk, to, count);
    }
    size_t phase = sp_mask(to, nn_message_header(message), message->header_bytes, key, 0);
    sp_mask(to + message->header_bytes, message->body, message->body_bytes, key, phase);
    return 0;
}

static void put_control(struct sp_ws_session *self, uint8_t opcode, const uint8_t *body, size_t count)
{
    uint8_t *frame = self->base.control;
    size_t prefix_bytes = write_prefix(self, frame, FIN | opcode, count);

    if (self->is_client)
        sp_mask(frame + prefix_bytes, body, count, frame + prefix_bytes - SP_MASK_KEY_BYTES, 0);
    else if (count > 0)
        memcpy(frame + prefix_bytes, body, count);
    self->base.control_bytes = (uint8_t)(prefix_bytes + count);
}

static uint16_t close_code_of(const struct sp_ws_session *self, int reason)
{
    switch (reason) {
    case 0:
        return CLOSE_NORMAL;
    case -ESHUTDOWN:
        return self->close_code;
    case -EMSGSIZE:
        return CLOSE_TOO_BIG;
    case -EILSEQ:
        return CLOSE_INVALID_DATA;
    case -ENOMEM:
        return CLOSE_INTERNAL_ERROR;
    default:
        return CLOSE_PROTOCOL_ERROR;
    }
}

static void ws_close_frame(struct sp_session *session, int reason)
{
    struct sp_ws_session *self = sp_ws_session_of(session);
    uint8_t code[2];

    sp_put_u16(code, close_code_of(self, reason));
    put_control(self, CLOSE, code, sizeof code);
}

/* ---- Receiving ---- */

/* Codes that may stand in a frame (7.4); the rest is reserved, or only for local use. */
static bool is_close_code(unsigned code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

static int use_close(struct sp_ws_session *self, const uint8_t *body, size_t count)
{
    self->close_code = CLOSE_NORMAL;
    if (count == 0)
        return -ESHUTDOWN;
    if (count == 1 || !is_close_code(sp_get_u16(body)))
        return -EPROTO;
    if (!sp_utf8_is_valid(body + 2, count - 2))
        return -EILSEQ;
    self->close_code = sp_get_u16(body);
    return -ESHUTDOWN;
}

static int use_control(struct sp_ws_session *self, uint8_t opcode, const uint8_t *body, size_t count)
{
    if (opcode == CLOSE)
        return use_close(self, body, count);
    if (opcode == PING)
        put_control(self, PONG, body, count);
    return SP_FRAME_SERVICE;
}

/* What a client has sent is unmasked on its way: it is read and written once. Returns 0 or -ENOMEM. */
static int add_fragment(struct sp_ws_session *self, const uint8_t *body, size_t count)
{
    size_t needed = fragments_bytes(self) + count;
    size_t capacity = FRAGMENTS_FIRST_BYTES;

    if (self->fragments == NULL) {
        self->fragments = sp_chunk_create(needed > capacity ? needed : capacity);
        if (self->fragments == NULL)
            return -ENOMEM;
        self->fragments->size_bytes = 0;
        self->checked_bytes = 0;
    } else if (needed > self->fragments->capacity_bytes) {
        capacity = self->fragments->capacity_bytes * 2;
        if (sp_chunk_grow(&self->fragments, needed > capacity ? needed : capacity) < 0)
            return -ENOMEM;
    }
    uint8_t *to = self->fragments->bytes + self->fragments->size_bytes;
    if (self->is_client)
        memcpy(to, body, count);
    else
        sp_mask(to, body, count, body - SP_MASK_KEY_BYTES, 0);
    self->fragments->size_bytes = needed;
    self->base.held_bytes = self->fragments->capacity_bytes;
    self->base.arrived_bytes = needed;
    return 0;
}

static int check_text(uint8_t opcode, const uint8_t *body, size_t count)
{
    return opcode == TEXT && !sp_utf8_is_valid(body, count) ? -EILSEQ : 0;
}

/* What is no text is refused with the first fragment that shows it (8.1), not when the message is complete. */
static int check_fragments(struct sp_ws_session *self, bool is_last)
{
    const uint8_t *rest = self->fragments->bytes + self->checked_bytes;
    size_t count = self->fragments->size_bytes - self->checked_bytes;
    size_t whole_bytes;

    if (self->message_opcode != TEXT)
        return 0;
    if (!sp_utf8_may_begin(rest, count, &whole_bytes) || (is_last && whole_bytes < count))
        return -EILSEQ;
    self->checked_bytes += whole_bytes;
    return 0;
}

static int use_message(struct sp_ws_session *self, uint8_t opcode, const uint8_t *body, size_t count)
{
    int rc = check_text(opcode, body, count);

    self->message_opcode = opcode;
    return rc < 0 ? rc : SP_FRAME_MESSAGE;
}

static int use_fragment(struct sp_ws_session *self, uint8_t opcode, bool is_last, const uint8_t *body, size_t count)
{
    int rc;

    if (opcode != CONTINUATION)
        self->message_opcode = opcode;
    if ((rc = add_fragment(self, body, count)) < 0 || (rc = check_fragments(self, is_last)) < 0)
        return rc;
    self->fragment_opcode = is_last ? 0 : self->message_opcode;
    return is_last ? SP_FRAME_COMPLETES : SP_FRAME_SERVICE;
}

static int ws_use(struct sp_session *session, uint8_t *data, const struct sp_frame *frame)
{
    struct sp_ws_session *self = sp_ws_session_of(session);
    uint8_t *body = data + frame->prefix_bytes;
    uint8_t opcode = data[0] & OPCODE;
    bool is_last = data[0] & FIN;

    if (opcode == CONTINUATION || !is_last)
        return use_fragment(self, opcode, is_last, body, frame->body_bytes);
    if (!self->is_client)
        sp_mask(body, body, frame->body_bytes, body - SP_MASK_KEY_BYTES, 0);
    return opcode & IS_CONTROL ? use_control(self, opcode, body, frame->body_bytes)
                               : use_message(self, opcode, body, frame->body_bytes);
}

static void ws_finish(struct sp_session *session, enum sp_frame_kind kind, struct nn_message *message)
{
    struct sp_ws_session *self = sp_ws_session_of(session);

    if (kind == SP_FRAME_COMPLETES) {
        sp_message_view(message, self->fragments, self->fragments->bytes, self->fragments->size_bytes);
        self->fragments = NULL;
        self->base.held_bytes = 0;
        self->base.arrived_bytes = 0;
    }
    message->type = self->message_opcode;
    if (self->attaches_headers)
        sp_message_attach_peer_info(message, self->peer_headers, NULL);
}

static void ws_close(struct sp_session *session)
{
    struct sp_ws_session *self = sp_ws_session_of(session);

    if (self->fragments != NULL)
        sp_chunk_release(self->fragments);
    self->fragments = NULL;
    self->base.held_bytes = 0;
    self->base.arrived_bytes = 0;
    if (self->peer_headers != NULL)
        sp_chunk_release(self->peer_headers);
    self->peer_headers = NULL;
}

const struct sp_framing sp_ws_client_framing = {
    .session_bytes = sizeof(struct sp_ws_session),
    .handshake_limit_bytes = SP_WS_HEAD_LIMIT_BYTES,
    .handshake_limit_ms = SP_WS_HANDSHAKE_LIMIT_MS,
    .begin = sp_ws_request,
    .answer = sp_ws_read_response,
    .parse = ws_parse,
    .write_prefix = ws_write_prefix,
    .fragment_bytes = SP_WS_FRAGMENT_BYTES,
    .write_fragment_prefix = ws_write_fragment_prefix,
    .encode = ws_mask,
    .use = ws_use,
    .finish = ws_finish,
    .close_frame = ws_close_frame,
    .close = ws_close,
};

const struct sp_framing sp_ws_server_framing = {
    .session_bytes = sizeof(struct sp_ws_session),
    .handshake_limit_bytes = SP_WS_HEAD_LIMIT_BYTES,
    .handshake_limit_ms = SP_WS_HANDSHAKE_LIMIT_MS,
    .server_waits_for_peer = true,
    .shuts_down_first = true,
    .answer = sp_ws_respond,
    .refuse = sp_ws_refuse,
    .parse = ws_parse,
    .write_prefix = ws_write_prefix,
    .fragment_bytes = SP_WS_FRAGMENT_BYTES,
    .write_fragment_prefix = ws_write_fragment_prefix,
    .use = ws_use,
    .finish = ws_finish,
    .close_frame = ws_close_frame,
    .close = ws_close,
};
