/* Both sides of LATEST. All of it runs under the lock of a socket: nothing here needs one of its own. */
#include "latest.h"

#include <nanomsg/protocol.h>

#include <errno.h>
#include <string.h>

/* ---- The source: sends, to all peers ---- */

/* What a source knows of one view: the pipe's private part. */
struct view_pipe {
    struct view_pipe *next;
    bool is_behind; /* it has not been sent the newest value */
};

struct source {
    struct nn_protocol_socket base; /* first */
    struct view_pipe *views;
    struct nn_message value;
    bool has_value;
};

static struct source *source_of(struct nn_protocol_socket *base)
{
    return NN_CONTAINER(base, struct source, base);
}

/* Sends the value to a view that lacks it. One that takes nothing now stays behind; it will be called writable. */
static void source_offer(struct source *self, struct view_pipe *view)
{
    struct nn_message copy;

    if (!view->is_behind || nn_message_share(&copy, &self->value) < 0)
        return;
    if (nn_pipe_send(nn_pipe_of_data(view), &copy) == 0)
        view->is_behind = false;
    else
        nn_message_free(&copy);
}

static int source_open(struct nn_protocol_socket *base)
{
    nn_message_init(&source_of(base)->value);
    return 0;
}

static void source_close(struct nn_protocol_socket *base)
{
    nn_message_free(&source_of(base)->value);
}

static int source_pipe_added(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    struct source *self = source_of(base);
    struct view_pipe *view = nn_pipe_data(pipe);

    view->is_behind = self->has_value;
    view->next = self->views;
    self->views = view;
    return 0;
}

static void source_pipe_removed(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    struct view_pipe **link = &source_of(base)->views;

    while (*link != nn_pipe_data(pipe))
        link = &(*link)->next;
    *link = (*link)->next;
}

static void source_pipe_writable(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    source_offer(source_of(base), nn_pipe_data(pipe));
}

/* Views have nothing to say. */
static void source_pipe_readable(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    (void)base;
    nn_pipe_reject(pipe);
}

static int source_send(struct nn_protocol_socket *base, struct nn_message *message)
{
    struct source *self = source_of(base);
    int rc = nn_message_own(message); /* it is kept when this call has returned */

    if (rc < 0)
        return rc;
    nn_message_free(&self->value);
    self->value = *message;
    self->has_value = true;
    nn_message_init(message);
    for (struct view_pipe *view = self->views; view != NULL; view = view->next) {
        view->is_behind = true;
        source_offer(self, view);
    }
    return 0;
}

static int source_events(struct nn_protocol_socket *base)
{
    (void)base;
    return NN_POLLOUT; /* it never has to wait */
}

static const struct nn_protocol source_protocol = {
    .version = NN_PROTOCOL_VERSION,
    .name = "LATEST_SOURCE",
    .domain = AF_SP,
    .id = LATEST_SOURCE,
    .peer_id = LATEST_VIEW,
    .flags = NN_PROTOCOL_SENDS,
    .socket_bytes = sizeof(struct source),
    .pipe_bytes = sizeof(struct view_pipe),
    .open = source_open,
    .close = source_close,
    .pipe_added = source_pipe_added,
    .pipe_removed = source_pipe_removed,
    .pipe_readable = source_pipe_readable,
    .pipe_writable = source_pipe_writable,
    .send = source_send,
    .events = source_events,
};

/* ---- The view: receives the newest ---- */

struct view {
    struct nn_protocol_socket base; /* first */
    struct nn_message value;
    bool has_value; /* and it was not received */
    int missed;
};

static struct view *view_of(struct nn_protocol_socket *base)
{
    return NN_CONTAINER(base, struct view, base);
}

static int view_open(struct nn_protocol_socket *base)
{
    nn_message_init(&view_of(base)->value);
    return 0;
}

static void view_close(struct nn_protocol_socket *base)
{
    nn_message_free(&view_of(base)->value);
}

/* A view may look at any number of sources. */
static int view_pipe_added(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    (void)base;
    (void)pipe;
    return 0;
}

static void view_pipe_removed(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    (void)base;
    (void)pipe;
}

/* Takes all there is, so that the pipe is never full, and keeps the last. */
static void view_pipe_readable(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    struct view *self = view_of(base);
    struct nn_message message;

    while (nn_pipe_receive(pipe, &message) == 0) {
        if (self->has_value)
            self->missed++;
        nn_message_free(&self->value);
        self->value = message;
        self->has_value = true;
    }
}

static void view_pipe_writable(struct nn_protocol_socket *base, struct nn_pipe *pipe)
{
    (void)base;
    (void)pipe;
}

static int view_receive(struct nn_protocol_socket *base, struct nn_message *message)
{
    struct view *self = view_of(base);

    if (!self->has_value)
        return -EAGAIN;
    *message = self->value;
    nn_message_init(&self->value);
    self->has_value = false;
    return 0;
}

static int view_events(struct nn_protocol_socket *base)
{
    return view_of(base)->has_value ? NN_POLLIN : 0;
}

static int view_get_option(struct nn_protocol_socket *base, int option, void *value, size_t *size)
{
    const struct view *self = view_of(base);

    if (option != LATEST_MISSED)
        return -ENOPROTOOPT;
    memcpy(value, &self->missed, *size < sizeof self->missed ? *size : sizeof self->missed);
    *size = sizeof self->missed;
    return 0;
}

static const struct nn_protocol view_protocol = {
    .version = NN_PROTOCOL_VERSION,
    .name = "LATEST_VIEW",
    .domain = AF_SP,
    .id = LATEST_VIEW,
    .peer_id = LATEST_SOURCE,
    .flags = NN_PROTOCOL_RECEIVES,
    .socket_bytes = sizeof(struct view),
    .open = view_open,
    .close = view_close,
    .pipe_added = view_pipe_added,
    .pipe_removed = view_pipe_removed,
    .pipe_readable = view_pipe_readable,
    .pipe_writable = view_pipe_writable,
    .receive = view_receive,
    .events = view_events,
    .get_option = view_get_option,
};

int latest_register(void)
{
    return nn_protocol_register(&source_protocol) < 0 ? -1 : nn_protocol_register(&view_protocol);
}
