/* The calls of nanomsg/admission.h. */
#include "api/fail.h"
#include "core/admission.h"
#include "core/socket.h"

#include <nanomsg/admission.h>

int nn_socket_next_candidate(int s, struct nn_event *event, int timeout_ms)
{
    struct sp_socket *socket;
    int rc = sp_socket_acquire(s, &socket);

    if (rc < 0)
        return nn_fail(rc);
    rc = event != NULL ? sp_socket_next_candidate(socket, event, timeout_ms) : -EFAULT;
    sp_socket_release(socket);
    return nn_result(rc);
}

int nn_socket_admit(int s, uint32_t pipe, const char *refusal)
{
    struct sp_socket *socket;
    int rc = sp_socket_acquire(s, &socket);

    if (rc < 0)
        return nn_fail(rc);
    rc = sp_socket_admit(socket, pipe, refusal);
    sp_socket_release(socket);
    return nn_result(rc);
}

int nn_socket_disconnect(int s, uint32_t pipe)
{
    struct sp_socket *socket;
    int rc = sp_socket_acquire(s, &socket);

    if (rc < 0)
        return nn_fail(rc);
    rc = sp_socket_disconnect(socket, pipe);
    sp_socket_release(socket);
    return nn_result(rc);
}
