/* The options of sockets and transports: one table of ids, types, ranges and where the value is. */
#ifndef SP_CORE_OPTIONS_H
#define SP_CORE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nn_chunk;

#define SP_SOCKET_NAME_BYTES 64

/* The options of transports that are texts; those of TLS come first. */
enum sp_option_text {
    SP_TLS_CERT,
    SP_TLS_KEY,
    SP_TLS_CA,
    SP_TLS_SERVER_NAME,
    SP_TLS_TEXTS,
    SP_WS_REQUEST_HEADERS = SP_TLS_TEXTS,
    SP_WS_ORIGINS,
    SP_OPTION_TEXTS
};

/* Values as set, in the order of their ids in nn.h; each endpoint has a copy. */
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
    int receive_max_bytes;    /* -1: no limit */
    int max_unfinished_bytes; /* likewise, as those below */
    int max_connections;
    int max_connections_per_endpoint;
    int max_connections_per_address;
    int max_handshakes;
    int admission_timeout_ms; /* 0: peers are admitted unseen; -1: no limit */
    int on_slow;              /* NN_SLOW_DROP or NN_SLOW_DISCONNECT */
    int max_ttl;
    int tcp_nodelay;
    int tcp_keep_idle_ms; /* 0: as the system has it, as the next two */
    int tcp_keep_interval_ms;
    int tcp_keep_count;
    int ipc_out_buffer_bytes; /* of named pipes; kept to be read back */
    int ipc_in_buffer_bytes;
    const void *ipc_security_attributes; /* the user's; never looked at */
    int ipc_credentials;
    int ipc_mode; /* of socket files; -1: as the umask has it */
    int ipc_uid;  /* likewise; -1: as the process has it */
    int ipc_gid;
    int ws_message_type;
    int ws_peer_headers;
    int tls_verify;
    int tls_require_client_cert;
    int tls_peer_certificate;
    struct nn_chunk *texts[SP_OPTION_TEXTS]; /* shared with copies, never changed; NULL: not set */
    uint64_t set_rows;                       /* a bit for each option that was set */
    bool has_name;                           /* false: the socket's number is its name */
    char name[SP_SOCKET_NAME_BYTES];
};

void sp_options_init(struct sp_options *options);
void sp_options_copy(struct sp_options *to, const struct sp_options *from);
void sp_options_clear(struct sp_options *options);

/* Returns 0, -ENOPROTOOPT (unknown or read-only), -EINVAL (size, range) or -ENOMEM. Levels: NN_SOL_SOCKET and the
 * transports' (negative) levels. */
int sp_options_set(struct sp_options *options, int level, int option, const void *value, size_t size);

/* Copies at most *size bytes and sets *size to the full size. Returns 0 or -ENOPROTOOPT. */
int sp_options_get(const struct sp_options *options, int level, int option, void *value, size_t *size);

/* Whether an option was set, perhaps to its former value. For options of type int. */
bool sp_options_is_set(const struct sp_options *options, int level, int option);
bool sp_options_have_send_buffer(const struct sp_options *options);
bool sp_options_have_receive_buffer(const struct sp_options *options);

/* Gives an int as sp_options_get does. */
void sp_option_write_int(int number, void *value, size_t *size);

#endif
