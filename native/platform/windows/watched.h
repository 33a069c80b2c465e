/* The sockets that a poller asks the kernel about. All of it is guarded by the poller's lock. */
#ifndef SP_PLATFORM_WINDOWS_WATCHED_H
#define SP_PLATFORM_WINDOWS_WATCHED_H

#include "afd.h"

#include <stdbool.h>
#include <stddef.h>

struct sp_watch;

/* How many sockets share a handle to ask by: what one costs grows with the questions that are open on it. */
#define SP_AFD_SHARERS 32

struct sp_afd_group {
    HANDLE afd;
    unsigned users;
    struct sp_afd_group *next;
};

struct sp_watched {
    struct sp_afd_poll poll; /* first: what an answer names */
    struct sp_afd_group *group;
    HANDLE socket;
    struct sp_watch *watch;
    unsigned wanted; /* SP_READABLE and so on */
    unsigned asked;  /* the kernel's events of the open question */
    bool is_asking;  /* the answer has not come */
    bool is_removed; /* it goes when the answer has come */
    bool is_due;     /* stands in the list of those that ask before the next wait */
    struct sp_watched *next_due;
};

struct sp_watched_set {
    HANDLE port;
    struct sp_afd_group *groups;
    struct sp_watched **by_fd; /* handles are multiples of four */
    size_t room;
    struct sp_watched *due;
};

/* Sets what the socket is watched for, from `before` to `wanted`; 0: nothing. Returns 0 or -errno. */
int sp_watched_set_change(struct sp_watched_set *self, int fd, struct sp_watch *watch, unsigned before,
                          unsigned wanted);

/* An answer has come. Returns what is ready of what is wanted, and *watch; 0: nothing. It asks again before the next
 * wait, which makes it level-triggered. */
unsigned sp_watched_answered(struct sp_watched_set *self, struct sp_watched *watched, struct sp_watch **watch);

/* Before a wait: asks again. Those for which that fails stay due. */
void sp_watched_set_ask(struct sp_watched_set *self);

static inline bool sp_watched_set_has_due(const struct sp_watched_set *self)
{
    return self->due != NULL;
}

/* Takes all sockets out. A request that is pending is freed when it completes, which sp_watched_set_is_asking tells. */
void sp_watched_set_clear(struct sp_watched_set *self);
bool sp_watched_set_is_asking(const struct sp_watched_set *self);
void sp_watched_set_destroy(struct sp_watched_set *self);

#endif
