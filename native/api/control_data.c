/* Control data. A record is a struct nn_cmsghdr and its data, padded to the size of a size_t; the header of raw sockets
 * is a record whose data is a size_t, the header's length, and the header. */
#include "api/control_data.h"

#include "message/chunk.h"

#include <nanomsg/ipc.h>
#include <nanomsg/tls.h>
#include <nanomsg/ws.h>

#include <errno.h>
#include <string.h>

#define RECORD_BYTES sizeof(struct nn_cmsghdr)

/* ---- Walking through records ---- */

/* Where the user's records are. Returns NULL when there are none. */
static unsigned char *records_of(const struct nn_msghdr *header, size_t *count_bytes)
{
    *count_bytes = 0;
    if (header == NULL || header->msg_control == NULL)
        return NULL;
    if (header->msg_controllen != NN_MSG) {
        *count_bytes = header->msg_controllen;
        return header->msg_control;
    }

    void *records = *(void **)header->msg_control;
    struct nn_chunk *chunk = sp_chunk_of(records);
    if (chunk == NULL)
        return NULL;
    *count_bytes = sp_chunk_exposed_bytes(chunk, records);
    return records;
}

/* The space that a record takes, or SIZE_MAX when its length is beyond all buffers. */
static size_t record_space(size_t length)
{
    return length > PTRDIFF_MAX ? SIZE_MAX : NN_CMSG_ALIGN_(length);
}

struct nn_cmsghdr *nn_cmsg_nxthdr_(const struct nn_msghdr *mhdr, const struct nn_cmsghdr *cmsg)
{
    size_t count_bytes;
    unsigned char *records = records_of(mhdr, &count_bytes);
    size_t offset = 0;

    if (records == NULL)
        return NULL;
    if (cmsg != NULL) {
        /* A record shorter than its own head would lead to itself for ever. */
        size_t space = cmsg->cmsg_len < RECORD_BYTES ? SIZE_MAX : record_space(cmsg->cmsg_len);
        size_t start = (size_t)((const unsigned char *)cmsg - records);
        if (start > count_bytes || space > count_bytes - start)
            return NULL;
        offset = start + space;
    }
    if (count_bytes - offset < RECORD_BYTES)
        return NULL;

    struct nn_cmsghdr *next = (struct nn_cmsghdr *)(void *)(records + offset);
    return record_space(next->cmsg_len) <= count_bytes - offset ? next : NULL;
}

/* ---- Sending ---- */

/* NN_CMSG_DATA of a record that is only read. */
static const unsigned char *data_of(const struct nn_cmsghdr *record)
{
    return (const unsigned char *)(record + 1);
}

/* The length of a record's data. */
static size_t data_bytes(const struct nn_cmsghdr *record)
{
    return record->cmsg_len > RECORD_BYTES ? record->cmsg_len - RECORD_BYTES : 0;
}

static int take_header(const struct nn_cmsghdr *record, struct nn_message *message)
{
    const unsigned char *data = data_of(record);
    size_t length;

    if (data_bytes(record) < sizeof length)
        return 0;
    memcpy(&length, data, sizeof length);
    if (length == 0 || length > data_bytes(record) - sizeof length)
        return 0;
    return nn_message_header_append(message, data + sizeof length, length);
}

static void take_frame_type(const struct nn_cmsghdr *record, struct nn_message *message)
{
    if (data_bytes(record) == 0)
        return;
    unsigned char type = *data_of(record);
    if (type == NN_WS_MSG_TYPE_TEXT || type == NN_WS_MSG_TYPE_BINARY)
        message->type = type;
}

int nn_control_take(const struct nn_msghdr *from, struct nn_message *message)
{
    size_t count_bytes;
    bool has_header = false;
    int rc = 0;

    if (from->msg_control == NULL)
        return 0;
    if (records_of(from, &count_bytes) == NULL)
        return -EFAULT;

    for (struct nn_cmsghdr *record = NN_CMSG_FIRSTHDR(from); record != NULL && rc == 0;
         record = NN_CMSG_NXTHDR(from, record)) {
        if (record->cmsg_level == PROTO_SP && record->cmsg_type == SP_HDR && !has_header) {
            has_header = true;
            rc = take_header(record, message);
        } else if (record->cmsg_level == NN_WS && record->cmsg_type == NN_WS_MSG_TYPE) {
            take_frame_type(record, message);
        }
    }
    return rc;
}

void nn_control_release(const struct nn_msghdr *from)
{
    if (from->msg_control != NULL && from->msg_controllen == NN_MSG)
        nn_freemsg(*(void **)from->msg_control);
}

/* ---- Receiving ---- */

static unsigned char *write_record(unsigned char *to, int level, int type, size_t count_bytes)
{
    struct nn_cmsghdr record = {.cmsg_len = NN_CMSG_SPACE(count_bytes), .cmsg_level = level, .cmsg_type = type};

    memset(to, 0, record.cmsg_len);
    memcpy(to, &record, sizeof record);
    return to + RECORD_BYTES;
}

static size_t header_space(const struct nn_message *message)
{
    return NN_CMSG_SPACE(sizeof(size_t) + message->header_bytes);
}

static size_t frame_type_space(const struct nn_message *message)
{
    return message->type != 0 ? NN_CMSG_SPACE(1) : 0;
}

static size_t credentials_space(const struct nn_message *message)
{
    return message->is_from_known ? NN_CMSG_SPACE(sizeof message->sender) : 0;
}

/* The text and a NUL. */
static size_t peer_headers_space(const struct nn_message *message)
{
    bool has_headers = message->has_peer_info && message->peer.headers != NULL;

    return has_headers ? NN_CMSG_SPACE(message->peer.headers->size_bytes + 1) : 0;
}

static size_t certificate_space(const struct nn_message *message)
{
    bool has_certificate = message->has_peer_info && message->peer.certificate != NULL;

    return has_certificate ? NN_CMSG_SPACE(message->peer.certificate->size_bytes) : 0;
}

static void write_header(const struct nn_message *message, unsigned char *to)
{
    size_t length = message->header_bytes;
    unsigned char *data = write_record(to, PROTO_SP, SP_HDR, sizeof length + length);

    memcpy(data, &length, sizeof length);
    memcpy(data + sizeof length, nn_message_header(message), length);
}

static void write_frame_type(const struct nn_message *message, unsigned char *to)
{
    *write_record(to, NN_WS, NN_WS_MSG_TYPE, 1) = (unsigned char)message->type;
}

static void write_credentials(const struct nn_message *message, unsigned char *to)
{
    unsigned char *data = write_record(to, NN_IPC, NN_IPC_CREDENTIALS, sizeof message->sender);

    memcpy(data, &message->sender, sizeof message->sender);
}

static void write_peer_headers(const struct nn_message *message, unsigned char *to)
{
    const struct nn_chunk *text = message->peer.headers;

    memcpy(write_record(to, NN_WS, NN_WS_PEER_HEADERS, text->size_bytes + 1), text->bytes, text->size_bytes);
}

static void write_certificate(const struct nn_message *message, unsigned char *to)
{
    const struct nn_chunk *der = message->peer.certificate;

    memcpy(write_record(to, NN_TLS, NN_TLS_PEER_CERTIFICATE, der->size_bytes), der->bytes, der->size_bytes);
}

/* Writes a record if there is one and it fits, and moves behind it. */
static void write_if_fits(const struct nn_message *message, unsigned char **to, size_t *room_bytes, size_t space,
                          void (*write)(const struct nn_message *, unsigned char *))
{
    if (space == 0 || *room_bytes < space)
        return;
    write(message, *to);
    *to += space;
    *room_bytes -= space;
}

/* Whether what happens to stand there reads as a record. */
static bool reads_as_record(const unsigned char *at, size_t room_bytes)
{
    struct nn_cmsghdr record;

    if (room_bytes < sizeof record)
        return false;
    memcpy(&record, at, sizeof record);
    return record_space(record.cmsg_len) <= room_bytes;
}

/* What stood in the caller's memory before must not read as records: a head whose record would not fit ends the walk.
 * */
static void write_end(unsigned char *to, size_t room_bytes)
{
    const struct nn_cmsghdr end = {.cmsg_len = SIZE_MAX};

    if (room_bytes >= sizeof end)
        memcpy(to, &end, sizeof end);
}

/* Whole records only. The header comes first, empty where sockets are not raw. */
static void write_records(const struct nn_message *message, unsigned char *to, size_t room_bytes)
{
    size_t header_bytes = header_space(message);

    if (room_bytes < header_bytes) {
        if (reads_as_record(to, room_bytes)) /* memory that is too small for anything stays as it is otherwise */
            write_end(to, room_bytes);
        return;
    }
    write_header(message, to);
    to += header_bytes;
    room_bytes -= header_bytes;
    write_if_fits(message, &to, &room_bytes, frame_type_space(message), write_frame_type);
    write_if_fits(message, &to, &room_bytes, credentials_space(message), write_credentials);
    write_if_fits(message, &to, &room_bytes, peer_headers_space(message), write_peer_headers);
    write_if_fits(message, &to, &room_bytes, certificate_space(message), write_certificate);
    write_end(to, room_bytes);
}

int nn_control_give(const struct nn_message *message, struct nn_msghdr *to)
{
    if (to->msg_control == NULL)
        return 0;
    if (to->msg_controllen != NN_MSG) {
        write_records(message, to->msg_control, to->msg_controllen);
        return 0;
    }

    size_t size = header_space(message) + frame_type_space(message) + credentials_space(message) +
                  peer_headers_space(message) + certificate_space(message);
    void *records = nn_allocmsg(size, 0);
    if (records == NULL)
        return -ENOMEM;
    write_records(message, records, size);
    *(void **)to->msg_control = records;
    return 0;
}
