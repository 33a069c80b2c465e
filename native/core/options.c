/* Options of sockets and transports: one row each. */
#include "core/options.h"

#include "message/chunk.h"
#include "platform/memory.h"
#include "util/http_head.h"
#include "util/memory.h"
#include "util/origins.h"
#include "util/secret.h"

#include <nanomsg/admission.h>
#include <nanomsg/inproc.h>
#include <nanomsg/ipc.h>
#include <nanomsg/limits.h>
#include <nanomsg/loop.h>
#include <nanomsg/nn.h>
#include <nanomsg/tcp.h>
#include <nanomsg/tls.h>
#include <nanomsg/ws.h>

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

struct row {
    int level;
    int option;
    size_t offset; /* of an int in struct sp_options */
    int initial;
    int lowest;
    int highest;
};

#define ROW(level, option, field, initial, lowest, highest)                                                            \
    {                                                                                                                  \
        level, option, offsetof(struct sp_options, field), initial, lowest, highest                                    \
    }

static const struct row rows[] = {
    ROW(NN_SOL_SOCKET, NN_LINGER, linger_ms, 1000, INT_MIN, INT_MAX),
    ROW(NN_SOL_SOCKET, NN_SNDBUF, send_buffer_bytes, 128 * 1024, 1, INT_MAX),
    ROW(NN_SOL_SOCKET, NN_RCVBUF, receive_buffer_bytes, 128 * 1024, 1, INT_MAX),
    ROW(NN_SOL_SOCKET, NN_SNDTIMEO, send_timeout_ms, -1, INT_MIN, INT_MAX),
    ROW(NN_SOL_SOCKET, NN_RCVTIMEO, receive_timeout_ms, -1, INT_MIN, INT_MAX),
    ROW(NN_SOL_SOCKET, NN_RECONNECT_IVL, reconnect_ivl_ms, 100, 0, INT_MAX),
    ROW(NN_SOL_SOCKET, NN_RECONNECT_IVL_MAX, reconnect_ivl_max_ms, 0, 0, INT_MAX),
    ROW(NN_SOL_SOCKET, NN_SNDPRIO, send_priority, 8, 1, 16),
    ROW(NN_SOL_SOCKET, NN_RCVPRIO, receive_priority, 8, 1, 16),
    ROW(NN_SOL_SOCKET, NN_IPV4ONLY, ipv4_only, 1, 0, 1),
    ROW(NN_SOL_SOCKET, NN_RCVMAXSIZE, receive_max_bytes, 1024 * 1024, -1, INT_MAX),
    ROW(NN_SOL_SOCKET, NN_MAXTTL, max_ttl, 8, 1, 255),
    ROW(NN_SOL_SOCKET, NN_MAX_UNFINISHED_BYTES, max_unfinished_bytes, 256 * 1024 * 1024, -1, INT_MAX),
    ROW(NN_SOL_SOCKET, NN_MAX_CONNECTIONS, max_connections, -1, -1, INT_MAX),
    ROW(NN_SOL_SOCKET, NN_MAX_CONNECTIONS_PER_ENDPOINT, max_connections_per_endpoint, -1, -1, INT_MAX),
    ROW(NN_SOL_SOCKET, NN_MAX_CONNECTIONS_PER_ADDRESS, max_connections_per_address, -1, -1, INT_MAX),
    ROW(NN_SOL_SOCKET, NN_MAX_HANDSHAKES, max_handshakes, 1024, -1, INT_MAX),
    ROW(NN_SOL_SOCKET, NN_ADMISSION_TIMEO, admission_timeout_ms, 0, -1, INT_MAX),
    ROW(NN_SOL_SOCKET, NN_ON_SLOW, on_slow, NN_SLOW_DROP, NN_SLOW_DROP, NN_SLOW_DISCONNECT),
    ROW(NN_TCP, NN_TCP_NODELAY, tcp_nodelay, 0, 0, 1),
    ROW(NN_TCP, NN_TCP_KEEP_IDLE, tcp_keep_idle_ms, 0, 0, 32767000),
    ROW(NN_TCP, NN_TCP_KEEP_INTERVAL, tcp_keep_interval_ms, 0, 0, 32767000),
    ROW(NN_TCP, NN_TCP_KEEP_COUNT, tcp_keep_count, 0, 0, 127),
    ROW(NN_IPC, NN_IPC_OUTBUFSZ, ipc_out_buffer_bytes, 4096, INT_MIN, INT_MAX),
    ROW(NN_IPC, NN_IPC_INBUFSZ, ipc_in_buffer_bytes, 4096, INT_MIN, INT_MAX),
    ROW(NN_IPC, NN_IPC_CREDENTIALS, ipc_credentials, 0, 0, 1),
    ROW(NN_IPC, NN_IPC_MODE, ipc_mode, -1, -1, 0777),
    ROW(NN_IPC, NN_IPC_UID, ipc_uid, -1, -1, INT_MAX),
    ROW(NN_IPC, NN_IPC_GID, ipc_gid, -1, -1, INT_MAX),
    ROW(NN_WS, NN_WS_MSG_TYPE, ws_message_type, NN_WS_MSG_TYPE_BINARY, NN_WS_MSG_TYPE_TEXT, NN_WS_MSG_TYPE_BINARY),
    ROW(NN_WS, NN_WS_PEER_HEADERS, ws_peer_headers, 0, 0, 1),
    ROW(NN_TLS, NN_TLS_VERIFY, tls_verify, 1, 0, 1),
    ROW(NN_TLS, NN_TLS_REQUIRE_CLIENT_CERT, tls_require_client_cert, 0, 0, 1),
    ROW(NN_TLS, NN_TLS_PEER_CERTIFICATE, tls_peer_certificate, 0, 0, 1),
};

#define ROWS (sizeof rows / sizeof rows[0])

_Static_assert(ROWS <= 64, "each row has a bit in set_rows");

/* Much more than the certificates of all authorities that a system knows. */
#define TLS_TEXT_LIMIT_BYTES ((size_t)1024 * 1024)

static const struct row *find_row(int level, int option)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].level == level && rows[i].option == option)
            return &rows[i];
    }
    return NULL;
}

void sp_options_init(struct sp_options *options)
{
    memset(options, 0, sizeof *options);
    for (size_t i = 0; i < ROWS; i++)
        memcpy((char *)options + rows[i].offset, &rows[i].initial, sizeof rows[i].initial);
}

void sp_options_copy(struct sp_options *to, const struct sp_options *from)
{
    *to = *from;
    for (int i = 0; i < SP_OPTION_TEXTS; i++) {
        if (to->texts[i] != NULL)
            sp_chunk_retain(to->texts[i]);
    }
}

void sp_options_clear(struct sp_options *options)
{
    for (int i = 0; i < SP_OPTION_TEXTS; i++) {
        if (options->texts[i] != NULL)
            sp_chunk_release(options->texts[i]);
        options->texts[i] = NULL;
    }
}

void sp_option_write_int(int number, void *value, size_t *size)
{
    memcpy(value, &number, *size < sizeof number ? *size : sizeof number);
    *size = sizeof number;
}

static int set_name(struct sp_options *options, const void *value, size_t size)
{
    if (size >= sizeof options->name)
        return -EINVAL;
    memset(options->name, 0, sizeof options->name);
    if (size > 0)
        memcpy(options->name, value, size);
    options->has_name = true;
    return 0;
}

/* Whether options of a level can have values of this size. Levels whose options are all of one type look at the size
 * before they look the option up; that of ipc, as ever, lets longer values pass. */
static bool is_size_of_level(int level, size_t size)
{
    switch (level) {
    case NN_SOL_SOCKET:
    case NN_TCP:
    case NN_WS:
    case NN_TLS:
        return size == sizeof(int);
    case NN_IPC:
        return size >= sizeof(int);
    default:
        return true;
    }
}

/* ---- Texts ---- */

/* The index of a text, or -1. */
static int find_text(int level, int option)
{
    if (level == NN_WS && option == NN_WS_REQUEST_HEADERS)
        return SP_WS_REQUEST_HEADERS;
    if (level == NN_WS && option == NN_WS_ORIGINS)
        return SP_WS_ORIGINS;
    if (level != NN_TLS)
        return -1;
    switch (option) {
    case NN_TLS_CERT:
        return SP_TLS_CERT;
    case NN_TLS_KEY:
        return SP_TLS_KEY;
    case NN_TLS_CA:
        return SP_TLS_CA;
    case NN_TLS_SERVER_NAME:
        return SP_TLS_SERVER_NAME;
    default:
        return -1;
    }
}

/* A file's name has no line break: a text that has one and is no PEM is a mistake, or an attempt to have a file
 * opened. */
static bool is_pem_or_file(const char *text, size_t size)
{
    static const char begin[] = "-----BEGIN";

    if (size == 0 || sp_bytes_find(text, size, begin, sizeof begin - 1) != NULL)
        return true;
    return memchr(text, '\n', size) == NULL && memchr(text, '\r', size) == NULL;
}

/* Such a name is a pattern to OpenSSL, and no host's. */
static bool is_dot_at_start(const char *text, size_t size)
{
    return size > 0 && text[0] == '.';
}

static bool is_text_allowed(int index, const void *value, size_t size)
{
    if (index == SP_WS_REQUEST_HEADERS)
        return size <= NN_WS_REQUEST_HEADERS_MAX && sp_http_may_be_added(value, size);
    if (index == SP_WS_ORIGINS)
        return size <= NN_WS_ORIGINS_MAX && sp_origins_are_valid(value, size);
    if (size > TLS_TEXT_LIMIT_BYTES || (size > 0 && memchr(value, '\0', size) != NULL))
        return false;
    return index == SP_TLS_SERVER_NAME ? !is_dot_at_start(value, size) : is_pem_or_file(value, size);
}

static void release_secret(void *bytes, void *context)
{
    sp_secret_wipe(bytes, (size_t)(uintptr_t)context);
    sp_free(bytes);
}

/* A private key may stand in the option of the certificate as well. */
static struct nn_chunk *text_create(int index, size_t capacity)
{
    if (index != SP_TLS_KEY && index != SP_TLS_CERT)
        return sp_chunk_create(capacity);
    void *bytes = sp_alloc(capacity);
    struct nn_chunk *chunk = NULL;
    if (bytes != NULL)
        chunk = nn_chunk_adopt(bytes, capacity, release_secret, (void *)(uintptr_t)capacity);
    if (chunk == NULL)
        sp_free(bytes);
    return chunk;
}

/* The chunk has a NUL behind its bytes, so that they are a string as well. */
static int set_text(struct sp_options *options, int index, const void *value, size_t size)
{
    struct nn_chunk *text = NULL;

    if (!is_text_allowed(index, value, size))
        return -EINVAL;
    if (size > 0) {
        text = text_create(index, size + 1);
        if (text == NULL)
            return -ENOMEM;
        memcpy(text->bytes, value, size);
        text->bytes[size] = '\0';
        text->size_bytes = size;
    }
    if (options->texts[index] != NULL)
        sp_chunk_release(options->texts[index]);
    options->texts[index] = text;
    return 0;
}

static int get_text(const struct sp_options *options, int index, void *value, size_t *size)
{
    const struct nn_chunk *text = options->texts[index];
    size_t count = text != NULL ? text->size_bytes : 0;

    if (index == SP_TLS_KEY)
        return -ENOPROTOOPT; /* what is secret does not come back */
    if (count > 0)
        memcpy(value, text->bytes, *size < count ? *size : count);
    *size = count;
    return 0;
}

/* ---- All ---- */

int sp_options_set(struct sp_options *options, int level, int option, const void *value, size_t size)
{
    const struct row *row = find_row(level, option);
    int text = find_text(level, option);
    int number;

    if (level == NN_SOL_SOCKET && option == NN_SOCKET_NAME)
        return set_name(options, value, size);
    if (text >= 0)
        return set_text(options, text, value, size);
    if (!is_size_of_level(level, size))
        return -EINVAL;
    if (level == NN_IPC && option == NN_IPC_SEC_ATTR) {
        options->ipc_security_attributes = value; /* of named pipes: only kept to be read back */
        return 0;
    }
    if (row == NULL)
        return -ENOPROTOOPT;
    memcpy(&number, value, sizeof number);
    if (number < row->lowest || number > row->highest)
        return -EINVAL;
    memcpy((char *)options + row->offset, &number, sizeof number);
    options->set_rows |= UINT64_C(1) << (row - rows);
    return 0;
}

bool sp_options_is_set(const struct sp_options *options, int level, int option)
{
    const struct row *row = find_row(level, option);

    return row != NULL && (options->set_rows >> (row - rows) & 1) != 0;
}

bool sp_options_have_send_buffer(const struct sp_options *options)
{
    return sp_options_is_set(options, NN_SOL_SOCKET, NN_SNDBUF);
}

bool sp_options_have_receive_buffer(const struct sp_options *options)
{
    return sp_options_is_set(options, NN_SOL_SOCKET, NN_RCVBUF);
}

int sp_options_get(const struct sp_options *options, int level, int option, void *value, size_t *size)
{
    const struct row *row = find_row(level, option);
    const void *attributes = options->ipc_security_attributes;
    int text = find_text(level, option);
    int number;

    if (text >= 0)
        return get_text(options, text, value, size);
    if (level == NN_IPC && option == NN_IPC_SEC_ATTR) {
        memcpy(value, &attributes, *size < sizeof attributes ? *size : sizeof attributes);
        *size = sizeof attributes;
        return 0;
    }
    if (row == NULL)
        return -ENOPROTOOPT;
    memcpy(&number, (const char *)options + row->offset, sizeof number);
    sp_option_write_int(number, value, size);
    return 0;
}
