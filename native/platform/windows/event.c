/* An event is a connection of the process with itself on the loopback interface, since select() and WSAPoll() know only
 * sockets. A byte that waits to be read is the signal. */
#include "platform/event.h"

#include "deadline.h"
#include "platform/descriptor.h"
#include "platform/net.h"

#include <errno.h>
#include <string.h>

#define CONNECT_LIMIT_MS 2000
/* A byte takes no longer to the other end. */
#define BYTE_LIMIT_MS 100

static int listen_on_loopback(struct sockaddr_in *address)
{
    socklen_t length = sizeof *address;
    int fd = sp_fd_socket(AF_INET);

    if (fd < 0)
        return fd;
    *address = (struct sockaddr_in){.sin_family = AF_INET};
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int rc = sp_net_bind(fd, (struct sockaddr *)address, length);
    if (rc == 0)
        rc = sp_net_listen(fd);
    if (rc == 0)
        rc = sp_net_own_name(fd, (struct sockaddr *)address, &length);
    if (rc == 0)
        return fd;
    sp_fd_close(fd);
    return rc;
}

static int connect_to_loopback(const struct sockaddr_in *address)
{
    int fd = sp_fd_socket(AF_INET);

    if (fd < 0)
        return fd;
    sp_net_set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    int rc = sp_net_connect(fd, (const struct sockaddr *)address, sizeof *address);
    if (rc == 0 || rc == -EINPROGRESS)
        return fd;
    sp_fd_close(fd);
    return rc;
}

/* Any program of the machine may connect to the port meanwhile: only the peer that is our own is taken. */
static int accept_own(int listener, int connecting)
{
    struct sockaddr_in own = {0};
    struct sockaddr_storage from;
    socklen_t length = sizeof own;
    int fd = sp_fd_accept(listener, &from);

    if (fd < 0)
        return fd;
    const struct sockaddr_in *peer = (const struct sockaddr_in *)&from;
    int rc = sp_net_own_name(connecting, (struct sockaddr *)&own, &length);
    if (rc == 0 && own.sin_port == peer->sin_port && own.sin_addr.s_addr == peer->sin_addr.s_addr)
        return fd;
    sp_fd_close(fd);
    return -EAGAIN;
}

static int accept_within_limit(int listener, int connecting)
{
    sp_time_ns deadline_ns = sp_deadline_after_ms(CONNECT_LIMIT_MS);

    for (;;) {
        WSAPOLLFD polled = {.fd = sp_socket_of(listener), .events = POLLRDNORM};
        int ready = WSAPoll(&polled, 1, (INT)sp_remaining_ms(deadline_ns));
        int fd = ready > 0 ? accept_own(listener, connecting) : ready < 0 ? -sp_winsock_errno() : -EAGAIN;
        if (fd != -EAGAIN)
            return fd;
        if (sp_now_ns() >= deadline_ns)
            return -ETIMEDOUT;
    }
}

int sp_event_open(struct sp_event *self, bool is_signalled)
{
    struct sockaddr_in address;
    int listener = listen_on_loopback(&address);

    if (listener < 0)
        return listener;
    int fd = -1;
    int signaller = connect_to_loopback(&address);
    int rc = signaller < 0 ? signaller : (fd = accept_within_limit(listener, signaller));
    sp_fd_close(listener);
    if (rc < 0) {
        if (signaller >= 0)
            sp_fd_close(signaller);
        return rc;
    }
    *self = (struct sp_event){.fd = fd, .own = signaller};
    if (is_signalled)
        sp_event_signal(self);
    return 0;
}

void sp_event_close(struct sp_event *self)
{
    if (self->fd >= 0) {
        sp_fd_close(self->fd);
        sp_fd_close(self->own);
    }
    self->fd = -1;
}

/* What is not taken needs no byte more: others wait already. */
void sp_event_signal(const struct sp_event *self)
{
    send(sp_socket_of(self->own), "", 1, 0);
}

/* The signal's byte may still be on its way, and would come after a clearing that did not wait for it. */
void sp_event_clear(const struct sp_event *self)
{
    WSAPOLLFD polled = {.fd = sp_socket_of(self->fd), .events = POLLRDNORM};
    char bytes[64];

    WSAPoll(&polled, 1, BYTE_LIMIT_MS);
    while (recv(sp_socket_of(self->fd), bytes, sizeof bytes, 0) == (int)sizeof bytes) {
    }
}

int sp_event_wait(const struct sp_event *self, int fd, sp_time_ns deadline_ns, bool *is_signalled, bool *is_readable)
{
    WSAPOLLFD polled[] = {{.fd = sp_socket_of(fd), .events = POLLRDNORM},
                          {.fd = sp_socket_of(self->fd), .events = POLLRDNORM}};

    *is_signalled = false;
    *is_readable = false;
    for (;;) {
        int ready = WSAPoll(polled, 2, deadline_ns == SP_FOREVER ? -1 : (INT)sp_remaining_ms(deadline_ns));
        if (ready < 0)
            return -sp_winsock_errno();
        if (ready > 0) {
            *is_readable = polled[0].revents != 0;
            *is_signalled = polled[1].revents != 0;
            return 0;
        }
        if (sp_now_ns() >= deadline_ns)
            return -ETIMEDOUT;
    }
}
