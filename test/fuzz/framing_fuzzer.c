/* Prefixes of frames: what the framings make of them is what a plain reading of the specifications (RFC 6455, section
 * 5.2; sp-tcp-mapping-01) does; and what they write they read. */
#include "check.h"
#include "fuzzer.h"
#include "input.h"

#include "message/message.h"
#include "streams/framing.h"
#include "streams/ws_framing.h"
#include "streams/ws_session.h"

#include <errno.h>
#include <string.h>

#define NEEDS_MORE 0
#define IS_FRAME 1

struct reading {
    int result;
    uint64_t prefix_bytes;
    uint64_t body_bytes;
};

static uint64_t number_at(const uint8_t *bytes, size_t count)
{
    uint64_t number = 0;

    for (size_t i = 0; i < count; i++)
        number = number * 256 + bytes[i];
    return number;
}

/* ---- The plain readings ---- */

static struct reading read_sp(const uint8_t *bytes, size_t count, size_t limit_bytes, bool is_ipc)
{
    size_t prefix_bytes = is_ipc ? 9 : 8;

    if (is_ipc && count > 0 && bytes[0] != 1)
        return (struct reading){.result = -EPROTO};
    if (count < prefix_bytes)
        return (struct reading){.result = NEEDS_MORE};
    uint64_t body_bytes = number_at(bytes + prefix_bytes - 8, 8);
    if (body_bytes > limit_bytes)
        return (struct reading){.result = -EMSGSIZE};
    return (struct reading){IS_FRAME, prefix_bytes, body_bytes};
}

/* Whether a frame may begin like this while a fragmented message is (not) coming. */
static bool may_begin(uint8_t first, bool is_fragmented)
{
    bool is_final = first & 0x80;
    int opcode = first & 0x0f;

    if (first & 0x70)
        return false;
    if (opcode == 0)
        return is_fragmented;
    if (opcode == 1 || opcode == 2)
        return !is_fragmented;
    return opcode >= 8 && opcode <= 10 && is_final;
}

static struct reading read_ws(const struct sp_ws_session *session, const uint8_t *bytes, size_t count,
                              size_t limit_bytes)
{
    static const struct reading more = {.result = NEEDS_MORE};
    static const struct reading wrong = {.result = -EPROTO};

    if (count >= 1 && !may_begin(bytes[0], session->fragment_opcode != 0))
        return wrong;
    if (count < 2)
        return more;
    bool is_control = bytes[0] & 8;
    bool is_masked = bytes[1] & 0x80;
    uint64_t body_bytes = bytes[1] & 0x7f;
    size_t length_bytes = body_bytes == 126 ? 2 : body_bytes == 127 ? 8 : 0;
    if (is_masked == session->is_client || (is_control && length_bytes > 0))
        return wrong;
    if (count < 2 + length_bytes)
        return more;
    if (length_bytes > 0)
        body_bytes = number_at(bytes + 2, length_bytes);
    if ((length_bytes == 2 && body_bytes < 126) || (length_bytes == 8 && body_bytes < 65536) || body_bytes >> 63)
        return wrong;
    if (!is_control && body_bytes > limit_bytes)
        return (struct reading){.result = -EMSGSIZE};
    size_t prefix_bytes = 2 + length_bytes + (is_masked ? 4 : 0);
    return count < prefix_bytes ? more : (struct reading){IS_FRAME, prefix_bytes, body_bytes};
}

/* ---- Comparing ---- */

static void compare(const struct sp_framing *framing, const struct sp_session *session, const uint8_t *bytes,
                    size_t count, size_t limit_bytes, struct reading expected)
{
    struct sp_frame frame = {0, 0};
    int result = framing->parse(session, bytes, count, limit_bytes, &frame);

    CHECK(result == expected.result);
    if (result == IS_FRAME)
        CHECK(frame.prefix_bytes == expected.prefix_bytes && frame.body_bytes == expected.body_bytes);
}

static void check_written(const struct sp_framing *framing, struct sp_session *session, struct sp_session *reader,
                          const struct sp_framing *reading, size_t body_bytes)
{
    uint8_t prefix[SP_FRAME_PREFIX_LIMIT_BYTES];
    struct nn_message message = {.body_bytes = body_bytes};
    struct sp_frame frame;

    size_t count = framing->write_prefix(session, prefix, &message);
    CHECK(count <= sizeof prefix);
    CHECK(reading->parse(reader, prefix, count, SIZE_MAX / 2, &frame) == IS_FRAME);
    CHECK(frame.prefix_bytes == count && frame.body_bytes == body_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct input input = {bytes, count};
    uint8_t choice = input_u8(&input);
    size_t limit_bytes = choice & 0x80 ? SIZE_MAX / 2 : choice & 0x40 ? 70000 : 100;
    struct sp_ws_session server = {.send_opcode = 2, .fragment_opcode = choice & 1 ? 2 : 0};
    struct sp_ws_session client = {.send_opcode = 1, .fragment_opcode = choice & 1 ? 1 : 0, .is_client = true};
    size_t body_bytes = input_u32(&input) >> (choice & 31);

    bytes = input.bytes;
    count = input.count;
    compare(&sp_tcp_framing, NULL, bytes, count, limit_bytes, read_sp(bytes, count, limit_bytes, false));
    compare(&sp_ipc_framing, NULL, bytes, count, limit_bytes, read_sp(bytes, count, limit_bytes, true));
    compare(&sp_ws_server_framing, &server.base, bytes, count, limit_bytes,
            read_ws(&server, bytes, count, limit_bytes));
    compare(&sp_ws_client_framing, &client.base, bytes, count, limit_bytes,
            read_ws(&client, bytes, count, limit_bytes));
    server.fragment_opcode = client.fragment_opcode = 0;
    check_written(&sp_tcp_framing, NULL, NULL, &sp_tcp_framing, body_bytes);
    check_written(&sp_ipc_framing, NULL, NULL, &sp_ipc_framing, body_bytes);
    check_written(&sp_ws_server_framing, &server.base, &client.base, &sp_ws_client_framing, body_bytes);
    check_written(&sp_ws_client_framing, &client.base, &server.base, &sp_ws_server_framing, body_bytes);
    return 0;
}
