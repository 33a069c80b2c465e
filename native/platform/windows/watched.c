/* One question at a time for each socket. A question that asks too little is cancelled, and its answer asks again. */
#include "watched.h"

#include "platform/poller.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HANDLE_STEP 4

/* ---- Handles to ask by ---- */

static int group_take(struct sp_watched_set *self, struct sp_afd_group **found)
{
    struct sp_afd_group *group = self->groups;

    while (group != NULL && group->users == SP_AFD_SHARERS)
        group = group->next;
    if (group == NULL) {
        if ((group = malloc(sizeof *group)) == NULL)
            return -ENOMEM;
        int rc = sp_afd_open(self->port, &group->afd);
        if (rc < 0) {
            free(group);
            return rc;
        }
        group->users = 0;
        group->next = self->groups;
        self->groups = group;
    }
    group->users++;
    *found = group;
    return 0;
}

/* ---- Sockets ---- */

static struct sp_watched **place_of(struct sp_watched_set *self, int fd)
{
    size_t index = (size_t)fd / HANDLE_STEP;

    if (index >= self->room) {
        size_t room = self->room * 2 > index + 1 ? self->room * 2 : index + 64;
        struct sp_watched **grown = realloc(self->by_fd, room * sizeof *grown);
        if (grown == NULL)
            return NULL;
        memset(grown + self->room, 0, (room - self->room) * sizeof *grown);
        self->by_fd = grown;
        self->room = room;
    }
    return &self->by_fd[index];
}

static void watched_free(struct sp_watched *self)
{
    self->group->users--;
    free(self);
}

static int watched_create(struct sp_watched_set *set, int fd, struct sp_watched **out)
{
    struct sp_watched *self = calloc(1, sizeof *self);

    if (self == NULL)
        return -ENOMEM;
    int rc = group_take(set, &self->group);
    if (rc < 0) {
        free(self);
        return rc;
    }
    self->socket = sp_afd_socket(fd);
    *out = self;
    return 0;
}

#define HANGUPS (SP_AFD_ABORT | SP_AFD_CONNECT_FAIL)
#define ALWAYS (HANGUPS | SP_AFD_LOCAL_CLOSE)

static unsigned events_of(unsigned wanted)
{
    return ALWAYS | (wanted & SP_READABLE ? SP_AFD_RECEIVE | SP_AFD_ACCEPT | SP_AFD_DISCONNECT : 0u) |
           (wanted & SP_WRITABLE ? SP_AFD_SEND : 0u) | (wanted & SP_FINISHED ? SP_AFD_DISCONNECT : 0u);
}

static unsigned ready_of(unsigned events, unsigned wanted)
{
    unsigned ready = (events & (SP_AFD_RECEIVE | SP_AFD_ACCEPT | SP_AFD_DISCONNECT | SP_AFD_ABORT) ? SP_READABLE : 0u) |
                     (events & (SP_AFD_SEND | SP_AFD_ABORT | SP_AFD_CONNECT_FAIL) ? SP_WRITABLE : 0u) |
                     (events & (SP_AFD_DISCONNECT | SP_AFD_ABORT) ? SP_FINISHED : 0u);

    return (ready & wanted) | (events & HANGUPS ? SP_HANGUP : 0u);
}

static int watched_ask(struct sp_watched *self)
{
    unsigned events = events_of(self->wanted);
    int rc = sp_afd_ask(self->group->afd, self->socket, events, &self->poll);

    if (rc < 0)
        return rc;
    self->asked = events;
    self->is_asking = true;
    return 0;
}

static void set_due(struct sp_watched_set *set, struct sp_watched *self)
{
    if (self->is_due)
        return;
    self->is_due = true;
    self->next_due = set->due;
    set->due = self;
}

/* Whether asking may succeed later: others may free what is short. A socket that is none is not asked about again. */
static bool is_passing(int rc)
{
    return rc < 0 && rc != -EBADF && rc != -ENOTSOCK;
}

static void watched_remove(struct sp_watched *self)
{
    self->is_removed = true;
    if (self->is_asking)
        sp_afd_cancel(self->group->afd, &self->poll);
    else if (!self->is_due)
        watched_free(self);
}

int sp_watched_set_change(struct sp_watched_set *self, int fd, struct sp_watch *watch, unsigned before, unsigned wanted)
{
    struct sp_watched **place = place_of(self, fd);
    int rc = 0;

    if (place == NULL)
        return -ENOMEM;
    struct sp_watched *watched = *place;
    if (watched != NULL && (wanted == 0 || before == 0)) {
        *place = NULL;
        watched_remove(watched);
        watched = NULL;
    }
    if (wanted == 0)
        return 0;
    if (watched == NULL && (rc = watched_create(self, fd, &watched)) < 0)
        return rc;
    *place = watched;
    watched->watch = watch;
    watched->wanted = wanted;
    if (!watched->is_asking && !watched->is_due) {
        rc = watched_ask(watched);
        if (before != 0 && is_passing(rc)) { /* the caller has it watched already */
            set_due(self, watched);
            return 0;
        }
    } else if (watched->is_asking && events_of(wanted) & ~watched->asked)
        sp_afd_cancel(watched->group->afd, &watched->poll);
    return rc;
}

unsigned sp_watched_answered(struct sp_watched_set *self, struct sp_watched *watched, struct sp_watch **watch)
{
    watched->is_asking = false;
    if (watched->is_removed) {
        if (!watched->is_due)
            watched_free(watched);
        return 0;
    }
    unsigned events = sp_afd_answer(&watched->poll);
    if (events & SP_AFD_LOCAL_CLOSE)
        return 0; /* it was closed without being taken out: there is nothing left to ask about */
    set_due(self, watched);
    *watch = watched->watch;
    return ready_of(events, watched->wanted);
}

void sp_watched_set_ask(struct sp_watched_set *self)
{
    struct sp_watched *watched = self->due;

    self->due = NULL;
    while (watched != NULL) {
        struct sp_watched *next = watched->next_due;
        watched->is_due = false;
        if (!watched->is_asking && watched->is_removed)
            watched_free(watched);
        else if (!watched->is_asking && is_passing(watched_ask(watched)))
            set_due(self, watched);
        watched = next;
    }
}

/* ---- The end ---- */

void sp_watched_set_clear(struct sp_watched_set *self)
{
    for (size_t i = 0; i < self->room; i++) {
        if (self->by_fd[i] != NULL)
            watched_remove(self->by_fd[i]);
        self->by_fd[i] = NULL;
    }
    for (struct sp_watched *next, *watched = self->due; watched != NULL; watched = next) {
        next = watched->next_due;
        watched->is_due = false;
        if (!watched->is_asking)
            watched_free(watched);
    }
    self->due = NULL;
}

bool sp_watched_set_is_asking(const struct sp_watched_set *self)
{
    for (const struct sp_afd_group *group = self->groups; group != NULL; group = group->next) {
        if (group->users > 0)
            return true;
    }
    return false;
}

void sp_watched_set_destroy(struct sp_watched_set *self)
{
    struct sp_afd_group *next;

    for (struct sp_afd_group *group = self->groups; group != NULL; group = next) {
        next = group->next;
        CloseHandle(group->afd);
        free(group);
    }
    free(self->by_fd);
}
