/* nn_sendmsg and nn_recvmsg: bodies in pieces, and control data. */
#include "api/body.h"
#include "api/control_data.h"
#include "api/fail.h"
#include "core/socket.h"

#include <errno.h>

/* As in libnanomsg, control data of nn_allocmsg is freed when the message could not be sent, too, and is kept when the
 * call was wrong. A call that waited ends with EBADF or ENOMEM as one that was refused at once does: it keeps them, so
 * that the caller knows by errno. */
static bool consumes_control(int rc)
{
    switch (rc) {
    case 0:
    case -EAGAIN:
    case -ETIMEDOUT:
    case -EINTR:
    case -EFSM:
    case -ENOTSUP:
        return true;
    default:
        return false;
    }
}

static int send_described(struct sp_socket *socket, const struct nn_msghdr *msghdr, int flags)
{
    struct nn_message message;

    if (msghdr == NULL)
        return -EINVAL;
    int rc = nn_body_gather(msghdr->msg_iov, msghdr->msg_iovlen, &message);
    if (rc < 0)
        return rc;

    size_t body_bytes = message.body_bytes;
    rc = nn_control_take(msghdr, &message);
    if (rc == 0) {
        rc = sp_socket_send(socket, &message, flags);
        if (consumes_control(rc))
            nn_control_release(msghdr);
    }
    if (rc == 0)
        return (int)body_bytes;
    nn_body_return(&message, nn_body_is_message(msghdr->msg_iov, msghdr->msg_iovlen));
    return rc;
}

int nn_sendmsg(int s, const struct nn_msghdr *msghdr, int flags)
{
    struct sp_socket *socket;
    int rc = sp_socket_acquire(s, &socket);

    if (rc < 0)
        return nn_fail(rc);
    rc = send_described(socket, msghdr, flags);
    sp_socket_release(socket);
    return nn_result(rc);
}

static int receive_described(struct sp_socket *socket, struct nn_msghdr *msghdr, int flags)
{
    struct nn_message message;

    if (msghdr == NULL)
        return -EINVAL;
    /* Before a message is taken, which would be lost. */
    int rc = nn_body_check_room(msghdr->msg_iov, msghdr->msg_iovlen);
    if (rc < 0)
        return rc;
    rc = sp_socket_receive(socket, &message, flags);
    if (rc < 0)
        return rc;

    rc = nn_control_give(&message, msghdr);
    if (rc < 0) {
        nn_message_free(&message);
        return rc;
    }
    rc = nn_body_scatter(&message, msghdr->msg_iov, msghdr->msg_iovlen);
    if (rc < 0)
        nn_control_release(msghdr);
    return rc;
}

int nn_recvmsg(int s, struct nn_msghdr *msghdr, int flags)
{
    struct sp_socket *socket;
    int rc = sp_socket_acquire(s, &socket);

    if (rc < 0)
        return nn_fail(rc);
    rc = receive_described(socket, msghdr, flags);
    sp_socket_release(socket);
    return nn_result(rc);
}
