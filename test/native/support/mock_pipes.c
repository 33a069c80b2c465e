/* A hand-driven implementation of nanomsg/protocol.h. */
#include "mock_pipes.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_MAX_BYTES MOCK_MESSAGE_BYTES

static unsigned live_sockets;
static size_t live_chunks;
static unsigned copies;
static unsigned shares;
static int starvation;
static uint64_t now_ms = 1000;
static uint32_t last_pipe_id = 0x0fffff00;
static int last_refusal;
static struct sp_socket *entered; /* last */

static void require(bool is_true, const char *what)
{
    if (is_true)
        return;
    fprintf(stderr, "mock_pipes: %s\n", what);
    abort();
}

static void *allocate(size_t size_bytes)
{
    void *memory = calloc(1, size_bytes);

    require(memory != NULL, "out of memory");
    return memory;
}

/* ---- Messages ---- */

struct nn_chunk {
    unsigned references;
    uint8_t bytes[];
};

static bool is_starved(void)
{
    if (starvation == 0)
        return false;
    starvation--;
    return true;
}

static struct nn_chunk *chunk_create(const void *bytes, size_t count)
{
    struct nn_chunk *chunk = allocate(sizeof *chunk + count + 1);

    chunk->references = 1;
    if (count > 0)
        memcpy(chunk->bytes, bytes, count);
    live_chunks++;
    return chunk;
}

/* A message that owns a copy of these bytes as its body. */
static struct nn_message owned_message(const void *bytes, size_t count)
{
    struct nn_message message;

    nn_message_init(&message);
    message.chunk = chunk_create(bytes, count);
    message.body = message.chunk->bytes;
    message.body_bytes = count;
    return message;
}

static bool is_heap_header(const struct nn_message *message)
{
    return message->header_bytes > NN_MESSAGE_INLINE_HEADER_BYTES;
}

void nn_message_init(struct nn_message *message)
{
    memset(message, 0, sizeof *message);
}

void nn_message_free(struct nn_message *message)
{
    nn_message_header_clear(message);
    if (message->chunk != NULL) {
        require(message->chunk->references > 0, "a message is freed twice");
        if (--message->chunk->references == 0) {
            free(message->chunk);
            live_chunks--;
        }
    }
    nn_message_init(message);
}

const uint8_t *nn_message_header(const struct nn_message *message)
{
    return is_heap_header(message) ? message->header.heap.bytes : message->header.bytes;
}

void nn_message_header_clear(struct nn_message *message)
{
    if (is_heap_header(message))
        free(message->header.heap.bytes);
    message->header_bytes = 0;
}

/* Replaces the header; the new one may lie in the old one. */
static int header_assign(struct nn_message *message, const uint8_t *bytes, size_t count)
{
    uint8_t copy[HEADER_MAX_BYTES];

    require(count <= sizeof copy, "a header is too long for the mock");
    if (count > NN_MESSAGE_INLINE_HEADER_BYTES && is_starved())
        return -ENOMEM;
    memcpy(copy, bytes, count);
    nn_message_header_clear(message);
    message->header_bytes = (uint32_t)count;
    if (is_heap_header(message)) {
        message->header.heap.bytes = allocate(count);
        message->header.heap.capacity_bytes = count;
        memcpy(message->header.heap.bytes, copy, count);
    } else {
        memcpy(message->header.bytes, copy, count);
    }
    return 0;
}

static int header_join(struct nn_message *message, const void *head, size_t head_bytes, const void *tail,
                       size_t tail_bytes)
{
    uint8_t joined[HEADER_MAX_BYTES];

    require(head_bytes + tail_bytes <= sizeof joined, "a header is too long for the mock");
    if (head_bytes > 0)
        memcpy(joined, head, head_bytes);
    if (tail_bytes > 0)
        memcpy(joined + head_bytes, tail, tail_bytes);
    return header_assign(message, joined, head_bytes + tail_bytes);
}

int nn_message_header_append(struct nn_message *message, const void *bytes, size_t count)
{
    return header_join(message, nn_message_header(message), message->header_bytes, bytes, count);
}

int nn_message_header_prepend(struct nn_message *message, const void *bytes, size_t count)
{
    return header_join(message, bytes, count, nn_message_header(message), message->header_bytes);
}

void nn_message_header_move(struct nn_message *to, struct nn_message *from)
{
    require(to->header_bytes == 0, "a header is moved over another one");
    to->header = from->header;
    to->header_bytes = from->header_bytes;
    from->header_bytes = 0;
}

void nn_message_header_trim(struct nn_message *message, size_t count)
{
    int failures = starvation;

    require(count <= message->header_bytes, "a header is trimmed beyond its end");
    starvation = 0; /* trimming needs no memory */
    (void)header_assign(message, nn_message_header(message) + count, message->header_bytes - count);
    starvation = failures;
}

int nn_message_header_pull(struct nn_message *message, size_t count)
{
    require(count <= message->body_bytes, "more is pulled than the body has");
    int rc = nn_message_header_append(message, message->body, count);
    if (rc == 0) {
        message->body += count;
        message->body_bytes -= count;
    }
    return rc;
}

int nn_message_own(struct nn_message *message)
{
    if (message->chunk != NULL)
        return 0;
    if (is_starved())
        return -ENOMEM;
    message->chunk = chunk_create(message->body, message->body_bytes);
    message->body = message->chunk->bytes;
    copies++;
    return 0;
}

int nn_message_share(struct nn_message *to, const struct nn_message *from)
{
    require(from->chunk != NULL, "a borrowed message is shared");
    nn_message_init(to);
    if (is_starved())
        return -ENOMEM;
    int rc = header_assign(to, nn_message_header(from), from->header_bytes);
    if (rc < 0)
        return rc;
    to->body = from->body;
    to->body_bytes = from->body_bytes;
    to->type = from->type;
    to->chunk = from->chunk;
    to->chunk->references++;
    shares++;
    return 0;
}

/* ---- Structures ---- */

struct mock_item {
    struct mock_item *next;
    struct nn_message message;
    const uint8_t *origin;
};

struct mock_queue {
    struct mock_item *first;
    struct mock_item **end;
    size_t count;
};

struct sp_socket {
    struct nn_protocol_socket *base;
    const struct nn_protocol *protocol;
    struct nn_pipe *pipes;
    int max_ttl;
    bool is_entered;
    bool is_timer_running;
    uint64_t timer_at_ms;
    unsigned timer_starts;
    uint32_t last_random;
};

struct nn_pipe {
    struct nn_pipe *next;
    struct sp_socket *socket;
    uint32_t id;
    int priority;
    int capacity;
    struct mock_queue arrived;
    struct mock_queue sent;
    max_align_t data[];
};

static void queue_put(struct mock_queue *queue, struct nn_message message, const uint8_t *origin)
{
    struct mock_item *item = allocate(sizeof *item);

    item->message = message;
    item->origin = origin;
    if (queue->first == NULL)
        queue->end = &queue->first;
    *queue->end = item;
    queue->end = &item->next;
    queue->count++;
}

static bool queue_take(struct mock_queue *queue, struct nn_message *message, const uint8_t **origin)
{
    struct mock_item *item = queue->first;

    if (item == NULL)
        return false;
    *message = item->message;
    *origin = item->origin;
    queue->first = item->next;
    queue->count--;
    free(item);
    return true;
}

static void queue_clear(struct mock_queue *queue)
{
    struct nn_message message;
    const uint8_t *origin;

    while (queue_take(queue, &message, &origin))
        nn_message_free(&message);
}

static void enter(struct sp_socket *socket)
{
    require(!socket->is_entered, "a protocol is entered twice");
    socket->is_entered = true;
    entered = socket;
}

static void leave(struct sp_socket *socket)
{
    socket->is_entered = false;
}

/* ---- What protocols call ---- */

void *nn_pipe_data(struct nn_pipe *pipe)
{
    return pipe->data;
}

struct nn_pipe *nn_pipe_of_data(void *data)
{
    return NN_CONTAINER(data, struct nn_pipe, data);
}

uint32_t nn_pipe_id(const struct nn_pipe *pipe)
{
    return pipe->id;
}

int nn_pipe_send_priority(const struct nn_pipe *pipe)
{
    return pipe->priority;
}

int nn_pipe_receive_priority(const struct nn_pipe *pipe)
{
    return pipe->priority;
}

bool nn_pipe_can_send(const struct nn_pipe *pipe)
{
    return pipe->capacity > 0;
}

bool nn_pipe_can_receive(const struct nn_pipe *pipe)
{
    return pipe->arrived.count > 0;
}

/* Messages are taken one by one here. */
bool nn_pipe_has_quantum_left(const struct nn_pipe *pipe)
{
    (void)pipe;
    return false;
}

/* A borrowed body is copied aside without being counted: an idle connection sends from where it lies. */
int nn_pipe_send(struct nn_pipe *pipe, struct nn_message *message)
{
    const uint8_t *origin = message->body;

    require(pipe->socket->is_entered, "a message is sent from outside of the protocol");
    if (pipe->capacity == 0)
        return -EAGAIN;
    pipe->capacity--;
    if (message->chunk == NULL) {
        message->chunk = chunk_create(message->body, message->body_bytes);
        message->body = message->chunk->bytes;
    }
    queue_put(&pipe->sent, *message, origin);
    return 0;
}

int nn_pipe_receive(struct nn_pipe *pipe, struct nn_message *message)
{
    const uint8_t *origin;

    require(pipe->socket->is_entered, "a message is received from outside of the protocol");
    if (queue_take(&pipe->arrived, message, &origin))
        return 0;
    nn_message_init(message);
    return -EAGAIN;
}

void nn_pipe_count_dropped(struct nn_pipe *pipe, const struct nn_message *message)
{
    require(pipe->socket->is_entered, "a message is counted from outside of the protocol");
    (void)message;
}

void nn_pipe_set_slow(struct nn_pipe *pipe)
{
    require(pipe->socket->is_entered, "a pipe is said to be slow from outside of the protocol");
    require(pipe->capacity == 0, "a pipe is said to be slow that takes a message");
}

void nn_protocol_count_dropped(struct nn_protocol_socket *self, const struct nn_message *message)
{
    require(self->socket->is_entered, "a message is counted from outside of the protocol");
    (void)message;
}

void nn_pipe_reject(struct nn_pipe *pipe)
{
    (void)pipe;
    require(false, "no built-in protocol rejects a pipe");
}

void nn_protocol_timer_start(struct nn_protocol_socket *self, int delay_ms)
{
    require(delay_ms >= 0, "a timer is started with a negative delay");
    self->socket->is_timer_running = true;
    self->socket->timer_at_ms = now_ms + (uint64_t)delay_ms;
    self->socket->timer_starts++;
}

void nn_protocol_timer_stop(struct nn_protocol_socket *self)
{
    self->socket->is_timer_running = false;
}

int nn_protocol_max_ttl(const struct nn_protocol_socket *self)
{
    return self->socket->max_ttl;
}

uint64_t nn_protocol_now_ms(void)
{
    return now_ms;
}

/* Not random: consecutive numbers for each socket, which begin before the overflow. */
uint32_t nn_protocol_random(void)
{
    return ++entered->last_random;
}

/* ---- Sockets ---- */

static void require_complete(const struct nn_protocol *protocol)
{
    require(protocol->version == NN_PROTOCOL_VERSION, "wrong version");
    require(protocol->name != NULL && protocol->socket_bytes >= sizeof(struct nn_protocol_socket), "no name or size");
    require(protocol->pipe_added != NULL && protocol->pipe_removed != NULL, "no pipe_added or pipe_removed");
    require(protocol->pipe_readable != NULL && protocol->pipe_writable != NULL, "no pipe_readable or pipe_writable");
    require(protocol->events != NULL, "no events");
    require((protocol->send != NULL) == ((protocol->flags & NN_PROTOCOL_SENDS) != 0), "send does not fit its flag");
    require((protocol->receive != NULL) == ((protocol->flags & NN_PROTOCOL_RECEIVES) != 0),
            "receive does not fit its flag");
}

struct sp_socket *mock_try_open(const struct nn_protocol *protocol)
{
    struct sp_socket *socket = allocate(sizeof *socket);
    int rc = 0;

    require_complete(protocol);
    socket->protocol = protocol;
    socket->max_ttl = 8;
    socket->last_random = MOCK_FIRST_RANDOM - 1;
    socket->base = allocate(protocol->socket_bytes);
    socket->base->socket = socket;
    socket->base->protocol = protocol;
    entered = socket;
    if (protocol->open != NULL)
        rc = protocol->open(socket->base);
    if (rc < 0) {
        free(socket->base);
        free(socket);
        return NULL;
    }
    live_sockets++;
    return socket;
}

struct sp_socket *mock_open(const struct nn_protocol *protocol)
{
    struct sp_socket *socket = mock_try_open(protocol);

    require(socket != NULL, "a socket cannot be opened");
    return socket;
}

void mock_close(struct sp_socket *socket)
{
    while (socket->pipes != NULL)
        mock_break(socket->pipes);
    if (socket->protocol->close != NULL)
        socket->protocol->close(socket->base);
    free(socket->base);
    free(socket);
    if (--live_sockets == 0)
        require(live_chunks == 0, "a message has outlived all sockets");
}

static int send_message(struct sp_socket *socket, struct nn_message *message)
{
    enter(socket);
    int rc = socket->protocol->send(socket->base, message);
    leave(socket);
    if (rc < 0)
        nn_message_free(message);
    return rc;
}

int mock_send_bytes(struct sp_socket *socket, const void *header, size_t header_bytes, const void *body,
                    size_t body_bytes)
{
    struct nn_message message;
    uint8_t *borrowed = allocate(body_bytes + 1);

    memcpy(borrowed, body, body_bytes);
    nn_message_init(&message);
    message.body = borrowed;
    message.body_bytes = body_bytes;
    if (header_bytes > 0)
        (void)nn_message_header_append(&message, header, header_bytes);
    int rc = send_message(socket, &message);
    memset(borrowed, '#', body_bytes);
    free(borrowed);
    return rc;
}

int mock_send_owned(struct sp_socket *socket, const void *body, size_t body_bytes)
{
    struct nn_message message = owned_message(body, body_bytes);

    return send_message(socket, &message);
}

/* Takes the message. */
static struct mock_bytes flatten(struct nn_message *message, const uint8_t *origin)
{
    struct mock_bytes out = {.header_bytes = message->header_bytes, .origin = origin};

    out.count = message->header_bytes + message->body_bytes;
    require(out.count <= sizeof out.bytes, "a message is too long for the mock");
    memcpy(out.bytes, nn_message_header(message), message->header_bytes);
    if (message->body_bytes > 0)
        memcpy(out.bytes + message->header_bytes, message->body, message->body_bytes);
    nn_message_free(message);
    return out;
}

struct mock_bytes mock_receive(struct sp_socket *socket)
{
    struct nn_message message;

    nn_message_init(&message);
    enter(socket);
    int rc = socket->protocol->receive(socket->base, &message);
    leave(socket);
    if (rc < 0)
        return (struct mock_bytes){.rc = rc};
    return flatten(&message, message.body);
}

int mock_receive_rc(struct sp_socket *socket)
{
    return mock_receive(socket).rc;
}

int mock_context_send(struct sp_socket *socket, uint32_t context, const void *body, size_t body_bytes)
{
    struct nn_message message;
    uint8_t *borrowed = allocate(body_bytes + 1);

    memcpy(borrowed, body, body_bytes);
    nn_message_init(&message);
    message.body = borrowed;
    message.body_bytes = body_bytes;
    enter(socket);
    int rc = socket->protocol->context_send(socket->base, &message, context);
    leave(socket);
    if (rc < 0)
        nn_message_free(&message);
    memset(borrowed, '#', body_bytes);
    free(borrowed);
    return rc;
}

struct mock_bytes mock_context_receive(struct sp_socket *socket, uint32_t *context)
{
    struct nn_message message;

    nn_message_init(&message);
    enter(socket);
    int rc = socket->protocol->context_receive(socket->base, &message, context);
    leave(socket);
    if (rc < 0)
        return (struct mock_bytes){.rc = rc};
    return flatten(&message, message.body);
}

void mock_context_close(struct sp_socket *socket, uint32_t context)
{
    enter(socket);
    socket->protocol->context_close(socket->base, context);
    leave(socket);
}

int mock_events(struct sp_socket *socket)
{
    enter(socket);
    int events = socket->protocol->events(socket->base);
    leave(socket);
    return events;
}

int mock_send_priority(struct sp_socket *socket)
{
    enter(socket);
    int priority = socket->protocol->send_priority(socket->base);
    leave(socket);
    return priority;
}

int mock_set_option(struct sp_socket *socket, int option, const void *value, size_t size)
{
    if (socket->protocol->set_option == NULL)
        return -ENOPROTOOPT;
    enter(socket);
    int rc = socket->protocol->set_option(socket->base, option, value, size);
    leave(socket);
    return rc;
}

int mock_set_int(struct sp_socket *socket, int option, int value)
{
    return mock_set_option(socket, option, &value, sizeof value);
}

int mock_get_int(struct sp_socket *socket, int option, int *value)
{
    size_t size = sizeof *value;

    if (socket->protocol->get_option == NULL)
        return -ENOPROTOOPT;
    enter(socket);
    int rc = socket->protocol->get_option(socket->base, option, value, &size);
    leave(socket);
    require(rc < 0 || size == sizeof *value, "an int option has another size");
    return rc;
}

void mock_set_max_ttl(struct sp_socket *socket, int max_ttl)
{
    socket->max_ttl = max_ttl;
}

void mock_pass_ms(struct sp_socket *socket, int delay_ms)
{
    now_ms += (uint64_t)delay_ms;
    if (!socket->is_timer_running || socket->timer_at_ms > now_ms)
        return;
    socket->is_timer_running = false;
    enter(socket);
    socket->protocol->timer(socket->base);
    leave(socket);
}

void mock_repeat_random(struct sp_socket *socket)
{
    socket->last_random = MOCK_FIRST_RANDOM - 1;
}

unsigned mock_timer_starts(const struct sp_socket *socket)
{
    return socket->timer_starts;
}

/* ---- Pipes ---- */

static void tell_writable(struct nn_pipe *pipe)
{
    enter(pipe->socket);
    pipe->socket->protocol->pipe_writable(pipe->socket->base, pipe);
    leave(pipe->socket);
}

struct nn_pipe *mock_attach_with_priority(struct sp_socket *socket, int capacity, int priority)
{
    struct nn_pipe *pipe = allocate(sizeof *pipe + socket->protocol->pipe_bytes);

    pipe->socket = socket;
    pipe->id = ++last_pipe_id;
    pipe->priority = priority;

    enter(socket);
    last_refusal = socket->protocol->pipe_added(socket->base, pipe);
    leave(socket);
    if (last_refusal < 0) {
        free(pipe);
        return NULL;
    }
    pipe->next = socket->pipes;
    socket->pipes = pipe;
    if (capacity > 0)
        mock_drain(pipe, capacity);
    return pipe;
}

struct nn_pipe *mock_attach(struct sp_socket *socket, int capacity)
{
    return mock_attach_with_priority(socket, capacity, 8);
}

int mock_refusal(void)
{
    return last_refusal;
}

void mock_drain(struct nn_pipe *pipe, int capacity)
{
    bool was_writable = pipe->capacity > 0;

    pipe->capacity += capacity;
    if (!was_writable)
        tell_writable(pipe);
}

void mock_jam(struct nn_pipe *pipe)
{
    pipe->capacity = 0;
}

void mock_break(struct nn_pipe *pipe)
{
    struct nn_pipe **link = &pipe->socket->pipes;

    while (*link != pipe)
        link = &(*link)->next;
    *link = pipe->next;

    pipe->capacity = 0;
    enter(pipe->socket);
    pipe->socket->protocol->pipe_removed(pipe->socket->base, pipe);
    leave(pipe->socket);
    queue_clear(&pipe->arrived);
    queue_clear(&pipe->sent);
    free(pipe);
}

void mock_deliver_silently(struct nn_pipe *pipe, const void *bytes, size_t count)
{
    struct nn_message message = owned_message(bytes, count);

    queue_put(&pipe->arrived, message, message.body);
}

void mock_announce(struct nn_pipe *pipe)
{
    enter(pipe->socket);
    pipe->socket->protocol->pipe_readable(pipe->socket->base, pipe);
    leave(pipe->socket);
}

void mock_deliver_bytes(struct nn_pipe *pipe, const void *bytes, size_t count)
{
    mock_deliver_silently(pipe, bytes, count);
    if (pipe->arrived.count == 1)
        mock_announce(pipe);
}

struct mock_bytes mock_sent(struct nn_pipe *pipe)
{
    struct nn_message message;
    const uint8_t *origin;

    if (!queue_take(&pipe->sent, &message, &origin))
        return (struct mock_bytes){.rc = -EAGAIN};
    struct mock_bytes out = flatten(&message, origin);
    out.header_bytes = 0;
    return out;
}

size_t mock_sent_count(const struct nn_pipe *pipe)
{
    return pipe->sent.count;
}

size_t mock_waiting_count(const struct nn_pipe *pipe)
{
    return pipe->arrived.count;
}

bool mock_is(const struct mock_bytes *bytes, const char *header, size_t header_bytes, const char *body,
             size_t body_bytes)
{
    if (bytes->rc < 0 || bytes->header_bytes != header_bytes || bytes->count != header_bytes + body_bytes)
        return false;
    return memcmp(bytes->bytes, header, header_bytes) == 0 &&
           memcmp(bytes->bytes + header_bytes, body, body_bytes) == 0;
}

/* ---- Memory ---- */

unsigned mock_copies(void)
{
    return copies;
}

unsigned mock_shares(void)
{
    return shares;
}

size_t mock_live_chunks(void)
{
    return live_chunks;
}

void mock_starve(int count)
{
    starvation = count;
}
