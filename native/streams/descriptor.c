/* Stream sockets of the operating system. */
#include "streams/descriptor.h"

#include "platform/descriptor.h"

#include <errno.h>
#include <string.h>

static void set_int(int fd, int level, int option, int value)
{
    /* None of these can fail in a way that a connection could not live with. */
    sp_net_set_option(fd, level, option, value);
}

/* The kernel's buffers, where the user has not set their size. The kernel fits those of TCP to each connection, which
 * setting them would end: they grow only for a peer that reads as fast as the messages come. Those of local sockets
 * stay as they are; they take a large message in few pieces. */
#define LOCAL_BUFFER_BYTES (512 * 1024)

static void set_buffer(int fd, int family, int option, bool is_set, int bytes)
{
    if (is_set)
        set_int(fd, SOL_SOCKET, option, bytes);
    else if (family == AF_UNIX)
        set_int(fd, SOL_SOCKET, option, LOCAL_BUFFER_BYTES);
}

static int seconds_of(int ms)
{
    return ms / 1000 + (ms % 1000 > 0 ? 1 : 0);
}

static void descriptor_configure(int fd, int family, const struct sp_options *options)
{
    set_buffer(fd, family, SO_SNDBUF, sp_options_have_send_buffer(options), options->send_buffer_bytes);
    set_buffer(fd, family, SO_RCVBUF, sp_options_have_receive_buffer(options), options->receive_buffer_bytes);
    if (family == AF_INET || family == AF_INET6) {
        set_int(fd, IPPROTO_TCP, TCP_NODELAY, options->tcp_nodelay);
        sp_net_keep_alive(fd, seconds_of(options->tcp_keep_idle_ms), seconds_of(options->tcp_keep_interval_ms),
                          options->tcp_keep_count);
    }
}

static int close_with_error(int fd, int error)
{
    sp_fd_close(fd);
    return error;
}

int sp_descriptor_open(int family, const struct sp_options *options)
{
    int fd = sp_fd_socket(family);

    if (fd >= 0)
        descriptor_configure(fd, family, options);
    return fd;
}

int sp_descriptor_duplicate(int fd)
{
    return sp_fd_duplicate(fd);
}

void sp_descriptor_close(int fd)
{
    sp_fd_close(fd);
}

bool sp_descriptor_has_abstract_names(void)
{
    return sp_fd_has_abstract_names();
}

int sp_descriptor_listen(const struct sp_socket_address *address, const struct sp_options *options)
{
    int family = address->storage.ss_family;
    int fd = sp_descriptor_open(family, options);

    if (fd < 0)
        return fd;
    sp_net_reuse_port(fd);
    if (family == AF_INET6)
        set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    int rc = sp_net_bind(fd, (const struct sockaddr *)&address->storage, address->length);
    if (rc == 0)
        rc = sp_net_listen(fd);
    return rc < 0 ? close_with_error(fd, rc) : fd;
}

static int bind_local(int fd, const struct sp_socket_address *local)
{
    sp_net_reuse_port(fd);
    return sp_net_bind(fd, (const struct sockaddr *)&local->storage, local->length);
}

int sp_descriptor_connect(const struct sp_socket_address *address, const struct sp_socket_address *local,
                          const struct sp_options *options, bool *is_connected)
{
    int fd = sp_descriptor_open(address->storage.ss_family, options);

    if (fd < 0)
        return fd;
    int rc = local != NULL ? bind_local(fd, local) : 0;
    if (rc < 0)
        return close_with_error(fd, rc);

    rc = sp_net_connect(fd, (const struct sockaddr *)&address->storage, address->length);
    *is_connected = rc == 0;
    return rc < 0 && rc != -EINPROGRESS ? close_with_error(fd, rc) : fd;
}

bool sp_descriptor_is_own_peer(int fd)
{
    struct sockaddr_storage own = {0};
    struct sockaddr_storage peer = {0};
    socklen_t own_length = sizeof own;
    socklen_t peer_length = sizeof peer;

    if (sp_net_own_name(fd, (struct sockaddr *)&own, &own_length) < 0 ||
        sp_net_peer_name(fd, (struct sockaddr *)&peer, &peer_length) < 0)
        return false; /* it is gone already, which the next read reports */
    return own_length == peer_length && memcmp(&own, &peer, (size_t)own_length) == 0;
}

int sp_descriptor_accept(int fd, const struct sp_options *options, struct sp_socket_address *peer)
{
    int accepted = sp_fd_accept(fd, &peer->storage);

    peer->length = sizeof peer->storage;
    if (accepted >= 0)
        descriptor_configure(accepted, peer->storage.ss_family, options);
    return accepted;
}

void sp_descriptor_peer(int fd, struct sp_socket_address *peer)
{
    peer->length = sizeof peer->storage;
    if (fd < 0 || sp_net_peer_name(fd, (struct sockaddr *)&peer->storage, &peer->length) < 0)
        peer->length = 0;
}

bool sp_descriptor_is_shortage(int error)
{
    return error == -EMFILE || error == -ENFILE || error == -ENOBUFS || error == -ENOMEM;
}

bool sp_descriptor_credentials(int fd, struct nn_ipc_credentials *credentials)
{
    struct sp_peer_process process;

    if (!sp_fd_peer_process(fd, &process))
        return false;
    *credentials = (struct nn_ipc_credentials){.pid = process.pid, .uid = process.uid, .gid = process.gid};
    return true;
}
