/* Protocols and transports of users: what is registered, and what the engine does with it. Whole ones are in
 * examples/. */
#include "sockets.h"

#include <nanomsg/loop.h>
#include <nanomsg/pair.h>
#include <nanomsg/transport.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

/* ---- Tables ---- */

static void pipe_nothing(struct nn_protocol_socket *self, struct nn_pipe *pipe)
{
    (void)self;
    (void)pipe;
}

static int pipe_welcome(struct nn_protocol_socket *self, struct nn_pipe *pipe)
{
    (void)self;
    (void)pipe;
    return 0;
}

static int no_events(struct nn_protocol_socket *self)
{
    (void)self;
    return 0;
}

static const struct nn_protocol mute_protocol = {
    .version = NN_PROTOCOL_VERSION,
    .name = "MUTE",
    .domain = AF_SP,
    .id = 4000,
    .peer_id = 4000,
    .socket_bytes = sizeof(struct nn_protocol_socket),
    .pipe_added = pipe_welcome,
    .pipe_removed = pipe_nothing,
    .pipe_readable = pipe_nothing,
    .pipe_writable = pipe_nothing,
    .events = no_events,
};

#define CHECK_PROTOCOL_REFUSED(change, code)                                                                           \
    do {                                                                                                               \
        struct nn_protocol table = mute_protocol;                                                                      \
        table.change;                                                                                                  \
        CHECK_ERRNO(nn_protocol_register(&table), code);                                                               \
    } while (0)

TEST(a_protocol_that_is_not_complete_is_not_registered)
{
    CHECK_ERRNO(nn_protocol_register(NULL), EINVAL);
    CHECK_PROTOCOL_REFUSED(version = 0, EINVAL);
    CHECK_PROTOCOL_REFUSED(version = NN_PROTOCOL_VERSION + 1, EINVAL);
    CHECK_PROTOCOL_REFUSED(domain = 77, EINVAL);
    CHECK_PROTOCOL_REFUSED(id = 0, EINVAL);
    CHECK_PROTOCOL_REFUSED(id = 65536, EINVAL);
    CHECK_PROTOCOL_REFUSED(socket_bytes = sizeof(void *), EINVAL);
    CHECK_PROTOCOL_REFUSED(pipe_added = NULL, EINVAL);
    CHECK_PROTOCOL_REFUSED(pipe_removed = NULL, EINVAL);
    CHECK_PROTOCOL_REFUSED(pipe_readable = NULL, EINVAL);
    CHECK_PROTOCOL_REFUSED(pipe_writable = NULL, EINVAL);
    CHECK_PROTOCOL_REFUSED(events = NULL, EINVAL);
    CHECK_PROTOCOL_REFUSED(flags = NN_PROTOCOL_SENDS, EINVAL);
    CHECK_PROTOCOL_REFUSED(flags = NN_PROTOCOL_RECEIVES, EINVAL);
    CHECK_PROTOCOL_REFUSED(id = NN_PAIR, EEXIST);
    CHECK_ERRNO(nn_socket(AF_SP, mute_protocol.id), EINVAL);
}

TEST(a_registered_protocol_makes_sockets_of_its_own_domain_only)
{
    int peers[2];

    CHECK_OK(nn_protocol_register(&mute_protocol));
    CHECK_ERRNO(nn_protocol_register(&mute_protocol), EEXIST);
    CHECK_ERRNO(nn_socket(AF_SP_RAW, mute_protocol.id), EINVAL);
    peers[0] = test_socket_bound(mute_protocol.id, "inproc://mute");
    peers[1] = test_socket_connected(mute_protocol.id, "inproc://mute");
    WAIT_PEERS(peers[0], 1);
    WAIT_PEERS(peers[1], 1);
    CHECK_ERRNO(nn_send(peers[0], "x", 1, 0), ENOTSUP);
    CHECK_ERRNO(nn_recv(peers[0], &peers, sizeof peers, 0), ENOTSUP);
}

TEST(one_table_may_serve_both_domains)
{
    static struct nn_protocol table;
    int domain;
    size_t size = sizeof domain;

    table = mute_protocol;
    table.id = 4016;
    table.peer_id = 4016;
    table.domain = AF_SP | AF_SP_RAW;
    CHECK_OK(nn_protocol_register(&table));
    for (int wanted = AF_SP; wanted <= AF_SP_RAW; wanted++) {
        struct nn_protocol other = table;
        int s = (int)CHECK_OK(test_socket(wanted, table.id));
        CHECK_OK(nn_getsockopt(s, NN_SOL_SOCKET, NN_DOMAIN, &domain, &size));
        CHECK_EQUAL(domain, wanted);
        other.domain = wanted;
        CHECK_ERRNO(nn_protocol_register(&other), EEXIST);
    }
    CHECK_ERRNO(nn_socket(AF_SP | AF_SP_RAW, table.id), EAFNOSUPPORT);
}

/* ---- A transport that shows what it is asked: a thread sends back whatever it is sent ---- */

struct echo {
    struct nn_endpoint *endpoint;
    struct nn_pipe *pipe;
    struct nn_signal *signal;
    struct nn_linger *linger;
    pthread_t thread;

    pthread_mutex_t lock; /* guards what the thread sees too: */
    pthread_cond_t changed;
    struct nn_message message;
    bool is_there;  /* for the thread */
    bool is_back;   /* from the thread */
    bool is_closed; /* the thread shall end */
};

/* What a test wants to know of the only echo. */
static struct {
    atomic_int flushes, abandoned, closed, closed_with_linger;
    bool keeps_messages; /* they do not come back, and closing lingers for them */
    int connect_error;
    int receive_buffer;
    bool is_receive_buffer_set;
} seen;

static void *echo_main(void *context)
{
    struct echo *self = context;

    pthread_mutex_lock(&self->lock);
    while (!self->is_closed) {
        if (self->is_there && !seen.keeps_messages) {
            self->is_there = false;
            self->is_back = true;
            nn_signal_raise(self->signal, NULL);
        }
        pthread_cond_wait(&self->changed, &self->lock);
    }
    pthread_mutex_unlock(&self->lock);
    return NULL;
}

static void echo_is_back(void *context)
{
    struct echo *self = context;

    pthread_mutex_lock(&self->lock);
    bool is_back = self->is_back;
    pthread_mutex_unlock(&self->lock);
    if (is_back)
        nn_pipe_set_readable(self->pipe, true);
}

static int echo_connect(struct nn_endpoint *endpoint, const char *address)
{
    struct echo *self = nn_endpoint_data(endpoint);

    if (*address == '\0')
        return -EINVAL;
    if (seen.connect_error != 0)
        return seen.connect_error;
    CHECK(nn_endpoint_of_data(self) == endpoint);
    CHECK(!nn_endpoint_is_bound(endpoint));
    CHECK_EQUAL(nn_endpoint_protocol(endpoint), NN_PAIR);
    CHECK_EQUAL(nn_endpoint_option(endpoint, NN_SOL_SOCKET, NN_RCVBUF, &seen.receive_buffer), 0);
    seen.is_receive_buffer_set = nn_endpoint_option_is_set(endpoint, NN_SOL_SOCKET, NN_RCVBUF);
    CHECK(!nn_endpoint_option_is_set(endpoint, NN_SOL_SOCKET, NN_SNDBUF));
    CHECK(!nn_endpoint_option_is_set(endpoint, NN_SOL_SOCKET, 9999));
    CHECK_EQUAL(nn_endpoint_option(endpoint, NN_SOL_SOCKET, 9999, &seen.receive_buffer), -ENOPROTOOPT);
    self->endpoint = endpoint;
    nn_endpoint_report_rejected(endpoint, NN_PAIR + 1, -EPROTOTYPE);
    nn_endpoint_set_error(endpoint, -ENETUNREACH);
    nn_endpoint_set_error(endpoint, 0);
    self->signal = nn_signal_open(endpoint, echo_is_back, self);
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->changed, NULL);
    CHECK_EQUAL(nn_pipe_open(endpoint, self, &self->pipe), 0);
    CHECK(nn_pipe_connection(self->pipe) == self && nn_pipe_endpoint(self->pipe) == endpoint);
    CHECK_EQUAL(pthread_create(&self->thread, NULL, echo_main, self), 0);
    nn_pipe_set_writable(self->pipe, true);
    return 0;
}

static int echo_bind(struct nn_endpoint *endpoint, const char *address)
{
    (void)endpoint;
    (void)address;
    return -ENOTSUP;
}

static void echo_close(struct nn_endpoint *endpoint)
{
    (void)endpoint; /* the pipe's close does it all */
}

static void echo_address(const struct nn_endpoint *endpoint, char *buffer)
{
    (void)endpoint;
    strcpy(buffer, "somewhere else");
}

static int echo_send(struct nn_pipe *pipe, struct nn_message *message)
{
    struct echo *self = nn_pipe_connection(pipe);

    CHECK_EQUAL(nn_message_detach(message), 0);
    pthread_mutex_lock(&self->lock);
    self->message = *message;
    self->is_there = true;
    pthread_cond_signal(&self->changed);
    pthread_mutex_unlock(&self->lock);
    nn_message_init(message);
    nn_pipe_set_writable(pipe, false);
    nn_pipe_flush_later(pipe);
    return 0;
}

static int echo_receive(struct nn_pipe *pipe, struct nn_message *message)
{
    struct echo *self = nn_pipe_connection(pipe);

    pthread_mutex_lock(&self->lock);
    *message = self->message;
    nn_message_init(&self->message);
    self->is_back = false;
    pthread_mutex_unlock(&self->lock);
    nn_pipe_set_readable(pipe, false);
    if (message->body_bytes == 3 && memcmp(message->body, "end", 3) == 0)
        nn_pipe_end(pipe);
    return 0;
}

static void echo_flush(struct nn_pipe *pipe)
{
    (void)pipe;
    atomic_fetch_add(&seen.flushes, 1);
}

static void echo_finish(struct echo *self)
{
    pthread_mutex_lock(&self->lock);
    self->is_closed = true;
    pthread_cond_signal(&self->changed);
    pthread_mutex_unlock(&self->lock);
    pthread_join(self->thread, NULL);
    pthread_mutex_destroy(&self->lock);
    pthread_cond_destroy(&self->changed);
    nn_message_free(&self->message);
    atomic_fetch_add(&seen.closed, 1);
    nn_signal_close(self->signal);
}

static void echo_abandon(void *context)
{
    atomic_fetch_add(&seen.abandoned, 1);
    echo_finish(context);
}

static void echo_pipe_close(struct nn_pipe *pipe, bool may_linger)
{
    struct echo *self = nn_pipe_connection(pipe);

    self->pipe = NULL;
    if (may_linger)
        atomic_fetch_add(&seen.closed_with_linger, 1);
    if (may_linger && seen.keeps_messages)
        self->linger = nn_linger_begin(self->endpoint, echo_abandon, self);
    else
        echo_finish(self);
}

static void echo_addresses(struct nn_pipe *pipe, char *local, char *remote)
{
    CHECK(nn_pipe_connection(pipe) != NULL);
    strcpy(local, "x-echo+1.0://here");
    strcpy(remote, "x-echo+1.0://there");
}

static const struct nn_pipe_operations echo_pipe = {
    .send = echo_send,
    .receive = echo_receive,
    .flush = echo_flush,
    .close = echo_pipe_close,
    .addresses = echo_addresses,
};

static const struct nn_transport echo_transport = {
    .version = NN_TRANSPORT_VERSION,
    .scheme = "x-echo+1.0",
    .endpoint_bytes = sizeof(struct echo),
    .bind = echo_bind,
    .connect = echo_connect,
    .close = echo_close,
    .address = echo_address,
    .pipe = &echo_pipe,
};

#define CHECK_TRANSPORT_REFUSED(change, code)                                                                          \
    do {                                                                                                               \
        struct nn_pipe_operations pipe = echo_pipe;                                                                    \
        struct nn_transport table = echo_transport;                                                                    \
        table.pipe = &pipe;                                                                                            \
        change;                                                                                                        \
        CHECK_ERRNO(nn_transport_register(&table), code);                                                              \
    } while (0)

TEST(a_transport_that_is_not_complete_is_not_registered)
{
    static const char *const wrong[] = {NULL, "", "a b", "a:", "a/b", "sch\xc3\xa9ma"};

    CHECK_ERRNO(nn_transport_register(NULL), EINVAL);
    CHECK_TRANSPORT_REFUSED(table.version = 0, EINVAL);
    CHECK_TRANSPORT_REFUSED(table.version = NN_TRANSPORT_VERSION + 1, EINVAL);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        CHECK_TRANSPORT_REFUSED(table.scheme = wrong[i], EINVAL);
    CHECK_TRANSPORT_REFUSED(table.bind = NULL, EINVAL);
    CHECK_TRANSPORT_REFUSED(table.connect = NULL, EINVAL);
    CHECK_TRANSPORT_REFUSED(table.close = NULL, EINVAL);
    CHECK_TRANSPORT_REFUSED(table.pipe = NULL, EINVAL);
    CHECK_TRANSPORT_REFUSED(pipe.send = NULL, EINVAL);
    CHECK_TRANSPORT_REFUSED(pipe.receive = NULL, EINVAL);
    CHECK_TRANSPORT_REFUSED(pipe.close = NULL, EINVAL);
    CHECK_TRANSPORT_REFUSED(table.scheme = "tcp", EEXIST);
    CHECK_ERRNO(nn_connect(SOCKET(NN_PAIR), "x-echo+1.0://a"), EPROTONOSUPPORT);
}

static int echo_socket(void)
{
    CHECK_OK(nn_transport_register(&echo_transport));
    return SOCKET(NN_PAIR);
}

TEST(what_another_thread_gives_back_is_received)
{
    char text[16];
    int s = echo_socket();

    CHECK_OK(nn_connect(s, "x-echo+1.0://a"));
    CHECK_EQUAL(test_get_int(s, NN_SOL_SOCKET, NN_RCVBUF), seen.receive_buffer);
    CHECK(!seen.is_receive_buffer_set);
    CHECK_EQUAL(nn_get_statistic(s, NN_STAT_CURRENT_CONNECTIONS), 1);
    CHECK_EQUAL(nn_get_statistic(s, NN_STAT_ESTABLISHED_CONNECTIONS), 1);
    CHECK_SENDS(s, "there and back");
    CHECK_RECEIVES(s, "there and back");
    CHECK_EQUAL(atomic_load(&seen.flushes), 1);
    CHECK_ERRNO(nn_recv(s, text, sizeof text, NN_DONTWAIT), EAGAIN);
}

TEST(a_pipe_that_has_ended_is_closed_after_its_last_message)
{
    int s = echo_socket();

    CHECK_OK(nn_connect(s, "x-echo+1.0://a"));
    CHECK_SENDS(s, "end");
    CHECK_RECEIVES(s, "end");
    CHECK_EQUAL(atomic_load(&seen.closed), 1);
    CHECK_EQUAL(nn_get_statistic(s, NN_STAT_CURRENT_CONNECTIONS), 0);
    CHECK_EQUAL(nn_get_statistic(s, NN_STAT_BROKEN_CONNECTIONS), 1);
    CHECK_ERRNO(nn_send(s, "x", 1, NN_DONTWAIT), EAGAIN);
}

TEST(a_monitor_gets_the_events_of_the_transport)
{
    struct nn_event event;
    int s = echo_socket();

    CHECK_OK(nn_socket_monitor(s, true));
    CHECK_OK(nn_connect(s, "x-echo+1.0://a"));
    CHECK_EQUAL(nn_socket_next_event(s, &event), 1);
    CHECK(event.type == NN_EVENT_REJECT && event.error == EPROTOTYPE && event.protocol == NN_PAIR + 1);
    CHECK_STRING(event.remote_address, "x-echo+1.0://somewhere else");
    CHECK_EQUAL(nn_socket_next_event(s, &event), 1);
    CHECK(event.type == NN_EVENT_FAILURE && event.error == ENETUNREACH);
    CHECK_EQUAL(nn_socket_next_event(s, &event), 1);
    CHECK(event.type == NN_EVENT_CONNECT && event.error == 0 && event.protocol == NN_PAIR);
    CHECK_STRING(event.address, "x-echo+1.0://somewhere else");
    CHECK_STRING(event.local_address, "x-echo+1.0://here");
    CHECK_STRING(event.remote_address, "x-echo+1.0://there");
    CHECK_EQUAL(nn_socket_next_event(s, &event), 0);

    CHECK_SENDS(s, "end");
    CHECK_RECEIVES(s, "end");
    CHECK_EQUAL(nn_socket_next_event(s, &event), 1);
    CHECK(event.type == NN_EVENT_DISCONNECT && event.error == ESHUTDOWN);
    CHECK_STRING(event.remote_address, "x-echo+1.0://there");
}

TEST(errors_of_bind_and_connect_reach_their_caller)
{
    int s = echo_socket();

    CHECK_ERRNO(nn_bind(s, "x-echo+1.0://a"), ENOTSUP);
    CHECK_ERRNO(nn_connect(s, "x-echo+1.0://"), EINVAL);
    seen.connect_error = -ENETDOWN;
    CHECK_ERRNO(nn_connect(s, "x-echo+1.0://a"), ENETDOWN);
    CHECK_EQUAL(nn_get_statistic(s, NN_STAT_BIND_ERRORS), 1);
    seen.connect_error = 0;
    CHECK_EQUAL(CHECK_OK(nn_connect(s, "x-echo+1.0://a")), 1); /* the failures have used up no number */
}

TEST(an_endpoint_tells_the_address_in_use)
{
    char address[NN_SOCKADDR_MAX + 1];
    int s = echo_socket();
    int endpoint = (int)CHECK_OK(nn_connect(s, "x-echo+1.0://a"));

    CHECK_OK(nn_endpoint_address(s, endpoint, address, sizeof address));
    CHECK_STRING(address, "x-echo+1.0://somewhere else");
}

TEST(an_address_stays_with_its_endpoint_when_the_caller_writes_another_one_over_it)
{
    char address[NN_SOCKADDR_MAX] = "inproc://first";
    int bound[2] = {SOCKET(NN_PAIR), SOCKET(NN_PAIR)};

    CHECK_OK(nn_bind(bound[0], address));
    strcpy(address, "inproc://other");
    CHECK_OK(nn_bind(bound[1], address));
    strcpy(address, "inproc://no-one");
    CHECK_SENDS(test_socket_connected(NN_PAIR, "inproc://first"), "first");
    CHECK_RECEIVES(bound[0], "first");
}

TEST(a_transport_that_lingers_is_told_when_the_time_is_up)
{
    int s = echo_socket();

    seen.keeps_messages = true;
    SET_INT(s, NN_SOL_SOCKET, NN_LINGER, 30);
    CHECK_OK(nn_connect(s, "x-echo+1.0://a"));
    CHECK_SENDS(s, "lost");
    CHECK_OK(nn_close(s));
    nn_term();
    CHECK_EQUAL(atomic_load(&seen.closed_with_linger), 1);
    CHECK_EQUAL(atomic_load(&seen.abandoned), 1);
    CHECK_EQUAL(atomic_load(&seen.closed), 1);
}

TEST(an_endpoint_that_is_shut_down_lingers_by_itself)
{
    int s = echo_socket();

    seen.keeps_messages = true;
    SET_INT(s, NN_SOL_SOCKET, NN_LINGER, 30);
    int endpoint = (int)CHECK_OK(nn_connect(s, "x-echo+1.0://a"));
    CHECK_SENDS(s, "lost");
    CHECK_OK(nn_shutdown(s, endpoint));
    CHECK_EQUAL(nn_get_statistic(s, NN_STAT_CURRENT_CONNECTIONS), 0);
    for (int64_t deadline_ms = test_wait_deadline(); atomic_load(&seen.closed) == 0;)
        CHECK(!test_pause(deadline_ms));
    CHECK_EQUAL(atomic_load(&seen.abandoned), 1);
}

TEST(without_linger_a_pipe_is_closed_at_once)
{
    int s = echo_socket();

    seen.keeps_messages = true;
    SET_INT(s, NN_SOL_SOCKET, NN_LINGER, 0);
    CHECK_OK(nn_connect(s, "x-echo+1.0://a"));
    CHECK_SENDS(s, "lost");
    CHECK_OK(nn_close(s));
    CHECK_EQUAL(atomic_load(&seen.closed), 1);
    CHECK_EQUAL(atomic_load(&seen.closed_with_linger), 0);
    CHECK_EQUAL(atomic_load(&seen.abandoned), 0);
}
