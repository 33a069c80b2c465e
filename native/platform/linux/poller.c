/* The poller of Linux: epoll(7), with a timerfd and an eventfd inside the set. */
#include "platform/poller.h"
#include "platform/descriptor.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define BATCH_EVENTS 64
/* A deadline or a wake-up that is lost would stall the loop: what the kernel refuses once is tried again. */
#define MAX_ATTEMPTS 3

/* Which of `own` is which: a timerfd and an eventfd. */
enum { TIMER, WAKE };

/* Addresses that no watch has; they mark our own two descriptors in the set. */
static char deadline_mark;
static char wake_mark;

static int poller_add_own(struct sp_poller *self, int fd, uint32_t events, void *mark)
{
    struct epoll_event event = {.events = events, .data.ptr = mark};

    return epoll_ctl(self->fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

int sp_poller_open(struct sp_poller *self)
{
    int rc;

    self->own[TIMER] = -1;
    self->own[WAKE] = -1;
    self->fd = sp_fd_opened(epoll_create1(EPOLL_CLOEXEC));
    if (self->fd >= 0)
        self->own[TIMER] = sp_fd_opened(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    if (self->own[TIMER] >= 0)
        self->own[WAKE] = sp_fd_opened(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (self->own[WAKE] < 0) {
        rc = -errno;
        goto fail;
    }

    if ((rc = poller_add_own(self, self->own[TIMER], EPOLLIN, &deadline_mark)) < 0)
        goto fail;
    /* Edge-triggered: each write is an event, and no read is needed. */
    if ((rc = poller_add_own(self, self->own[WAKE], EPOLLIN | EPOLLET, &wake_mark)) < 0)
        goto fail;
    return 0;

fail:
    sp_poller_close(self);
    return rc;
}

void sp_poller_close(struct sp_poller *self)
{
    if (self->own[WAKE] >= 0)
        sp_fd_close(self->own[WAKE]);
    if (self->own[TIMER] >= 0)
        sp_fd_close(self->own[TIMER]);
    if (self->fd >= 0)
        sp_fd_close(self->fd);
}

static uint32_t epoll_events(unsigned ready)
{
    return (ready & SP_READABLE ? EPOLLIN : 0u) | (ready & SP_WRITABLE ? EPOLLOUT : 0u) |
           (ready & SP_FINISHED ? EPOLLRDHUP : 0u);
}

/* After a failure the set may not be as was thought: a descriptor that could not be removed is in it still. */
static int set_anyway(int operation)
{
    return operation == EPOLL_CTL_ADD                      ? EPOLL_CTL_MOD
           : operation == EPOLL_CTL_MOD && errno == ENOENT ? EPOLL_CTL_ADD
                                                           : operation;
}

int sp_poller_watch(struct sp_poller *self, int fd, struct sp_watch *watch, unsigned before, unsigned after)
{
    struct epoll_event event = {.events = epoll_events(after), .data.ptr = watch};
    int operation = before == 0 ? EPOLL_CTL_ADD : after == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;

    if (before == after)
        return 0;
    int rc = epoll_ctl(self->fd, operation, fd, &event);
    if (rc < 0 && (operation != EPOLL_CTL_ADD || errno == EEXIST))
        rc = epoll_ctl(self->fd, set_anyway(operation), fd, &event);
    return rc < 0 ? -errno : 0;
}

static void drain_counter(int fd)
{
    uint64_t count;

    while (read(fd, &count, sizeof count) < 0 && errno == EINTR) {
    }
}

static void poller_translate(struct sp_poller *self, const struct epoll_event *from, struct sp_poller_event *to)
{
    memset(to, 0, sizeof *to);
    if (from->data.ptr == &deadline_mark) {
        to->is_deadline = true;
        drain_counter(self->own[TIMER]);
    } else if (from->data.ptr == &wake_mark) {
        to->is_wake = true;
    } else {
        to->watch = from->data.ptr;
        to->ready = (from->events & EPOLLIN ? SP_READABLE : 0u) | (from->events & EPOLLOUT ? SP_WRITABLE : 0u) |
                    (from->events & (EPOLLHUP | EPOLLERR) ? SP_HANGUP : 0u) |
                    (from->events & EPOLLRDHUP ? SP_FINISHED : 0u);
    }
}

int sp_poller_wait(struct sp_poller *self, struct sp_poller_event *events, int count, int timeout_ms)
{
    struct epoll_event raw[BATCH_EVENTS];
    int found = epoll_wait(self->fd, raw, count < BATCH_EVENTS ? count : BATCH_EVENTS, timeout_ms);

    for (int i = 0; i < found; i++)
        poller_translate(self, &raw[i], &events[i]);
    return found < 0 ? 0 : found;
}

bool sp_poller_is_ready(const struct sp_poller *self, int timeout_ms)
{
    struct pollfd set = {.fd = self->fd, .events = POLLIN};

    return poll(&set, 1, timeout_ms) > 0;
}

void sp_poller_arm(struct sp_poller *self, sp_time_ns deadline_ns)
{
    struct itimerspec when = {0};

    if (deadline_ns != SP_FOREVER) {
        when.it_value.tv_sec = (time_t)(deadline_ns / 1000000000u);
        when.it_value.tv_nsec = (long)(deadline_ns % 1000000000u);
        if (deadline_ns == 0)
            when.it_value.tv_nsec = 1; /* zero would disarm */
    }
    int left = MAX_ATTEMPTS;
    while (timerfd_settime(self->own[TIMER], TFD_TIMER_ABSTIME, &when, NULL) < 0 && --left > 0) {
    }
}

void sp_poller_wake(struct sp_poller *self)
{
    uint64_t one = 1;
    int left = MAX_ATTEMPTS;

    while (write(self->own[WAKE], &one, sizeof one) < 0 && --left > 0) {
    }
}
