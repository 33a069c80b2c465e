/* The poller of macOS and the BSDs: kqueue(2), with a timer and a user's event inside the queue.
 *
 * A descriptor has up to two filters. That for reading is level-triggered while reading is wanted. While a watch only
 * wants to know that the peer has finished or is gone, unread bytes must not report: then the filter has a low-water
 * mark that no bytes reach, and reports changes only, since a full buffer counts as reaching it. */
#include "platform/poller.h"
#include "platform/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <sys/event.h>
#include <sys/socket.h>
#include <time.h>

#define BATCH_EVENTS 64
/* A deadline or a wake-up that is lost would stall the loop: what the kernel refuses once is tried again. */
#define MAX_ATTEMPTS 3
/* A change of both filters, where one of them begins anew. */
#define MAX_CHANGES 3

/* What one descriptor is asked, in the low bits of the address of its watch. */
#define READS ((uintptr_t)1)
#define TELLS_FINISH ((uintptr_t)2)
#define TAGS (READS | TELLS_FINISH)

/* Timers of macOS may be late by much more to save power, unless they are critical. */
#ifndef NOTE_CRITICAL
#define NOTE_CRITICAL 0
#endif

static struct kevent change_of(uintptr_t ident, int filter, int flags, unsigned fflags, intptr_t data, uintptr_t user)
{
    struct kevent change;

    EV_SET(&change, ident, (int16_t)filter, (uint16_t)flags, fflags, data, (void *)user);
    return change;
}

/* Returns 0 or -errno. */
static int apply(const struct sp_poller *self, const struct kevent *change)
{
    return kevent(self->fd, change, 1, NULL, 0, NULL) < 0 ? -errno : 0;
}

int sp_poller_open(struct sp_poller *self)
{
    self->fd = kqueue();
    if (self->fd < 0)
        return -errno;
    sp_fd_opened(self->fd);
    struct kevent wake = change_of(0, EVFILT_USER, EV_ADD | EV_CLEAR, 0, 0, 0);
    int rc = fcntl(self->fd, F_SETFD, FD_CLOEXEC) < 0 ? -errno : apply(self, &wake);
    if (rc < 0)
        sp_poller_close(self);
    return rc;
}

void sp_poller_close(struct sp_poller *self)
{
    sp_fd_close(self->fd);
}

/* ---- Watching ---- */

enum reading { READING_NONE, READING_LEVEL, READING_DETECTS };

static enum reading reading_of(unsigned wanted)
{
    if (wanted & SP_READABLE)
        return READING_LEVEL;
    return wanted & (SP_FINISHED | SP_HANGUP) ? READING_DETECTS : READING_NONE;
}

/* What is wanted of a filter for reading; another one of the same kind takes the place of the one before. */
static struct kevent reading_change(int fd, struct sp_watch *watch, unsigned wanted)
{
    uintptr_t user = (uintptr_t)watch | (wanted & SP_FINISHED ? TELLS_FINISH : 0);

    if (wanted & SP_READABLE)
        return change_of((uintptr_t)fd, EVFILT_READ, EV_ADD | EV_RECEIPT, 0, 0, user | READS);
    return change_of((uintptr_t)fd, EVFILT_READ, EV_ADD | EV_CLEAR | EV_RECEIPT, NOTE_LOWAT, INT_MAX, user);
}

static int add_changes(struct kevent *changes, int fd, struct sp_watch *watch, unsigned before, unsigned after)
{
    enum reading was = reading_of(before);
    enum reading is = reading_of(after);
    int count = 0;

    /* Whether a filter is level-triggered is settled when it is added. */
    if (was != READING_NONE && was != is)
        changes[count++] = change_of((uintptr_t)fd, EVFILT_READ, EV_DELETE | EV_RECEIPT, 0, 0, 0);
    if (is != READING_NONE && (was != is || (before ^ after) & SP_FINISHED))
        changes[count++] = reading_change(fd, watch, after);
    if ((before ^ after) & SP_WRITABLE) {
        int operation = after & SP_WRITABLE ? EV_ADD : EV_DELETE;
        changes[count++] = change_of((uintptr_t)fd, EVFILT_WRITE, operation | EV_RECEIPT, 0, 0, (uintptr_t)watch);
    }
    return count;
}

int sp_poller_watch(struct sp_poller *self, int fd, struct sp_watch *watch, unsigned before, unsigned after)
{
    struct kevent changes[MAX_CHANGES];
    struct kevent receipts[MAX_CHANGES];
    int count = add_changes(changes, fd, watch, before, after);

    if (count == 0)
        return 0;
    int found = kevent(self->fd, changes, count, receipts, count, NULL);
    if (found < 0)
        return -errno;
    for (int i = 0; i < found; i++) {
        /* What is not in the queue need not be removed. */
        if (receipts[i].data != 0 && !(changes[i].flags & EV_DELETE && receipts[i].data == ENOENT))
            return -(int)receipts[i].data;
    }
    return 0;
}

/* ---- Waiting ---- */

/* After the end of what the peer sends: whether nothing can be sent to it any more either. A socket of which both
 * directions are closed has no peer's name. */
static bool is_gone(int fd)
{
    struct sockaddr_storage peer;
    socklen_t length = sizeof peer;

    return getpeername(fd, (struct sockaddr *)&peer, &length) < 0 && (errno == EINVAL || errno == ENOTCONN);
}

static unsigned ready_of(const struct kevent *from)
{
    uintptr_t tags = (uintptr_t)from->udata & TAGS;
    bool has_ended = (from->flags & EV_EOF) != 0;
    unsigned ready = 0;

    if (from->filter == EVFILT_WRITE)
        ready |= SP_WRITABLE;
    else if (tags & READS)
        ready |= SP_READABLE;
    if (has_ended && from->filter == EVFILT_READ && (tags & TELLS_FINISH))
        ready |= SP_FINISHED;
    if (has_ended && (from->fflags != 0 || is_gone((int)from->ident)))
        ready |= SP_HANGUP;
    return ready;
}

/* The two filters of a descriptor make one event. Returns where it is, among `count`, or `count`. */
static int place_of(const struct sp_poller_event *events, int count, const struct sp_watch *watch)
{
    for (int i = count - 1; i >= 0; i--) {
        if (events[i].watch == watch)
            return i;
    }
    return count;
}

/* Returns the new number of events. */
static int add_event(struct sp_poller_event *events, int count, const struct kevent *from)
{
    if (from->filter == EVFILT_TIMER || from->filter == EVFILT_USER) {
        bool is_deadline = from->filter == EVFILT_TIMER;
        events[count] = (struct sp_poller_event){.is_deadline = is_deadline, .is_wake = !is_deadline};
        return count + 1;
    }
    /* An error of the queue, about a descriptor that was closed meanwhile. */
    unsigned ready = from->flags & EV_ERROR ? 0 : ready_of(from);
    struct sp_watch *watch = (struct sp_watch *)((uintptr_t)from->udata & ~TAGS);
    if (ready == 0)
        return count;
    int place = place_of(events, count, watch);
    if (place == count)
        events[count] = (struct sp_poller_event){.watch = watch};
    events[place].ready |= ready;
    return place == count ? count + 1 : count;
}

int sp_poller_wait(struct sp_poller *self, struct sp_poller_event *events, int count, int timeout_ms)
{
    struct kevent raw[BATCH_EVENTS];
    struct timespec limit = {.tv_sec = timeout_ms / 1000, .tv_nsec = timeout_ms % 1000 * (long)SP_NS_PER_MS};
    int found =
        kevent(self->fd, NULL, 0, raw, count < BATCH_EVENTS ? count : BATCH_EVENTS, timeout_ms < 0 ? NULL : &limit);
    int filled = 0;

    for (int i = 0; i < found; i++)
        filled = add_event(events, filled, &raw[i]);
    return filled;
}

bool sp_poller_is_ready(const struct sp_poller *self, int timeout_ms)
{
    struct pollfd set = {.fd = self->fd, .events = POLLIN};

    return poll(&set, 1, timeout_ms) > 0;
}

/* ---- Deadline and wake-up ---- */

void sp_poller_arm(struct sp_poller *self, sp_time_ns deadline_ns)
{
    struct kevent timer = change_of(0, EVFILT_TIMER, EV_DELETE, 0, 0, 0);

    if (deadline_ns != SP_FOREVER) {
        sp_time_ns now_ns = sp_now_ns();
        sp_time_ns left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 1;
        intptr_t data = left_ns < INTPTR_MAX ? (intptr_t)left_ns : INTPTR_MAX;
        timer = change_of(0, EVFILT_TIMER, EV_ADD | EV_ONESHOT, NOTE_NSECONDS | NOTE_CRITICAL, data, 0);
    }
    int left = MAX_ATTEMPTS;
    for (int rc = apply(self, &timer); rc < 0 && rc != -ENOENT && --left > 0; rc = apply(self, &timer)) {
    }
}

void sp_poller_wake(struct sp_poller *self)
{
    struct kevent wake = change_of(0, EVFILT_USER, 0, NOTE_TRIGGER, 0, 0);
    int left = MAX_ATTEMPTS;

    while (apply(self, &wake) < 0 && --left > 0) {
    }
}
