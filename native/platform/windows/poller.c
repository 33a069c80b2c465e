/* The poller of Windows: a completion port that the answers of the kernel's driver of sockets come to, and wake-ups.
 * The deadline is the timeout of the wait. There is no descriptor that a host could watch: it waits on a thread of
 * its own, by sp_poller_is_ready, which keeps what it takes from the port for the next sp_poller_wait. */
#include "platform/poller.h"

#include "deadline.h"
#include "net_types.h"
#include "platform/thread.h"
#include "watched.h"

#include <errno.h>
#include <stdlib.h>

#define BATCH_EVENTS 64
#define MAX_ATTEMPTS 3
/* The kernel answers what was cancelled at once. */
#define CLOSE_LIMIT_MS 1000
/* When a socket could not be asked about for want of memory. */
#define ASK_AGAIN_NS ((sp_time_ns)10 * SP_NS_PER_MS)

/* What a completion is, other than an answer. */
enum { OF_SOCKET, WAKE, LOOK_AGAIN };

struct sp_poller_port {
    HANDLE port;
    struct sp_mutex lock; /* guards all below */
    struct sp_watched_set sockets;
    sp_time_ns armed_ns;
    unsigned waiting; /* threads that wait for the port now */
    OVERLAPPED_ENTRY kept[BATCH_EVENTS];
    unsigned kept_count;
};

int sp_poller_open(struct sp_poller *self)
{
    int rc = sp_winsock_start();

    if (rc < 0)
        return rc;
    struct sp_poller_port *port = calloc(1, sizeof *port);
    if (port == NULL)
        return -ENOMEM;
    port->port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    if (port->port == NULL) {
        rc = -sp_windows_errno(GetLastError());
        free(port);
        return rc;
    }
    sp_mutex_init(&port->lock, SP_RANK_NONE);
    port->sockets.port = port->port;
    port->armed_ns = SP_FOREVER;
    *self = (struct sp_poller){.fd = -1, .port = port};
    return 0;
}

static void post(const struct sp_poller_port *port, ULONG_PTR what)
{
    int left = MAX_ATTEMPTS;

    while (!PostQueuedCompletionStatus(port->port, 0, what, NULL) && --left > 0) {
    }
}

static unsigned take(const struct sp_poller_port *port, OVERLAPPED_ENTRY *entries, unsigned room, DWORD timeout_ms)
{
    ULONG count = 0;

    return GetQueuedCompletionStatusEx(port->port, entries, room, &count, timeout_ms, FALSE) ? count : 0;
}

/* ---- Closing ---- */

/* Memory that the kernel may still write to stays. */
static bool await_answers(struct sp_poller_port *port)
{
    OVERLAPPED_ENTRY entry;
    struct sp_watch *unused;
    sp_time_ns deadline_ns = sp_deadline_after_ms(CLOSE_LIMIT_MS);

    for (unsigned i = 0; i < port->kept_count; i++) {
        if (port->kept[i].lpCompletionKey == OF_SOCKET)
            sp_watched_answered(&port->sockets, (struct sp_watched *)port->kept[i].lpOverlapped, &unused);
    }
    while (sp_watched_set_is_asking(&port->sockets)) {
        if (sp_now_ns() >= deadline_ns)
            return false;
        if (take(port, &entry, 1, sp_remaining_ms(deadline_ns)) > 0 && entry.lpCompletionKey == OF_SOCKET)
            sp_watched_answered(&port->sockets, (struct sp_watched *)entry.lpOverlapped, &unused);
    }
    return true;
}

void sp_poller_close(struct sp_poller *self)
{
    struct sp_poller_port *port = self->port;

    sp_watched_set_clear(&port->sockets);
    if (await_answers(port)) {
        sp_watched_set_destroy(&port->sockets);
        CloseHandle(port->port);
        free(port);
    }
    self->port = NULL;
}

/* ---- Watching ---- */

int sp_poller_watch(struct sp_poller *self, int fd, struct sp_watch *watch, unsigned before, unsigned after)
{
    if (before == after)
        return 0;
    sp_mutex_lock(&self->port->lock);
    int rc = sp_watched_set_change(&self->port->sockets, fd, watch, before, after);
    bool is_left = sp_watched_set_has_due(&self->port->sockets) && self->port->waiting > 0;
    sp_mutex_unlock(&self->port->lock);
    if (is_left)
        post(self->port, LOOK_AGAIN);
    return rc;
}

/* ---- Waiting ---- */

static sp_time_ns earlier(sp_time_ns one, sp_time_ns other)
{
    return one < other ? one : other;
}

/* Asks about all sockets that are to be asked about, and waits for completions. Called under the lock, which is free
 * meanwhile. */
static unsigned wait_for_port(struct sp_poller_port *port, OVERLAPPED_ENTRY *entries, unsigned room,
                              sp_time_ns deadline_ns)
{
    sp_watched_set_ask(&port->sockets);
    sp_time_ns until_ns = earlier(deadline_ns, port->armed_ns);
    if (sp_watched_set_has_due(&port->sockets)) /* asking has failed: it is tried again */
        until_ns = earlier(until_ns, sp_now_ns() + ASK_AGAIN_NS);
    port->waiting++;
    sp_mutex_unlock(&port->lock);
    unsigned count = take(port, entries, room, sp_remaining_ms(until_ns));
    sp_mutex_lock(&port->lock);
    port->waiting--;
    return count;
}

/* Returns false when it says nothing. */
static bool translate(struct sp_poller_port *port, const OVERLAPPED_ENTRY *entry, struct sp_poller_event *event)
{
    *event = (struct sp_poller_event){.is_wake = entry->lpCompletionKey == WAKE};
    if (entry->lpCompletionKey == OF_SOCKET)
        event->ready = sp_watched_answered(&port->sockets, (struct sp_watched *)entry->lpOverlapped, &event->watch);
    return event->is_wake || event->ready != 0;
}

/* Fills events from completions. Returns how many. */
static int translate_all(struct sp_poller_port *port, const OVERLAPPED_ENTRY *entries, unsigned count,
                         struct sp_poller_event *events)
{
    int found = 0;

    for (unsigned i = 0; i < count; i++)
        found += translate(port, &entries[i], &events[found]);
    /* Another thread has to ask about these sockets, and to learn of a deadline. */
    if (count > 0 && port->waiting > 0)
        post(port, LOOK_AGAIN);
    return found;
}

static unsigned take_kept(struct sp_poller_port *port, OVERLAPPED_ENTRY *entries, unsigned room)
{
    unsigned count = 0;

    while (count < room && port->kept_count > 0)
        entries[count++] = port->kept[--port->kept_count];
    return count;
}

/* The deadline is reported once. */
static bool deadline_has_passed(struct sp_poller_port *port, struct sp_poller_event *event)
{
    if (port->armed_ns == SP_FOREVER || sp_now_ns() < port->armed_ns)
        return false;
    port->armed_ns = SP_FOREVER;
    *event = (struct sp_poller_event){.is_deadline = true};
    return true;
}

int sp_poller_wait(struct sp_poller *self, struct sp_poller_event *events, int count, int timeout_ms)
{
    OVERLAPPED_ENTRY entries[BATCH_EVENTS];
    struct sp_poller_port *port = self->port;
    sp_time_ns deadline_ns = sp_deadline_after_ms(timeout_ms);
    unsigned room = count < BATCH_EVENTS ? (unsigned)count : BATCH_EVENTS;
    int found = 0;

    sp_mutex_lock(&port->lock);
    do {
        if (deadline_has_passed(port, &events[0])) {
            found = 1;
            break;
        }
        unsigned taken = take_kept(port, entries, room);
        if (taken == 0)
            taken = wait_for_port(port, entries, room, deadline_ns);
        found = translate_all(port, entries, taken, events);
    } while (found == 0 && (timeout_ms < 0 || sp_now_ns() < deadline_ns));
    sp_mutex_unlock(&port->lock);
    return found;
}

static bool look(struct sp_poller_port *port, sp_time_ns deadline_ns)
{
    OVERLAPPED_ENTRY entry;

    if (port->kept_count == 0 && wait_for_port(port, &entry, 1, deadline_ns) > 0 &&
        entry.lpCompletionKey != LOOK_AGAIN) {
        if (port->kept_count < BATCH_EVENTS)
            port->kept[port->kept_count++] = entry;
        else
            PostQueuedCompletionStatus(port->port, entry.dwNumberOfBytesTransferred, entry.lpCompletionKey,
                                       entry.lpOverlapped);
    }
    return port->kept_count > 0 || port->armed_ns <= sp_now_ns();
}

bool sp_poller_is_ready(const struct sp_poller *self, int timeout_ms)
{
    struct sp_poller_port *port = self->port;
    sp_time_ns deadline_ns = sp_deadline_after_ms(timeout_ms);
    bool is_ready;

    sp_mutex_lock(&port->lock);
    do {
        is_ready = look(port, deadline_ns);
    } while (!is_ready && (timeout_ms < 0 || sp_now_ns() < deadline_ns));
    sp_mutex_unlock(&port->lock);
    return is_ready;
}

/* ---- Deadline and wake-up ---- */

void sp_poller_arm(struct sp_poller *self, sp_time_ns deadline_ns)
{
    struct sp_poller_port *port = self->port;

    sp_mutex_lock(&port->lock);
    bool is_news = deadline_ns < port->armed_ns && port->waiting > 0;
    port->armed_ns = deadline_ns;
    sp_mutex_unlock(&port->lock);
    if (is_news)
        post(port, LOOK_AGAIN);
}

void sp_poller_wake(struct sp_poller *self)
{
    post(self->port, WAKE);
}
