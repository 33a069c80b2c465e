/* The socket-level options (NN_SOL_SOCKET): one table of ids, types, ranges and where the value is. */
#ifndef SP_CORE_OPTIONS_H
#define SP_CORE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#define SP_SOCKET_NAME_BYTES 64

/* Values as set, in the order of their ids in nn.h; a value type, copied into each endpoint. */
struct sp_options {
    int linger_ms;
    int send_buffer_bytes;
    int receive_buffer_bytes;
    int send_timeout_ms;
    int receive_timeout_ms;
    int reconnect_ivl_ms;
    int reconnect_ivl_max_ms;
    int send_priority;
    int receive_priority;
    int ipv4_only;
    int receive_max_bytes; /* -1: no limit */
    int max_ttl;
    int tcp_nodelay;
    int ipc_out_buffer_bytes; /* of named pipes; kept to be read back */
    int ipc_in_buffer_bytes;
    const void *ipc_security_attributes; /* the user's; never looked at */
    int ipc_credentials;
    int ws_message_type;
    bool has_name; /* false: the socket's number is its name */
    char name[SP_SOCKET_NAME_BYTES];
};

void sp_options_init(struct sp_options *options);

/* Returns 0, -ENOPROTOOPT (unknown or read-only) or -EINVAL (size, range). Levels: NN_SOL_SOCKET and the
 * transports' (negative) levels. */
int sp_options_set(struct sp_options *options, int level, int option, const void *value, size_t size);

/* Copies at most *size bytes and sets *size to the full size. Returns 0 or -ENOPROTOOPT. */
int sp_options_get(const struct sp_options *options, int level, int option, void *value, size_t *size);

/* Gives an int as sp_options_get does. */
void sp_option_write_int(int number, void *value, size_t *size);

#endif
