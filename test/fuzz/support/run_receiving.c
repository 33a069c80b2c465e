/* Receiving in a run, and what must hold of each message. */
#include "run.h"

#include "check.h"

#include <nanomsg/ipc.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/tls.h>
#include <nanomsg/ws.h>

#include <string.h>

#define BATCH 16
#define CONTROL_LIMIT_BYTES ((size_t)1024)
#define GUARD_BYTES 32
#define GUARD 0xa5
#define FAKE_LEVEL 77

/* Reads every byte, so that the sanitizer looks at each. */
static uint32_t sum_of(const uint8_t *bytes, size_t count)
{
    uint32_t sum = 1;

    for (size_t i = 0; i < count; i++)
        sum = sum * 31 + bytes[i];
    return sum;
}

static void check_message(struct run_socket *self, size_t body_bytes)
{
    /* What a PUSH or PUB receives is a violation that costs the peer its connection. */
    CHECK(self->type->protocol != NN_PUB);
    if (self->receive_limit_bytes >= 0)
        CHECK(body_bytes <= (size_t)self->receive_limit_bytes);
    if (self->type->protocol == NN_REQ && !self->is_raw) {
        CHECK(self->requests > 0);
        self->requests--;
    }
}

static void keep_or_release(struct run *self, const struct nn_received *received, unsigned keep)
{
    struct kept_message *place = &self->kept[keep % RUN_KEPT];
    void *claimed;

    if (received->chunk == NULL)
        return;
    if (keep >= RUN_KEPT) {
        if (keep == RUN_KEPT && (claimed = nn_received_claim(received)) != NULL)
            nn_freemsg(claimed);
        else
            nn_chunk_release(received->chunk);
        return;
    }
    if (place->chunk != NULL) {
        CHECK(sum_of(place->body, place->body_bytes) == place->sum);
        nn_chunk_release(place->chunk);
    }
    *place = (struct kept_message){received->chunk, received->body, received->body_bytes,
                                   sum_of(received->body, received->body_bytes)};
}

bool run_receive_batch(struct run_socket *self, int count, bool in_contexts, unsigned keep)
{
    struct nn_received received[BATCH];
    int limit = count > 0 && count < BATCH ? count : BATCH;
    int got = in_contexts ? nn_socket_context_receive(self->s, received, limit)
                          : nn_socket_receive_batch(self->s, received, limit);

    CHECK(got <= limit);
    for (int i = 0; i < got; i++) {
        check_message(self, received[i].body_bytes);
        (void)sum_of(received[i].body, received[i].body_bytes);
        if (received[i].is_in_slab)
            CHECK(received[i].slab_token < RUN_SLABS && self->run->slabs[received[i].slab_token] != NULL);
        keep_or_release(self->run, &received[i], keep);
    }
    return got > 0;
}

bool run_receive(struct run_socket *self, size_t room_bytes)
{
    void *message = NULL;
    uint8_t *body;
    int got;

    if (room_bytes == 0) {
        got = nn_recv(self->s, &message, NN_MSG, NN_DONTWAIT);
        if (got < 0)
            return false;
        (void)sum_of(message, (size_t)got);
        CHECK(nn_freemsg(message) == 0);
    } else {
        body = malloc(room_bytes); /* of exactly this size, so that the sanitizer sees what is written behind it */
        CHECK(body != NULL);
        got = nn_recv(self->s, body, room_bytes, NN_DONTWAIT);
        free(body);
        if (got < 0)
            return false;
    }
    check_message(self, (size_t)got);
    return true;
}

/* ---- Control data ---- */

/* Records that look like some, where the engine is to write its own. */
static void write_fakes(uint8_t *control, size_t count)
{
    const struct nn_cmsghdr fake = {.cmsg_len = NN_CMSG_LEN(16), .cmsg_level = FAKE_LEVEL, .cmsg_type = FAKE_LEVEL};

    memset(control, 0, count);
    for (size_t i = 0; i + sizeof fake <= count; i += NN_CMSG_SPACE(16))
        memcpy(control + i, &fake, sizeof fake);
}

static bool is_known_record(const struct nn_cmsghdr *record)
{
    return (record->cmsg_level == PROTO_SP && record->cmsg_type == SP_HDR) ||
           (record->cmsg_level == NN_WS && record->cmsg_type == NN_WS_MSG_TYPE) ||
           (record->cmsg_level == NN_WS && record->cmsg_type == NN_WS_PEER_HEADERS) ||
           (record->cmsg_level == NN_IPC && record->cmsg_type == NN_IPC_CREDENTIALS) ||
           (record->cmsg_level == NN_TLS && record->cmsg_type == NN_TLS_PEER_CERTIFICATE);
}

static void check_records(const struct nn_msghdr *header, const uint8_t *control, size_t count)
{
    for (struct nn_cmsghdr *record = NN_CMSG_FIRSTHDR(header); record != NULL;
         record = NN_CMSG_NXTHDR(header, record)) {
        const uint8_t *start = (const uint8_t *)record;
        CHECK(is_known_record(record));
        CHECK(start >= control && record->cmsg_len >= sizeof *record &&
              record->cmsg_len <= count - (size_t)(start - control));
        (void)sum_of(start, record->cmsg_len);
    }
}

bool run_receive_described(struct run_socket *self, size_t control_bytes, size_t room_bytes)
{
    _Alignas(16) uint8_t control[CONTROL_LIMIT_BYTES + GUARD_BYTES];
    uint8_t body[256];
    size_t count = control_bytes % (CONTROL_LIMIT_BYTES + 1);
    struct nn_iovec parts[2] = {{body, room_bytes % 128}, {body + 128, room_bytes % 128}};
    struct nn_msghdr header = {parts, 2, count > 0 ? control : NULL, count};

    write_fakes(control, count);
    memset(control + count, GUARD, GUARD_BYTES);
    int got = nn_recvmsg(self->s, &header, NN_DONTWAIT);
    for (size_t i = 0; i < GUARD_BYTES; i++)
        CHECK(control[count + i] == GUARD);
    if (got < 0)
        return false;
    check_message(self, (size_t)got);
    check_records(&header, control, count);
    return true;
}

bool run_receive_allocated(struct run_socket *self, bool is_body_allocated)
{
    void *records = NULL;
    void *body = NULL;
    uint8_t own[64];
    struct nn_iovec part = {is_body_allocated ? (void *)&body : own, is_body_allocated ? NN_MSG : sizeof own};
    struct nn_msghdr header = {&part, 1, &records, NN_MSG};

    int got = nn_recvmsg(self->s, &header, NN_DONTWAIT);
    if (got < 0)
        return false;
    check_message(self, (size_t)got);
    for (struct nn_cmsghdr *record = NN_CMSG_FIRSTHDR(&header); record != NULL;
         record = NN_CMSG_NXTHDR(&header, record)) {
        CHECK(is_known_record(record) && record->cmsg_len >= sizeof *record);
        (void)sum_of((const uint8_t *)record, record->cmsg_len);
    }
    CHECK(nn_freemsg(records) == 0);
    if (is_body_allocated)
        CHECK(nn_freemsg(body) == 0);
    return true;
}
