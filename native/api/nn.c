/* The calls on sockets: check the arguments, find the socket, ask the engine. */
#include "api/body.h"
#include "api/built_in.h"
#include "api/fail.h"
#include "core/socket.h"
#include "core/termination.h"

#include <nanomsg/nn.h>
#include <nanomsg/tls.h>

int nn_errno(void)
{
    return errno;
}

int nn_socket(int domain, int protocol)
{
    sp_built_in_register();
    return nn_result(sp_socket_open(NULL, domain, protocol, NULL));
}

int nn_close(int s)
{
    return nn_result(sp_socket_close(s));
}

void nn_term(void)
{
    sp_terminate();
}

/* Undoes nn_term. Not in the header, as ever, but bindings and test suites look for it. */
NN_EXPORT void nn_init(void);

void nn_init(void)
{
    sp_terminate_undo();
}

int nn_setsockopt(int s, int level, int option, const void *optval, size_t optvallen)
{
    struct sp_socket *socket;
    int rc = sp_socket_acquire(s, &socket);

    if (rc < 0)
        return nn_fail(rc);
    rc = optval == NULL && optvallen > 0 ? -EFAULT : sp_socket_set_option(socket, level, option, optval, optvallen);
    sp_socket_release(socket);
    return nn_result(rc);
}

int nn_getsockopt(int s, int level, int option, void *optval, size_t *optvallen)
{
    struct sp_socket *socket;
    int rc = sp_socket_acquire(s, &socket);

    if (rc < 0)
        return nn_fail(rc);
    if (optvallen == NULL || optval == NULL)
        rc = -EFAULT;
    else
        rc = sp_socket_get_option(socket, level, option, optval, optvallen);
    sp_socket_release(socket);
    return nn_result(rc);
}

static int add_endpoint(int s, const char *address, int (*add)(struct sp_socket *, const char *))
{
    struct sp_socket *socket;
    int rc = sp_socket_acquire(s, &socket);

    if (rc < 0)
        return nn_fail(rc);
    rc = address == NULL ? -EINVAL : add(socket, address);
    sp_socket_release(socket);
    return nn_result(rc);
}

int nn_bind(int s, const char *addr)
{
    return add_endpoint(s, addr, sp_socket_bind);
}

int nn_connect(int s, const char *addr)
{
    return add_endpoint(s, addr, sp_socket_connect);
}

int nn_shutdown(int s, int how)
{
    struct sp_socket *socket;
    int rc = sp_socket_acquire(s, &socket);

    if (rc < 0)
        return nn_fail(rc);
    rc = sp_socket_shutdown(socket, how);
    sp_socket_release(socket);
    return nn_result(rc);
}

int nn_endpoint_renew_tls(int s, int endpoint)
{
    struct sp_socket *socket;
    int rc = sp_socket_acquire(s, &socket);

    if (rc < 0)
        return nn_fail(rc);
    rc = sp_socket_renew_tls(socket, endpoint);
    sp_socket_release(socket);
    return nn_result(rc);
}

int nn_send(int s, const void *buf, size_t len, int flags)
{
    struct sp_socket *socket;
    struct nn_message message;
    int rc = sp_socket_acquire(s, &socket);

    if (rc < 0)
        return nn_fail(rc);
    if ((rc = nn_body_take(buf, len, &message)) == 0) {
        size_t body_bytes = message.body_bytes;
        rc = sp_socket_send(socket, &message, flags);
        if (rc == 0)
            rc = (int)body_bytes;
        else
            nn_body_return(&message, len == NN_MSG);
    }
    sp_socket_release(socket);
    return nn_result(rc);
}

int nn_recv(int s, void *buf, size_t len, int flags)
{
    struct sp_socket *socket;
    struct nn_message message;
    int rc = sp_socket_acquire(s, &socket);

    if (rc < 0)
        return nn_fail(rc);
    if (buf == NULL && len > 0)
        rc = -EFAULT;
    else if ((rc = sp_socket_receive(socket, &message, flags)) == 0)
        rc = nn_body_give(&message, buf, len);
    sp_socket_release(socket);
    return nn_result(rc);
}

uint64_t nn_get_statistic(int s, int stat)
{
    struct sp_socket *socket;
    uint64_t value = 0;
    int rc = sp_socket_acquire(s, &socket);

    if (rc == 0) {
        rc = sp_socket_statistic(socket, stat, &value);
        sp_socket_release(socket);
    }
    return rc < 0 ? (uint64_t)nn_fail(rc) : value;
}
