/* What is behind nanomsg/transport.h: the endpoint, as the engine and the transports of byte streams see it. */
#ifndef SP_CORE_TRANSPORT_H
#define SP_CORE_TRANSPORT_H

#include <nanomsg/transport.h>

#include "core/options.h"
#include "loop/loop.h"
#include "util/list.h"

#include <stdbool.h>
#include <stddef.h>

/* One bind or connect. */
struct nn_endpoint {
    struct sp_list_item item; /* in the socket's endpoints */
    struct sp_socket *socket;
    const struct nn_transport *transport;
    int id;
    bool is_bound;      /* false: it connects */
    bool is_closed;     /* the user has shut it down: released with its last connection */
    bool is_connecting; /* counted in NN_STAT_INPROGRESS_CONNECTIONS */
    bool has_error;     /* counted in NN_STAT_CURRENT_EP_ERRORS */
    int last_error;
    unsigned accepted;         /* connections that peers have made, until their descriptors are closed */
    unsigned users;            /* connections, requests and handles that point here */
    struct sp_options options; /* as they were when the endpoint was made */
    char address[NN_SOCKADDR_MAX + 1];
    struct sp_task release;
    _Alignas(16) unsigned char data[]; /* the transport's private part */
};

/* A connection or a request has ended. */
void sp_endpoint_release(struct nn_endpoint *self);

/* The outcome of the last attempt, for statistics and NN_PRINT_ERRORS; 0: all is well. */
void sp_endpoint_set_error(struct nn_endpoint *self, int error);

/* The address with the port in use; returns its length or -EMSGSIZE. */
int sp_endpoint_write_address(const struct nn_endpoint *self, char *buffer, size_t size_bytes);

#endif
