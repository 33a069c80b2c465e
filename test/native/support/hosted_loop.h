/* A program with an event loop of its own: epoll(7) on a loop's descriptor, and sockets that note what is reported of
 * them. */
#ifndef TEST_HOSTED_LOOP_H
#define TEST_HOSTED_LOOP_H

#include "sockets.h"

#include <nanomsg/stream.h>

#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

struct host {
    struct nn_loop *loop;
    int epoll;
};

/* A socket of a loop, and how often each event was reported. */
struct guest {
    int s;
    int in;
    int out;
    int closed;
    int finished; /* of streams */
};

static inline void host_open(struct host *self, const struct nn_slab_source *slabs)
{
    struct epoll_event event = {.events = EPOLLIN};

    self->loop = nn_loop_create(slabs);
    CHECK(self->loop != NULL);
    self->epoll = (int)CHECK_OK(epoll_create1(EPOLL_CLOEXEC));
    CHECK_OK(epoll_ctl(self->epoll, EPOLL_CTL_ADD, nn_loop_descriptor(self->loop), &event));
}

static inline void host_close(struct host *self)
{
    nn_loop_destroy(self->loop);
    close(self->epoll);
}

static inline bool host_is_readable(struct host *self, int timeout_ms)
{
    struct epoll_event event;

    return epoll_wait(self->epoll, &event, 1, timeout_ms) == 1;
}

/* Takes what is to be reported. */
static inline void host_dispatch(struct host *self)
{
    void *user;
    int events;

    while (nn_loop_next_ready(self->loop, &user, &events)) {
        struct guest *guest = user;
        CHECK(events != 0);
        CHECK((events & ~(NN_POLLIN | NN_POLLOUT | NN_LOOP_CLOSED | NN_STREAM_FINISHED)) == 0);
        CHECK_EQUAL(guest->closed, 0);
        guest->in += (events & NN_POLLIN) != 0;
        guest->out += (events & NN_POLLOUT) != 0;
        guest->closed += (events & NN_LOOP_CLOSED) != 0;
        guest->finished += (events & NN_STREAM_FINISHED) != 0;
    }
}

static inline bool host_turn(struct host *self, int timeout_ms)
{
    if (!host_is_readable(self, timeout_ms))
        return false;
    nn_loop_run(self->loop, 64);
    host_dispatch(self);
    return true;
}

/* Until there is nothing more to do at the moment. */
static inline void host_run_all(struct host *self)
{
    while (host_turn(self, 20)) {
    }
}

#define HOST_RUN_UNTIL(host, condition)                                                                                \
    do {                                                                                                               \
        int64_t until_deadline_ms = test_wait_deadline();                                                              \
        while (!(condition)) {                                                                                         \
            host_turn((host), 5);                                                                                      \
            if (test_now_ms() > until_deadline_ms)                                                                     \
                FAIL("never true: %s", #condition);                                                                    \
        }                                                                                                              \
    } while (0)

static inline void guest_open(struct guest *self, struct host *host, int protocol)
{
    self->s = (int)CHECK_OK(nn_loop_socket(host->loop, AF_SP, protocol, self));
}

static inline int guests_in(const struct guest *guests, int count)
{
    int sum = 0;

    for (int i = 0; i < count; i++)
        sum += guests[i].in;
    return sum;
}

/* ---- Messages of text ---- */

#define GUEST_SENDS(guest, text) CHECK_EQUAL(CHECK_OK(guest_send((guest), (text))), 1)

static inline int guest_send(struct guest *self, const char *text)
{
    struct nn_outgoing message = {.body = text, .body_bytes = strlen(text)};

    return nn_socket_send_batch(self->s, &message, 1, 1 << 20);
}

#define GUEST_RECEIVES(guest, text)                                                                                    \
    do {                                                                                                               \
        struct nn_received one;                                                                                        \
        CHECK_EQUAL(CHECK_OK(nn_socket_receive_batch((guest)->s, &one, 1)), 1);                                        \
        CHECK_BYTES(one.body, one.body_bytes, (text), strlen(text));                                                   \
        if (one.chunk != NULL)                                                                                         \
            nn_chunk_release(one.chunk);                                                                               \
    } while (0)

#define GUEST_RECEIVES_NOTHING(guest)                                                                                  \
    do {                                                                                                               \
        struct nn_received none;                                                                                       \
        CHECK_ERRNO(nn_socket_receive_batch((guest)->s, &none, 1), EAGAIN);                                            \
    } while (0)

/* Drives the loop until the message is there. */
static inline void guest_receives_soon(struct host *host, struct guest *self, const char *text)
{
    struct nn_received one;
    int64_t deadline_ms = test_wait_deadline();

    while (nn_socket_receive_batch(self->s, &one, 1) < 0) {
        CHECK_EQUAL(nn_errno(), EAGAIN);
        host_turn(host, 5);
        CHECK(test_now_ms() < deadline_ms);
    }
    CHECK_BYTES(one.body, one.body_bytes, text, strlen(text));
    if (one.chunk != NULL)
        nn_chunk_release(one.chunk);
}

#endif
