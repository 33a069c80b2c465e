/* The calls of nanomsg/loop.h on sockets. */
#include "api/built_in.h"
#include "api/fail.h"
#include "core/socket.h"
#include "message/chunk.h"

#include <nanomsg/loop.h>

int nn_loop_socket(struct nn_loop *loop, int domain, int protocol, void *user)
{
    if (loop == NULL)
        return nn_fail(-EINVAL);
    sp_built_in_register();
    return nn_result(sp_socket_open(loop, domain, protocol, user));
}

int nn_socket_handle(int s)
{
    return nn_result(sp_socket_handle(s));
}

int nn_endpoint_address(int s, int endpoint, char *buffer, size_t size_bytes)
{
    struct sp_socket *socket;
    int rc = sp_socket_acquire(s, &socket);

    if (rc < 0)
        return nn_fail(rc);
    rc = sp_socket_endpoint_address(socket, endpoint, buffer, size_bytes);
    sp_socket_release(socket);
    return nn_result(rc);
}

int nn_socket_receive_batch(int s, struct nn_received *received, int count)
{
    struct sp_socket *socket;
    int rc = sp_socket_acquire(s, &socket);

    if (rc < 0)
        return nn_fail(rc);
    rc = count > 0 ? sp_socket_receive_batch(socket, received, count) : -EINVAL;
    sp_socket_release(socket);
    return nn_result(rc);
}

int nn_socket_context_receive(int s, struct nn_received *received, int count)
{
    struct sp_socket *socket;
    int rc = sp_socket_acquire(s, &socket);

    if (rc < 0)
        return nn_fail(rc);
    rc = count > 0 ? sp_socket_context_receive(socket, received, count) : -EINVAL;
    sp_socket_release(socket);
    return nn_result(rc);
}

void *nn_received_claim(const struct nn_received *received)
{
    struct nn_chunk *chunk = received->chunk;

    if (chunk == NULL || received->is_in_slab || !sp_chunk_is_alone(chunk, received->body, received->body_bytes))
        return NULL;
    return sp_chunk_expose(chunk, received->body);
}

int nn_socket_context_close(int s, uint32_t context)
{
    struct sp_socket *socket;
    int rc = sp_socket_acquire(s, &socket);

    if (rc < 0)
        return nn_fail(rc);
    rc = sp_socket_context_close(socket, context);
    sp_socket_release(socket);
    return nn_result(rc);
}

int nn_socket_send_batch(int s, const struct nn_outgoing *messages, int count, size_t queue_limit_bytes)
{
    struct sp_socket *socket;
    int rc = sp_socket_acquire(s, &socket);

    if (rc < 0)
        return nn_fail(rc);
    rc = sp_socket_send_batch(socket, messages, count, queue_limit_bytes);
    sp_socket_release(socket);
    return nn_result(rc);
}

int64_t nn_socket_context_sent(int s, uint32_t context)
{
    struct sp_socket *socket;
    int rc = sp_socket_acquire(s, &socket);

    if (rc < 0)
        return nn_fail(rc);
    int64_t count = sp_socket_context_sent(socket, context);
    sp_socket_release(socket);
    return count < 0 ? nn_fail((int)count) : count;
}

int64_t nn_socket_queued_bytes(int s)
{
    struct sp_socket *socket;
    int rc = sp_socket_acquire(s, &socket);

    if (rc < 0)
        return nn_fail(rc);
    int64_t bytes = sp_socket_queued_bytes(socket);
    sp_socket_release(socket);
    return bytes;
}

int nn_socket_monitor(int s, bool is_on)
{
    struct sp_socket *socket;
    int rc = sp_socket_acquire(s, &socket);

    if (rc < 0)
        return nn_fail(rc);
    rc = sp_socket_monitor(socket, is_on);
    sp_socket_release(socket);
    return nn_result(rc);
}

int nn_socket_peer(int s, uint32_t pipe, struct nn_event *event)
{
    struct sp_socket *socket;
    int rc = sp_socket_acquire(s, &socket);

    if (rc < 0)
        return nn_fail(rc);
    rc = event != NULL ? sp_socket_peer(socket, pipe, event) : -EFAULT;
    sp_socket_release(socket);
    return nn_result(rc);
}

int nn_socket_pipes(int s, uint32_t *pipes, int count)
{
    struct sp_socket *socket;
    int rc = sp_socket_acquire(s, &socket);

    if (rc < 0)
        return nn_fail(rc);
    if (count < 0)
        rc = -EINVAL;
    else
        rc = pipes != NULL || count == 0 ? sp_socket_pipes(socket, pipes, count) : -EFAULT;
    sp_socket_release(socket);
    return nn_result(rc);
}

int nn_socket_next_event(int s, struct nn_event *event)
{
    struct sp_socket *socket;
    int rc = sp_socket_acquire(s, &socket);

    if (rc < 0)
        return nn_fail(rc);
    rc = event != NULL ? sp_socket_next_event(socket, event) : -EFAULT;
    sp_socket_release(socket);
    return nn_result(rc);
}

int nn_socket_last_failure(int s, struct nn_event *event)
{
    struct sp_socket *socket;
    int rc = sp_socket_acquire(s, &socket);

    if (rc < 0)
        return nn_fail(rc);
    rc = event != NULL ? sp_socket_last_failure(socket, event) : -EFAULT;
    sp_socket_release(socket);
    return nn_result(rc);
}

int nn_socket_event_peer(int s, int what, void *value, size_t *size)
{
    struct sp_socket *socket;
    int rc = sp_socket_acquire(s, &socket);

    if (rc < 0)
        return nn_fail(rc);
    rc = value != NULL && size != NULL ? sp_socket_event_peer(socket, what, value, size) : -EFAULT;
    sp_socket_release(socket);
    return nn_result(rc);
}
