/* The interface between the engine and a transport (inproc, ipc, tcp, ...). All functions of a table run under
 * the socket's lock and never block, but for `bind`, which may look up an interface. */
#ifndef SP_CORE_TRANSPORT_H
#define SP_CORE_TRANSPORT_H

#include <nanomsg/protocol.h>

#include "core/options.h"
#include "loop/loop.h"
#include "util/list.h"

#include <stdbool.h>
#include <stddef.h>

struct sp_endpoint;
struct sp_transport;

/* What a transport does with an admitted pipe. */
struct sp_pipe_ops {
    /* Takes the message and returns 0, or -EAGAIN. Sets pipe->can_send as it is afterwards. */
    int (*send)(struct nn_pipe *pipe, struct nn_message *message);
    /* Gives the next complete message; called only while pipe->can_receive, which it updates. */
    int (*receive)(struct nn_pipe *pipe, struct nn_message *message);
    /* Passes on what was gathered while the socket was corked. */
    void (*flush)(struct nn_pipe *pipe);
    /* The pipe is removed from the protocol already: deliver what was accepted for as long as linger allows
     * (or drop it), then release the connection. The pipe's memory is gone after this call. */
    void (*close)(struct nn_pipe *pipe, bool may_linger);
    /* Bytes accepted and not passed on yet. */
    size_t (*queued_bytes)(const struct nn_pipe *pipe);
};

/* One bind or connect. A transport embeds it first in a structure of endpoint_bytes. */
struct sp_endpoint {
    struct sp_list_item item; /* in the socket's endpoints */
    struct sp_socket *socket;
    const struct sp_transport *transport;
    int id;
    bool is_bound;      /* false: it connects */
    bool is_closed;     /* the user has shut it down: released with its last connection */
    bool is_connecting; /* counted in NN_STAT_INPROGRESS_CONNECTIONS */
    bool has_error;     /* counted in NN_STAT_CURRENT_EP_ERRORS */
    int last_error;
    unsigned users;            /* connections and requests that point here */
    struct sp_options options; /* as they were when the endpoint was made */
    char address[NN_SOCKADDR_MAX + 1];
    struct sp_task release;
};

struct sp_transport {
    const char *scheme;
    size_t endpoint_bytes;
    /* `rest` is the address behind "scheme://". Return 0 or -errno and nothing to undo. */
    int (*bind)(struct sp_endpoint *endpoint, const char *rest);
    int (*connect)(struct sp_endpoint *endpoint, const char *rest);
    /* No new connections from now on. The endpoint is released when `users` is 0. */
    void (*close)(struct sp_endpoint *endpoint);
    /* Writes the address in use (without scheme) into buffer of NN_SOCKADDR_MAX + 1 bytes; optional. */
    void (*address)(const struct sp_endpoint *endpoint, char *buffer);
};

#endif
