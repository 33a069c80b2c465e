/* Control data that a program sends and receives: records of any length, level and type, in its own memory or in that
 * of nn_allocmsg; pieces of bodies of any number and length. */
#include "check.h"
#include "run.h"
#include "fuzzer.h"

#include "util/memory.h"

#include <nanomsg/inproc.h>
#include <nanomsg/ws.h>

#include <errno.h>
#include <string.h>

#define MAX_PARTS 4
#define BODY_LIMIT_BYTES 256

/* Two sockets that are connected in memory. */
static void open_pair(struct run *run, struct input *input, struct run_socket *ends[2])
{
    static const struct link link = {.address = "inproc://fuzz"};
    const struct link bound = {.address = "inproc://fuzz", .is_bound = true};
    uint8_t kind = input_u8(input);
    const struct socket_type *type = run_socket_type(kind & 15);
    unsigned peer = 0;

    ends[0] = run_open_socket(run, type, kind & 0x80, &bound);
    while (run_socket_type(peer)->protocol != type->peer_protocol)
        peer++;
    ends[1] = run_open_socket(run, run_socket_type(peer), kind & 0x40, &link);
    run_open_endpoint(ends[0]);
    run_open_endpoint(ends[1]);
    ends[0]->link = ends[1]->link = &link;
    run_settle(run);
}

/* The records that the input spells, as they are: lengths too long, too short, and beyond all memory. */
static size_t write_records(struct input *input, uint8_t *control, size_t limit_bytes)
{
    static const size_t lengths[] = {0, 1, SIZE_MAX, SIZE_MAX - 7, PTRDIFF_MAX, NN_CMSG_LEN(0), NN_CMSG_LEN(8)};
    size_t used = 0;
    uint8_t times = input_u8(input) & 3;

    for (int i = 0; i < times && used + sizeof(struct nn_cmsghdr) <= limit_bytes; i++) {
        uint8_t choice = input_u8(input);
        size_t count;
        const uint8_t *data = input_take(input, input_u8(input) & 63, &count);
        struct nn_cmsghdr record = {.cmsg_len = NN_CMSG_LEN(count),
                                    .cmsg_level = choice & 1 ? NN_WS : PROTO_SP,
                                    .cmsg_type = choice & 2 ? NN_WS_MSG_TYPE : SP_HDR};
        if (choice & 0x80)
            record.cmsg_len = lengths[choice % (sizeof lengths / sizeof lengths[0])];
        if (choice & 0x40)
            record.cmsg_type = choice;
        memcpy(control + used, &record, sizeof record);
        used += sizeof record;
        if (count > limit_bytes - used)
            count = limit_bytes - used;
        if (count > 0)
            memcpy(control + used, data, count);
        used += NN_CMSG_ALIGN_(count);
        if (used > limit_bytes)
            used = limit_bytes;
    }
    return used;
}

/* A walk of the user's own over the records stays inside. */
static void walk(const struct nn_msghdr *header, const uint8_t *control, size_t count)
{
    int records = 0;

    for (struct nn_cmsghdr *record = NN_CMSG_FIRSTHDR(header); record != NULL;
         record = NN_CMSG_NXTHDR(header, record)) {
        CHECK((const uint8_t *)record >= control);
        CHECK((size_t)((const uint8_t *)record - control) + sizeof *record <= count);
        CHECK(records++ < 1000);
    }
}

static int describe_body(struct input *input, uint8_t *body, struct nn_iovec parts[MAX_PARTS])
{
    int count = input_u8(input) % (MAX_PARTS + 1);
    size_t used = 0;

    for (int i = 0; i < count; i++) {
        size_t part = input_u8(input) & 31;
        parts[i] = (struct nn_iovec){body + used, part};
        used += part;
    }
    return count;
}

static void send_in_own_memory(struct run_socket *self, struct input *input)
{
    _Alignas(16) uint8_t control[512];
    uint8_t body[BODY_LIMIT_BYTES] = {0};
    struct nn_iovec parts[MAX_PARTS];
    struct nn_msghdr header = {.msg_iov = parts, .msg_control = control};

    memset(control, 0, sizeof control);
    header.msg_iovlen = describe_body(input, body, parts);
    size_t count = write_records(input, control, sizeof control);
    /* Memory of exactly this size, so that the sanitizer sees what is read behind it. */
    void *exact = malloc(count > 0 ? count : 1);
    CHECK(exact != NULL);
    memcpy(exact, control, count);
    header.msg_control = count > 0 ? exact : NULL;
    header.msg_controllen = count;
    walk(&header, exact, count);
    if (nn_sendmsg(self->s, &header, NN_DONTWAIT) >= 0)
        self->requests++;
    free(exact);
}

static void send_allocated(struct run_socket *self, struct input *input)
{
    _Alignas(16) uint8_t control[512];
    struct nn_iovec part = {"body", 4};

    memset(control, 0, sizeof control);
    size_t count = write_records(input, control, sizeof control);
    void *records = nn_allocmsg(count, 0);
    if (records == NULL)
        return;
    memcpy(records, control, count);
    struct nn_msghdr header = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &records, .msg_controllen = NN_MSG};
    walk(&header, records, count);
    if (nn_sendmsg(self->s, &header, NN_DONTWAIT) >= 0)
        self->requests++;
    else if (nn_errno() != EAGAIN && nn_errno() != EFSM && nn_errno() != ENOTSUP)
        CHECK(nn_freemsg(records) == 0); /* the call was wrong: they are still ours */
}

/* Calls that are wrong. */
static void misuse(struct run_socket *self, uint8_t choice)
{
    void *nothing = NULL;
    struct nn_iovec body = {"body", 4};
    struct nn_msghdr without_records = {
        .msg_iov = &body, .msg_iovlen = 1, .msg_control = &nothing, .msg_controllen = NN_MSG};
    struct nn_iovec part = {NULL, choice & 1 ? 4 : NN_MSG};
    struct nn_msghdr header = {.msg_iov = choice & 2 ? &part : NULL, .msg_iovlen = choice & 4 ? -1 : 1};

    CHECK(nn_sendmsg(self->s, choice & 8 ? NULL : &header, NN_DONTWAIT) < 0);
    CHECK(nn_recvmsg(self->s, choice & 8 ? NULL : &header, NN_DONTWAIT) < 0);
    CHECK(NN_CMSG_FIRSTHDR(&without_records) == NULL);
    CHECK(nn_sendmsg(self->s, &without_records, NN_DONTWAIT) < 0);
    sp_memory_fail_after(choice >> 4); /* for what comes next */
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct input input = {bytes, count};
    struct run_socket *ends[2];
    struct run run;

    run_begin(&run, false);
    open_pair(&run, &input, ends);
    while (!input_is_empty(&input)) {
        uint8_t choice = input_u8(&input);
        struct run_socket *end = ends[choice >> 7];
        switch (choice % 5) {
        case 0:
            send_in_own_memory(end, &input);
            break;
        case 1:
            send_allocated(end, &input);
            break;
        case 2:
            run_receive_described(end, input_u16(&input), choice >> 3);
            break;
        case 3:
            run_receive_allocated(end, choice & 0x40);
            break;
        default:
            misuse(end, input_u8(&input));
        }
        run_settle(&run);
    }
    run_close_socket(ends[0]); /* the other one has no peer then */
    run_end(&run);
    return 0;
}
