/* kqueue(2) over epoll(7), so that the poller of macOS and the BSDs runs where there is none. A queue is a set of sets:
 * one for each kind of filter, since a descriptor can be in a set once. Readiness is what the kernel says. What is kept
 * here is what epoll has no room for: the user's pointer of each filter. */
#include <sys/event.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define MAX_FDS 65536
#define BATCH_EVENTS 64

/* A filter for reading that is cleared is not the one that is not: both kinds are never there at once. */
enum set { READS, EDGES, WRITES, TIMER, USER, SETS };

struct queue {
    int sets[SETS]; /* TIMER and USER: one descriptor each, and no set */
    int next_set;   /* which comes first when there is no room for all */
    void *udata[WRITES + 1][MAX_FDS];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct queue *queues[MAX_FDS]; /* by the queue's descriptor */

static int close_now(int fd)
{
    return (int)syscall(SYS_close, fd);
}

/* In place of the C library's, since a queue is more than its descriptor. */
int close(int fd)
{
    struct queue *self = fd >= 0 && fd < MAX_FDS ? __atomic_exchange_n(&queues[fd], NULL, __ATOMIC_ACQ_REL) : NULL;

    if (self != NULL) {
        for (int set = 0; set < SETS; set++) {
            if (self->sets[set] > 0)
                close_now(self->sets[set]);
        }
        free(self);
    }
    return close_now(fd);
}

/* As of macOS, where a socket with both directions closed has no peer any more. */
int getpeername(int fd, struct sockaddr *address, socklen_t *length)
{
    struct pollfd polled = {.fd = fd};

    if (poll(&polled, 1, 0) > 0 && (polled.revents & POLLHUP)) {
        errno = EINVAL;
        return -1;
    }
    return (int)syscall(SYS_getpeername, fd, address, length);
}

static int set_add(int set, int fd, uint32_t events, int key)
{
    struct epoll_event event = {.events = events, .data.fd = key};

    if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) == 0)
        return 0;
    return errno == EEXIST && epoll_ctl(set, EPOLL_CTL_MOD, fd, &event) == 0 ? 0 : -errno;
}

int kqueue(void)
{
    struct queue *self = calloc(1, sizeof *self);
    int fd = epoll_create1(EPOLL_CLOEXEC);
    bool is_good = self != NULL && fd >= 0 && fd < MAX_FDS;

    for (int set = 0; set < SETS && is_good; set++) {
        self->sets[set] = set == TIMER  ? timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)
                          : set == USER ? eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)
                                        : epoll_create1(EPOLL_CLOEXEC);
        is_good = self->sets[set] >= 0 && set_add(fd, self->sets[set], EPOLLIN, set) == 0;
    }
    if (is_good) {
        __atomic_store_n(&queues[fd], self, __ATOMIC_RELEASE);
        return fd;
    }
    int error = self == NULL ? ENOMEM : errno;
    for (int set = 0; self != NULL && set < SETS; set++) {
        if (self->sets[set] > 0)
            close_now(self->sets[set]);
    }
    if (fd >= 0)
        close_now(fd);
    free(self);
    errno = error;
    return -1;
}

/* ---- Changes: 0 or -errno ---- */

static int change_timer(const struct queue *self, const struct kevent *change)
{
    struct itimerspec when = {0};
    struct itimerspec old;

    if (change->flags & EV_DELETE) {
        timerfd_settime(self->sets[TIMER], 0, &when, &old);
        return old.it_value.tv_sec == 0 && old.it_value.tv_nsec == 0 ? -ENOENT : 0;
    }
    if (!(change->fflags & NOTE_NSECONDS) || !(change->flags & EV_ONESHOT) || change->data <= 0)
        return -EINVAL;
    when.it_value.tv_sec = change->data / 1000000000;
    when.it_value.tv_nsec = change->data % 1000000000;
    return timerfd_settime(self->sets[TIMER], 0, &when, NULL) < 0 ? -errno : 0;
}

static int change_user(const struct queue *self, const struct kevent *change)
{
    uint64_t one = 1;

    if (change->fflags & NOTE_TRIGGER)
        return write(self->sets[USER], &one, sizeof one) < 0 && errno != EAGAIN ? -errno : 0;
    return change->flags & EV_ADD && change->flags & EV_CLEAR ? 0 : -EINVAL;
}

static int delete_from(const struct queue *self, enum set set, int fd)
{
    return epoll_ctl(self->sets[set], EPOLL_CTL_DEL, fd, NULL) < 0 ? -errno : 0;
}

/* Flags are settled when a filter is added; later ones change the rest only. */
static int change_read(struct queue *self, const struct kevent *change)
{
    int fd = (int)change->ident;
    enum set set = change->flags & EV_CLEAR ? EDGES : READS;
    struct epoll_event other = {.events = EPOLLIN | EPOLLRDHUP, .data.fd = fd};

    if (change->flags & EV_DELETE) {
        int rc = delete_from(self, READS, fd);
        return rc == -ENOENT ? delete_from(self, EDGES, fd) : rc;
    }
    if (set == EDGES && !(change->fflags & NOTE_LOWAT && change->data == INT_MAX))
        return -EINVAL;
    if (epoll_ctl(self->sets[set == EDGES ? READS : EDGES], EPOLL_CTL_MOD, fd, &other) == 0)
        set = set == EDGES ? READS : EDGES;
    self->udata[set][fd] = change->udata;
    return set_add(self->sets[set], fd, EPOLLIN | EPOLLRDHUP | (set == EDGES ? EPOLLET : 0u), fd);
}

static int change_write(struct queue *self, const struct kevent *change)
{
    int fd = (int)change->ident;

    if (change->flags & EV_DELETE)
        return delete_from(self, WRITES, fd);
    self->udata[WRITES][fd] = change->udata;
    return set_add(self->sets[WRITES], fd, EPOLLOUT, fd);
}

static int apply(struct queue *self, const struct kevent *change)
{
    if (change->filter == EVFILT_TIMER)
        return change_timer(self, change);
    if (change->filter == EVFILT_USER)
        return change_user(self, change);
    if (change->ident >= MAX_FDS)
        return -EBADF;
    return change->filter == EVFILT_READ ? change_read(self, change) : change_write(self, change);
}

/* Returns how many receipts there are, or -1 with errno. */
static int apply_all(struct queue *self, const struct kevent *changes, int count, struct kevent *receipts, int room)
{
    int filled = 0;

    for (int i = 0; i < count; i++) {
        int rc = apply(self, &changes[i]);
        if (rc == 0 && !(changes[i].flags & EV_RECEIPT))
            continue;
        if (filled == room) {
            errno = -rc;
            return -1;
        }
        receipts[filled] = changes[i];
        receipts[filled].flags |= EV_ERROR;
        receipts[filled++].data = -rc;
    }
    return filled;
}

/* ---- Events ---- */

/* A full buffer counts as reaching any low-water mark. */
static bool is_full(int fd, int unread_bytes)
{
    int size_bytes = 0;
    socklen_t length = sizeof size_bytes;

    return getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size_bytes, &length) == 0 && unread_bytes >= size_bytes / 2;
}

/* Returns whether the filter has something to say. */
static bool fill(struct kevent *event, enum set set, int fd, uint32_t events, void *udata)
{
    bool has_failed = (events & EPOLLERR) != 0;
    bool has_ended = (events & (EPOLLHUP | EPOLLERR)) != 0 || (set != WRITES && (events & EPOLLRDHUP));
    int unread_bytes = 0;

    ioctl(fd, FIONREAD, &unread_bytes);
    *event = (struct kevent){
        .ident = (uintptr_t)fd,
        .filter = set == WRITES ? EVFILT_WRITE : EVFILT_READ,
        .flags = has_ended ? EV_EOF : 0,
        .fflags = has_failed ? ECONNRESET : 0,
        .data = unread_bytes,
        .udata = udata,
    };
    return set != EDGES || has_ended || is_full(fd, unread_bytes);
}

/* Returns how many events there are now. */
static int gather(struct queue *self, enum set set, struct kevent *events, int filled, int room)
{
    struct epoll_event found[BATCH_EVENTS];
    uint64_t count;

    if (set == TIMER || set == USER) {
        if (read(self->sets[set], &count, sizeof count) < 0)
            return filled;
        events[filled] = (struct kevent){.filter = set == TIMER ? EVFILT_TIMER : EVFILT_USER};
        return filled + 1;
    }
    int limit = room - filled < BATCH_EVENTS ? room - filled : BATCH_EVENTS;
    int ready = epoll_wait(self->sets[set], found, limit, 0);
    for (int i = 0; i < ready; i++) {
        int fd = found[i].data.fd;
        filled += fill(&events[filled], set, fd, found[i].events, self->udata[set][fd]);
    }
    return filled;
}

static int timeout_ms_of(const struct timespec *timeout)
{
    return timeout == NULL ? -1 : (int)(timeout->tv_sec * 1000 + (timeout->tv_nsec + 999999) / 1000000);
}

int kevent(int queue, const struct kevent *changes, int change_count, struct kevent *events, int event_count,
           const struct timespec *timeout)
{
    struct queue *self = queue >= 0 && queue < MAX_FDS ? __atomic_load_n(&queues[queue], __ATOMIC_ACQUIRE) : NULL;
    struct epoll_event ready;
    int filled = 0;

    if (self == NULL) {
        errno = EBADF;
        return -1;
    }
    pthread_mutex_lock(&lock);
    int rc = apply_all(self, changes, change_count, events, event_count);
    pthread_mutex_unlock(&lock);
    if (rc != 0 || event_count == 0)
        return rc;
    rc = epoll_wait(queue, &ready, 1, timeout_ms_of(timeout));
    if (rc <= 0)
        return rc;
    pthread_mutex_lock(&lock);
    for (int i = 0; i < SETS && filled < event_count; i++)
        filled = gather(self, (enum set)((self->next_set + i) % SETS), events, filled, event_count);
    self->next_set = (self->next_set + 1) % SETS;
    pthread_mutex_unlock(&lock);
    return filled;
}
