/* The memory of messages that have come in part, or whole and wait for the user: bounded for a socket by
 * NN_MAX_UNFINISHED_BYTES. A connection has a share of the room; when there is no room for what its message needs, it
 * reads no more until there is. One message can always go on.
 *
 * A share grows before bytes are read, by what its message needs as a whole: so those that grow can all finish, and
 * none waits for another. When room is short, a share that grows and gets little gives back what it does not use: so a
 * peer holds no more for long than it has sent. One at a time may go beyond the bound, of those that have a part of
 * their message already the first one, or else of the others. Those that wait and have little to read come last. When
 * they have not had SP_ROOM_LEAST_BYTES for a second, hold memory, and others wait for it, they are given up: no other
 * memory is left then.
 *
 * All of it is guarded by the socket's lock. */
#ifndef SP_CORE_RECEIVE_ROOM_H
#define SP_CORE_RECEIVE_ROOM_H

#include "loop/loop.h"
#include "util/list.h"

#include <stdbool.h>
#include <stddef.h>

/* A message that needs no more than this, besides what a slab holds, has no share: each connection has these bytes for
 * itself. */
#define SP_ROOM_FREE_BYTES ((size_t)4 * 1024)

/* What a share has to have to read before it goes on, */
#define SP_ROOM_INPUT_BYTES ((size_t)16 * 1024)
/* and after half a second, as a slow peer has. */
#define SP_ROOM_LEAST_BYTES ((size_t)4 * 1024)

struct sp_room_share;

/* What a connection does. None of these calls back. */
struct sp_room_user {
    void (*wait)(struct sp_room_share *share);  /* reads no more */
    void (*go_on)(struct sp_room_share *share); /* reads on */
    /* How much of the message has come. */
    size_t (*arrived_bytes)(const struct sp_room_share *share);
    /* Whether this number of bytes can be read, or as many as the kernel keeps, or all that the message lacks. */
    bool (*has_input)(const struct sp_room_share *share, size_t bytes);
    void (*give_up)(struct sp_room_share *share); /* ends, and leaves the room */
};

enum sp_room_state {
    SP_ROOM_KEPT,    /* of a whole message, or nothing */
    SP_ROOM_GROWING, /* has what its message needs */
    SP_ROOM_STOPPED, /* waits for room, and has a part of its message in it */
    SP_ROOM_WAITING, /* waits for room, and has none */
    SP_ROOM_STILL,   /* waits, and has too little to read */
    SP_ROOM_STATES
};

struct sp_room_share {
    struct sp_list_item item; /* in the list of its state */
    const struct sp_room_user *user;
    bool is_used; /* has bytes, or waits for some */
    enum sp_room_state state;
    size_t bytes;          /* of the room */
    size_t needed_bytes;   /* when it goes on */
    size_t input_bytes;    /* what it has to have to read, */
    bool is_over;          /* unless nothing more comes */
    size_t seen_bytes;     /* had come when it was looked at last */
    sp_time_ns still_from; /* since when it has less */
};

struct sp_receive_room {
    size_t bytes;                         /* of all shares but the one beyond the bound */
    struct sp_room_share *beyond;         /* NULL: none */
    size_t used_shares;                   /* how many shares are used */
    bool is_blocked;                      /* one that has something to read does not find room */
    struct sp_list lists[SP_ROOM_STATES]; /* that of SP_ROOM_KEPT stays empty */
    struct sp_timer timer;                /* while shares wait, or room is short */
};

struct sp_socket;

/* Returns 0 or -errno; the room is to be destroyed in any case. */
int sp_room_init(struct sp_receive_room *self, struct sp_loop *loop);
void sp_room_destroy(struct sp_receive_room *self);

/* Gives the share what its message needs. Returns false when it has to wait. must: it cannot. */
bool sp_room_grow(struct sp_socket *socket, struct sp_room_share *share, size_t needed_bytes, bool must);
/* Nothing more comes for a share that waits: it goes on as soon as there is room, and ends. */
void sp_room_end_input(struct sp_socket *socket, struct sp_room_share *share);
/* The message is whole and has this number of bytes. */
void sp_room_keep(struct sp_socket *socket, struct sp_room_share *share, size_t bytes);
/* Gives everything back. Of a share that has nothing it does nothing. */
void sp_room_leave(struct sp_socket *socket, struct sp_room_share *share);

/* Whether room that is limited to that number of bytes (negative: without limit) is three quarters full with these
 * besides. */
static inline bool sp_room_is_nearly_full(const struct sp_receive_room *self, int limit_bytes, size_t bytes)
{
    return limit_bytes >= 0 && (self->beyond != NULL || self->bytes + bytes >= (size_t)limit_bytes / 4 * 3);
}

/* The same as sp_room_is_short(), for room that is used or hardly there. */
bool sp_room_has_little(const struct sp_receive_room *self, int limit_bytes);

/* Whether reads are to be short, since room is. It is asked before each read: where all messages lie in slabs, which is
 * the most frequent case, nothing uses the room, and two comparisons tell. A negative limit is a large unsigned one. */
static inline bool sp_room_is_short(const struct sp_receive_room *self, int limit_bytes)
{
    return (self->used_shares > 0 || (unsigned)limit_bytes < SP_ROOM_FREE_BYTES) &&
           sp_room_has_little(self, limit_bytes);
}

/* What all shares have. */
size_t sp_room_bytes(const struct sp_receive_room *self);

static inline bool sp_room_is_waiting(const struct sp_room_share *share)
{
    return share->state >= SP_ROOM_STOPPED;
}

#endif
