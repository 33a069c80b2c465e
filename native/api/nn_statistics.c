/* The calls of nanomsg/statistics.h. */
#include "api/fail.h"
#include "core/socket.h"

#include <nanomsg/statistics.h>

int nn_socket_pipe_statistics(int s, uint32_t pipe, struct nn_pipe_statistics *statistics)
{
    struct sp_socket *socket;
    int rc = sp_socket_acquire(s, &socket);

    if (rc < 0)
        return nn_fail(rc);
    rc = statistics != NULL ? sp_socket_pipe_statistics(socket, pipe, statistics) : -EFAULT;
    sp_socket_release(socket);
    return nn_result(rc);
}
