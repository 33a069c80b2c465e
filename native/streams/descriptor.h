/* Stream sockets of the operating system: making, binding, connecting. Everything is non-blocking and closed in
 * child processes. Functions return 0 (or a descriptor) or -errno. */
#ifndef SP_STREAMS_DESCRIPTOR_H
#define SP_STREAMS_DESCRIPTOR_H

#include "core/options.h"
#include "platform/net.h"

#include <nanomsg/ipc.h>

#include <stdbool.h>

struct sp_socket_address {
    struct sockaddr_storage storage;
    socklen_t length;
};

/* With NN_SNDBUF, NN_RCVBUF and, for tcp, NN_TCP_NODELAY applied. */
int sp_descriptor_open(int family, const struct sp_options *options);
int sp_descriptor_listen(const struct sp_socket_address *address, const struct sp_options *options);

/* Begins to connect, from `local` when it is not NULL. Returns the descriptor; *is_connected says whether it is
 * done already. */
int sp_descriptor_connect(const struct sp_socket_address *address, const struct sp_socket_address *local,
                          const struct sp_options *options, bool *is_connected);
/* Whether a connection's two ends are the same: without a listener on a port that the kernel also gives to clients,
 * a connecting socket may be given just this one, and tcp then connects it to itself. */
bool sp_descriptor_is_own_peer(int fd);

/* A descriptor of our own for a socket that the user has opened. */
int sp_descriptor_duplicate(int fd);

void sp_descriptor_close(int fd);

/* Whether local sockets can have names that are in no file system. */
bool sp_descriptor_has_abstract_names(void);

/* Whose process is at the other end of a connection within this machine. Returns false for any other. */
bool sp_descriptor_credentials(int fd, struct nn_ipc_credentials *credentials);

/* The next waiting peer and its address, or -EAGAIN, -EMFILE, ... */
int sp_descriptor_accept(int fd, const struct sp_options *options, struct sp_socket_address *peer);
/* The peer of a connection; of length 0 where that is not known. */
void sp_descriptor_peer(int fd, struct sp_socket_address *peer);

/* Whether -errno says that descriptors or memory are missing, which others may free. */
bool sp_descriptor_is_shortage(int error);

#endif
