/* Waiting for several sockets at a time: the thread's parker joins the list of each. */
#include "core/poll_entry.h"

#include "core/socket.h"
#include "util/memory.h"

#include <errno.h>

struct sp_poll_entry *sp_poll_entries_create(int count)
{
    return sp_zalloc((count > 0 ? (size_t)count : 1) * sizeof(struct sp_poll_entry));
}

void sp_poll_entries_destroy(struct sp_poll_entry *entries)
{
    sp_free(entries);
}

/* Returns how many are ready, or -EBADF. */
static int poll_entries_check(struct sp_poll_entry *entries, int count)
{
    int ready = 0;

    for (int i = 0; i < count; i++) {
        struct sp_poll_entry *entry = &entries[i];
        if (entry->socket == NULL)
            continue;
        int events = sp_socket_events(entry->socket);
        if (events < 0)
            return events;
        entry->ready = events & entry->events;
        if (entry->ready != 0)
            ready++;
    }
    return ready;
}

static void poll_entries_watch(struct sp_poll_entry *entries, int count, struct sp_parker *parker)
{
    for (int i = 0; i < count; i++) {
        struct sp_poll_entry *entry = &entries[i];
        if (entry->socket == NULL)
            continue;
        entry->wait = (struct sp_wait){.parker = parker, .events = entry->events | NN_LOOP_CLOSED};
        sp_socket_watch(entry->socket, &entry->wait);
    }
}

static void poll_entries_unwatch(struct sp_poll_entry *entries, int count)
{
    for (int i = 0; i < count; i++) {
        if (entries[i].socket != NULL)
            sp_socket_unwatch(entries[i].socket, &entries[i].wait);
    }
}

int sp_poll_entries_wait(struct sp_poll_entry *entries, int count, sp_time_ns deadline_ns)
{
    int ready = poll_entries_check(entries, count);
    int rc = 0;

    if (ready != 0 || sp_now_ns() >= deadline_ns)
        return ready;
    struct sp_parker *parker = sp_parker_self();
    if (parker == NULL)
        return -ENOMEM;

    sp_parker_reset(parker);
    poll_entries_watch(entries, count, parker);
    while (ready == 0 && rc == 0) {
        rc = sp_parker_sleep(parker, deadline_ns);
        ready = poll_entries_check(entries, count);
    }
    poll_entries_unwatch(entries, count);
    if (ready != 0)
        return ready;
    return rc == -ETIMEDOUT ? 0 : rc;
}
