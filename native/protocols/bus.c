/* BUS: each message to all direct peers that can take it; nothing is passed on. The raw socket reports which
 * pipe a message came from, so that a device can send it to all the others. */
#include "protocols/parts/distributor.h"
#include "protocols/parts/fair_queue.h"

#include <nanomsg/bus.h>
#include <nanomsg/protocol.h>

#include <errno.h>
#include <string.h>

struct bus {
    struct nn_protocol_socket base;
    struct sp_distributor receivers;
    struct sp_fair_queue senders;
};

struct bus_pipe {
    struct sp_distributor_slot sending;
    struct sp_priority_slot receiving;
};

static struct bus *bus_of(struct nn_protocol_socket *base)
{
    return NN_CONTAINER(base, struct bus, base);
}

static int bus_open(struct nn_protocol_socket *base)
{
    sp_distributor_init(&bus_of(base)->receivers);
    return 0;
}

static int bus_pipe_added(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    struct bus_pipe *data = nn_pipe_data(pipe);

    sp_distributor_add(&bus_of(base)->receivers, &data->sending, pipe);
    sp_fair_queue_add(&data->receiving, pipe);
    return 0;
}

static void bus_pipe_removed(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    struct bus_pipe *data = nn_pipe_data(pipe);

    sp_distributor_remove(&data->sending);
    sp_fair_queue_remove(&bus_of(base)->senders, &data->receiving);
}

static void bus_pipe_readable(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    struct bus_pipe *data = nn_pipe_data(pipe);

    sp_fair_queue_readable(&bus_of(base)->senders, &data->receiving);
}

static void bus_pipe_writable(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    struct bus_pipe *data = nn_pipe_data(pipe);

    sp_distributor_writable(&bus_of(base)->receivers, &data->sending);
}

/* The pipe gets nothing any more, and misses nothing. */
static void bus_pipe_sending_ended(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    struct bus_pipe *data = nn_pipe_data(pipe);

    (void)base;
    sp_distributor_remove(&data->sending);
}

static int bus_events(struct nn_protocol_socket *base)
{
    return NN_POLLOUT | (sp_fair_queue_can_receive(&bus_of(base)->senders) ? NN_POLLIN : 0);
}

/* ---- Cooked ---- */

static int bus_send(struct nn_protocol_socket *base, struct nn_message *message)
{
    if (message->header_bytes > 0)
        return -EINVAL;
    return sp_distributor_send(&bus_of(base)->receivers, message, 0);
}

static int bus_receive(struct nn_protocol_socket *base, struct nn_message *message)
{
    return sp_fair_queue_receive(&bus_of(base)->senders, message, NULL);
}

/* ---- Raw: the header is the id of a pipe, local to the process and never on the wire ---- */

static int bus_raw_send(struct nn_protocol_socket *base, struct nn_message *message)
{
    struct sp_distributor *receivers = &bus_of(base)->receivers;
    uint64_t from;

    if (message->header_bytes == 0)
        return sp_distributor_send(receivers, message, 0);
    if (message->header_bytes != sizeof from)
        return -EINVAL;

    memcpy(&from, nn_message_header(message), sizeof from);
    nn_message_header_clear(message);
    int rc = sp_distributor_send(receivers, message, from <= UINT32_MAX ? (uint32_t)from : 0);
    if (rc < 0)
        (void)nn_message_header_append(message, &from, sizeof from); /* fits: it was there */
    return rc;
}

static int bus_raw_receive(struct nn_protocol_socket *base, struct nn_message *message)
{
    struct nn_pipe *pipe;

    int rc = sp_fair_queue_receive(&bus_of(base)->senders, message, &pipe);
    if (rc < 0)
        return rc;
    uint64_t from = nn_pipe_id(pipe);
    return nn_message_header_append(message, &from, sizeof from); /* fits: the header was empty */
}

/* ---- Tables ---- */

#define BUS_TABLE(of_domain, sends, receives)                                                                          \
    {                                                                                                                  \
        .version = NN_PROTOCOL_VERSION, .name = "bus", .domain = (of_domain), .id = NN_BUS, .peer_id = NN_BUS,         \
        .flags = NN_PROTOCOL_SENDS | NN_PROTOCOL_RECEIVES | NN_PROTOCOL_BUFFERS, .socket_bytes = sizeof(struct bus),   \
        .pipe_bytes = sizeof(struct bus_pipe), .open = bus_open, .pipe_added = bus_pipe_added,                         \
        .pipe_removed = bus_pipe_removed, .pipe_readable = bus_pipe_readable, .pipe_writable = bus_pipe_writable,      \
        .send = (sends), .receive = (receives), .events = bus_events, .pipe_sending_ended = bus_pipe_sending_ended,    \
    }

const struct nn_protocol sp_bus_protocol = BUS_TABLE(AF_SP, bus_send, bus_receive);
const struct nn_protocol sp_bus_raw_protocol = BUS_TABLE(AF_SP_RAW, bus_raw_send, bus_raw_receive);
