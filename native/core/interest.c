/* Waiting for several sockets at a time: the thread's waiter is put on the list of each. */
#include "core/interest.h"

#include "core/socket.h"
#include "util/memory.h"

#include <errno.h>

struct sp_interest *sp_interests_create(int count)
{
    return sp_zalloc((count > 0 ? (size_t)count : 1) * sizeof(struct sp_interest));
}

void sp_interests_destroy(struct sp_interest *interests)
{
    sp_free(interests);
}

/* Returns how many are ready, or -EBADF. */
static int interests_look(struct sp_interest *interests, int count)
{
    int ready = 0;

    for (int i = 0; i < count; i++) {
        struct sp_interest *interest = &interests[i];
        if (interest->socket == NULL)
            continue;
        int events = sp_socket_events(interest->socket);
        if (events < 0)
            return events;
        interest->ready = events & interest->events;
        if (interest->ready != 0)
            ready++;
    }
    return ready;
}

static void interests_watch(struct sp_interest *interests, int count, struct sp_waiter *waiter)
{
    for (int i = 0; i < count; i++) {
        struct sp_interest *interest = &interests[i];
        if (interest->socket == NULL)
            continue;
        interest->wait = (struct sp_wait){.waiter = waiter, .events = interest->events | NN_LOOP_CLOSED};
        sp_socket_watch(interest->socket, &interest->wait);
    }
}

static void interests_unwatch(struct sp_interest *interests, int count)
{
    for (int i = 0; i < count; i++) {
        if (interests[i].socket != NULL)
            sp_socket_unwatch(interests[i].socket, &interests[i].wait);
    }
}

int sp_interests_wait(struct sp_interest *interests, int count, sp_time_ns deadline_ns)
{
    int ready = interests_look(interests, count);
    int rc = 0;

    if (ready != 0 || sp_now_ns() >= deadline_ns)
        return ready;
    struct sp_waiter *waiter = sp_waiter_self();
    if (waiter == NULL)
        return -ENOMEM;

    sp_waiter_reset(waiter);
    interests_watch(interests, count, waiter);
    while (ready == 0 && rc == 0) {
        rc = sp_waiter_sleep(waiter, deadline_ns);
        ready = interests_look(interests, count);
    }
    interests_unwatch(interests, count);
    if (ready != 0)
        return ready;
    return rc == -ETIMEDOUT ? 0 : rc;
}
