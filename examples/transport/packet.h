/* packet://PATH: SP over AF_UNIX sockets of type SOCK_SEQPACKET, which keep the bounds of what is sent: messages need
 * no lengths. Messages of any size go as several packets. */
#ifndef PACKET_H
#define PACKET_H

#include <nanomsg/transport.h>

/* Makes the scheme "packet" known to nn_bind() and nn_connect(). Returns 0, or -1 and errno as
 * nn_transport_register(). */
int packet_register(void);

/* ---- Between packet.c (addresses, endpoints) and connection.c ---- */

struct connection;

/* One bind or connect: the private part of an nn_endpoint. */
struct packet_endpoint {
    const char *path;
    int fd;                         /* listening; bound endpoints only */
    struct nn_watch *watch;         /* of that descriptor */
    struct nn_timer *retry;         /* connecting endpoints only */
    struct connection *handshaking; /* connections that have no pipe yet */
    struct connection *connection;  /* the only one, or NULL; connecting endpoints only */
    bool is_closed;
};

/* Takes a connected descriptor, also when it fails. Returns NULL when memory is short. */
struct connection *connection_open(struct nn_endpoint *endpoint, int fd);

/* Drops the connections that have no pipe yet. */
void connection_abandon_handshakes(struct packet_endpoint *endpoint);

/* Told by a connection of a connecting endpoint about its end; error: 0 or -errno. */
void packet_disconnected(struct nn_endpoint *endpoint, int error);

extern const struct nn_pipe_operations connection_operations;

#endif
