/* Options of sockets and transports: one row each. */
#include "core/options.h"

#include <nanomsg/inproc.h>
#include <nanomsg/ipc.h>
#include <nanomsg/nn.h>
#include <nanomsg/tcp.h>
#include <nanomsg/ws.h>

#include <errno.h>
#include <limits.h>
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
    ROW(NN_TCP, NN_TCP_NODELAY, tcp_nodelay, 0, 0, 1),
    ROW(NN_IPC, NN_IPC_OUTBUFSZ, ipc_out_buffer_bytes, 4096, INT_MIN, INT_MAX),
    ROW(NN_IPC, NN_IPC_INBUFSZ, ipc_in_buffer_bytes, 4096, INT_MIN, INT_MAX),
    ROW(NN_IPC, NN_IPC_CREDENTIALS, ipc_credentials, 0, 0, 1),
    ROW(NN_WS, NN_WS_MSG_TYPE, ws_message_type, NN_WS_MSG_TYPE_BINARY, NN_WS_MSG_TYPE_TEXT, NN_WS_MSG_TYPE_BINARY),
};

#define ROWS (sizeof rows / sizeof rows[0])

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
        return size == sizeof(int);
    case NN_IPC:
        return size >= sizeof(int);
    default:
        return true;
    }
}

int sp_options_set(struct sp_options *options, int level, int option, const void *value, size_t size)
{
    const struct row *row = find_row(level, option);
    int number;

    if (level == NN_SOL_SOCKET && option == NN_SOCKET_NAME)
        return set_name(options, value, size);
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
    return 0;
}

int sp_options_get(const struct sp_options *options, int level, int option, void *value, size_t *size)
{
    const struct row *row = find_row(level, option);
    const void *attributes = options->ipc_security_attributes;
    int number;

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
