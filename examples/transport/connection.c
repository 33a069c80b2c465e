/* One connection of packet://: handshake, messages in packets, close.
 *
 * On the wire: each side begins with a packet of eight bytes, as the SP specification has it for streams. A message is
 * one packet or several: a byte that is 1 when more of the message follows and 0 with its last part, and the part. */
#include "packet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HANDSHAKE_BYTES 8
#define HANDSHAKE_LIMIT_MS 1000
/* Of one packet, without its first byte. */
#define PART_LIMIT_BYTES ((size_t)32 * 1024)

struct connection {
    struct connection *next; /* in endpoint->handshaking */
    struct nn_endpoint *endpoint;
    struct nn_watch *watch;
    struct nn_timer *deadline; /* of the handshake */
    struct nn_linger *linger;  /* the pipe is closed, the rest is still to be sent */
    struct nn_pipe *pipe;      /* NULL: not admitted yet, or closed */
    int fd;
    int events; /* that the watch wants */
    int error;  /* why it is over: -errno; 0: it is not */

    struct nn_message outgoing; /* the message of which `sent_bytes` have left, when is_sending */
    size_t sent_bytes;
    bool is_sending;

    uint8_t *incoming; /* parts of the message that is on its way */
    size_t incoming_bytes;
    struct nn_message complete; /* has come, and is not taken, when has_complete */
    bool has_complete;
};

static void want(struct connection *self, int events)
{
    /* A failure means that memory is short for the watch: then the connection is of no use. */
    if (events != self->events && nn_watch_want(self->watch, events) < 0 && self->error == 0)
        self->error = -ENOMEM;
    self->events = events;
}

/* ---- Opening, closing ---- */

static void leave_handshake_list(struct connection *self)
{
    struct packet_endpoint *endpoint = nn_endpoint_data(self->endpoint);
    struct connection **link = &endpoint->handshaking;

    nn_timer_close(self->deadline);
    self->deadline = NULL;
    while (*link != self)
        link = &(*link)->next;
    *link = self->next;
}

/* What the peer has sent last is read before the end: the kernel would answer unread packets by an error, which the
 * peer might see before what we sent. */
static void connection_free(struct connection *self)
{
    char unwanted[1];

    if (self->deadline != NULL)
        leave_handshake_list(self);
    for (int i = 0; i < 64 && recv(self->fd, unwanted, sizeof unwanted, MSG_DONTWAIT) > 0; i++)
        ;
    nn_watch_close(self->watch);
    close(self->fd);
    nn_message_free(&self->outgoing);
    nn_message_free(&self->complete);
    free(self->incoming);
    free(self);
}

static void connection_is_over(struct connection *self)
{
    /* Our watch may be the last that keeps the endpoint: it is told first. */
    if (!nn_endpoint_is_bound(self->endpoint))
        packet_disconnected(self->endpoint, self->error);
    connection_free(self);
}

void connection_abandon_handshakes(struct packet_endpoint *endpoint)
{
    while (endpoint->handshaking != NULL)
        connection_free(endpoint->handshaking);
}

/* ---- Sending ---- */

static size_t message_bytes(const struct nn_message *message)
{
    return message->header_bytes + message->body_bytes;
}

/* Sends the part that begins at an offset of header and body together. Returns its length, or -errno. */
static ssize_t send_part(int fd, const struct nn_message *message, size_t offset)
{
    size_t rest_bytes = message_bytes(message) - offset;
    size_t part_bytes = rest_bytes < PART_LIMIT_BYTES ? rest_bytes : PART_LIMIT_BYTES;
    size_t header_bytes = offset < message->header_bytes ? message->header_bytes - offset : 0;
    uint8_t has_more = part_bytes < rest_bytes;

    if (header_bytes > part_bytes)
        header_bytes = part_bytes;
    struct iovec vectors[3] = {{.iov_base = &has_more, .iov_len = 1}};
    struct msghdr packet = {.msg_iov = vectors, .msg_iovlen = 1};
    if (header_bytes > 0)
        vectors[packet.msg_iovlen++] = (struct iovec){(uint8_t *)nn_message_header(message) + offset, header_bytes};
    if (part_bytes > header_bytes) {
        size_t body_offset = offset + header_bytes - message->header_bytes;
        vectors[packet.msg_iovlen++] =
            (struct iovec){(uint8_t *)message->body + body_offset, part_bytes - header_bytes};
    }
    return sendmsg(fd, &packet, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : (ssize_t)part_bytes;
}

/* Sends on until the message is out or the kernel is full. Returns 0, -EAGAIN, or -errno when the connection is
 * broken. */
static int send_parts(int fd, const struct nn_message *message, size_t *sent_bytes)
{
    do {
        ssize_t count = send_part(fd, message, *sent_bytes);
        if (count < 0)
            return count == -ENOBUFS || count == -EINTR ? -EAGAIN : (int)count;
        *sent_bytes += (size_t)count;
    } while (*sent_bytes < message_bytes(message));
    return 0;
}

/* All is out, or the peer takes nothing more; what that has sent can still be received, and reading finds the end. */
static void sending_is_over(struct connection *self)
{
    self->is_sending = false;
    nn_message_free(&self->outgoing);
    if (self->pipe != NULL)
        nn_pipe_set_writable(self->pipe, false);
    want(self, self->events & ~NN_POLLOUT);
}

/* A writable pipe takes a message of any size: what the kernel does not take is kept, and the pipe is full until it has
 * left. */
static int connection_send(struct nn_pipe *pipe, struct nn_message *message)
{
    struct connection *self = nn_pipe_connection(pipe);
    size_t sent_bytes = 0;
    int rc = send_parts(self->fd, message, &sent_bytes);

    if (rc == 0) {
        nn_message_free(message);
        return 0;
    }
    if (rc != -EAGAIN || nn_message_own(message) < 0) {
        sending_is_over(self);
        if (sent_bytes > 0)
            nn_pipe_end(pipe); /* half a message is out: the connection cannot go on */
        nn_pipe_count_refused(pipe, message);
        return -EAGAIN;
    }
    self->outgoing = *message;
    self->sent_bytes = sent_bytes;
    self->is_sending = true;
    nn_message_init(message);
    nn_pipe_set_writable(pipe, false);
    want(self, self->events | NN_POLLOUT);
    return 0;
}

static void connection_writable(struct connection *self)
{
    int rc = self->is_sending ? send_parts(self->fd, &self->outgoing, &self->sent_bytes) : 0;

    if (rc == -EAGAIN)
        return;
    sending_is_over(self);
    if (self->linger != NULL) {
        nn_linger_end(self->linger);
        connection_is_over(self);
    } else if (rc == 0) {
        nn_pipe_set_writable(self->pipe, true);
    }
}

/* ---- Receiving ---- */

/* Adds a part, and makes a message of the last one. Returns 0 or -errno. */
static int take_part(struct connection *self, const uint8_t *part, size_t count, bool has_more)
{
    uint8_t *body;

    if (self->incoming_bytes + count > nn_pipe_receive_limit(self->pipe))
        return -EMSGSIZE;
    if (has_more) {
        uint8_t *larger = realloc(self->incoming, self->incoming_bytes + count);
        if (larger == NULL)
            return -ENOMEM;
        memcpy(larger + self->incoming_bytes, part, count);
        self->incoming = larger;
        self->incoming_bytes += count;
        return 0;
    }
    int rc = nn_message_create(&self->complete, self->incoming_bytes + count, &body);
    if (rc < 0)
        return rc;
    if (self->incoming_bytes > 0)
        memcpy(body, self->incoming, self->incoming_bytes);
    memcpy(body + self->incoming_bytes, part, count);
    free(self->incoming);
    self->incoming = NULL;
    self->incoming_bytes = 0;
    self->has_complete = true;
    return 0;
}

/* Reads until a message is complete, or the kernel has nothing more, or the connection is over. */
static void read_message(struct connection *self)
{
    uint8_t packet[1 + PART_LIMIT_BYTES];

    while (!self->has_complete && self->error == 0) {
        ssize_t count = recv(self->fd, packet, sizeof packet, MSG_DONTWAIT | MSG_TRUNC);
        if (count < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (count < 0)
            self->error = -errno;
        else if (count == 0)
            self->error = -ECONNRESET;
        else if (count > (ssize_t)sizeof packet || packet[0] > 1)
            self->error = -EPROTO;
        else
            self->error = take_part(self, packet + 1, (size_t)count - 1, packet[0] == 1);
    }
}

/* While a message waits to be taken, nothing is read: that slows the peer down. */
static int connection_receive(struct nn_pipe *pipe, struct nn_message *message)
{
    struct connection *self = nn_pipe_connection(pipe);

    *message = self->complete;
    nn_message_init(&self->complete);
    self->has_complete = false;
    read_message(self);
    if (!self->has_complete) {
        nn_pipe_set_readable(pipe, false);
        want(self, self->events | NN_POLLIN);
        if (self->error != 0)
            nn_pipe_end(pipe);
    }
    return 0;
}

static void connection_readable(struct connection *self)
{
    if (!self->has_complete)
        read_message(self);
    if (self->has_complete) {
        want(self, self->events & ~NN_POLLIN);
        nn_pipe_set_readable(self->pipe, true);
    } else if (self->error != 0) {
        nn_pipe_end(self->pipe);
    }
}

/* ---- Handshake ---- */

static const uint8_t handshake_start[4] = {0x00, 'S', 'P', 0x00};

static int send_handshake(struct connection *self)
{
    int protocol = nn_endpoint_protocol(self->endpoint);
    uint8_t handshake[HANDSHAKE_BYTES] = {0};

    memcpy(handshake, handshake_start, sizeof handshake_start);
    handshake[4] = (uint8_t)(protocol >> 8);
    handshake[5] = (uint8_t)protocol;
    return send(self->fd, handshake, sizeof handshake, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

/* Returns 0 for the handshake of a peer of the right type, or -errno. */
static int receive_handshake(struct connection *self)
{
    uint8_t handshake[HANDSHAKE_BYTES];
    ssize_t count = recv(self->fd, handshake, sizeof handshake, MSG_DONTWAIT | MSG_TRUNC);

    if (count < 0)
        return errno == EINTR ? -EAGAIN : -errno;
    if (count == 0)
        return -ECONNRESET;
    if (count != HANDSHAKE_BYTES || memcmp(handshake, handshake_start, sizeof handshake_start) != 0 ||
        (handshake[4] << 8 | handshake[5]) != nn_endpoint_peer_protocol(self->endpoint))
        return -EPROTO;
    return 0;
}

/* The peer had no pipe yet, so that the engine cannot know. */
static void connection_turn_away(struct connection *self, int error)
{
    nn_endpoint_count_broken(self->endpoint);
    nn_endpoint_report_rejected(self->endpoint, 0, error);
}

static void connection_admit(struct connection *self)
{
    int rc = receive_handshake(self);

    if (rc == -EAGAIN)
        return;
    if (rc < 0)
        connection_turn_away(self, rc);
    else
        rc = nn_pipe_open(self->endpoint, self, &self->pipe);
    if (rc < 0) {
        self->error = rc;
        connection_is_over(self);
        return;
    }
    leave_handshake_list(self);
    nn_endpoint_set_error(self->endpoint, 0);
    nn_pipe_set_writable(self->pipe, true);
}

static void handshake_is_late(void *context)
{
    struct connection *self = context;

    self->error = -ETIMEDOUT;
    connection_turn_away(self, -ETIMEDOUT);
    connection_is_over(self);
}

/* ---- Events, life ---- */

static void connection_handle(void *context, int events)
{
    struct connection *self = context;

    if (self->pipe == NULL && self->linger == NULL) {
        connection_admit(self);
        return;
    }
    if (self->pipe != NULL && (events & NN_POLLIN))
        connection_readable(self);
    if (events & NN_POLLOUT)
        connection_writable(self);
}

struct connection *connection_open(struct nn_endpoint *endpoint, int fd)
{
    struct packet_endpoint *owner = nn_endpoint_data(endpoint);
    struct connection *self = calloc(1, sizeof *self);

    if (self == NULL)
        goto fail;
    self->endpoint = endpoint;
    self->fd = fd;
    nn_message_init(&self->outgoing);
    nn_message_init(&self->complete);
    self->watch = nn_watch_open(endpoint, fd, connection_handle, self);
    self->deadline = nn_timer_open(endpoint, handshake_is_late, self);
    if (self->watch == NULL || self->deadline == NULL)
        goto fail;
    self->next = owner->handshaking;
    owner->handshaking = self;
    want(self, NN_POLLIN);
    /* Whatever goes wrong from here on ends at the deadline. */
    nn_timer_start(self->deadline, send_handshake(self) == 0 && self->error == 0 ? HANDSHAKE_LIMIT_MS : 0);
    return self;

fail:
    if (self != NULL && self->watch != NULL)
        nn_watch_close(self->watch);
    if (self != NULL && self->deadline != NULL)
        nn_timer_close(self->deadline);
    free(self);
    close(fd);
    return NULL;
}

static void abandon(void *context)
{
    struct connection *self = context;

    self->linger = NULL;
    connection_is_over(self);
}

static void connection_close(struct nn_pipe *pipe, bool may_linger)
{
    struct connection *self = nn_pipe_connection(pipe);

    self->pipe = NULL;
    if (may_linger && self->is_sending)
        self->linger = nn_linger_begin(self->endpoint, abandon, self);
    if (self->linger != NULL)
        want(self, NN_POLLOUT);
    else
        connection_is_over(self);
}

const struct nn_pipe_operations connection_operations = {
    .send = connection_send,
    .receive = connection_receive,
    .close = connection_close,
};
