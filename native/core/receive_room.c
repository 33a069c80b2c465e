/* The memory of a socket's unfinished messages. */
#include "core/receive_room.h"

#include "core/socket_settle.h"
#include "core/socket_state.h"
#include "util/invariant.h"

/* The interval at which shares that wait are looked at. */
#define LOOK_MS 50
/* The shares of each state that one look deals with: it takes a millisecond or two. */
#define LOOK_LIMIT 1024
/* A share that grows by less from one look to the next does not keep memory from others. */
#define PROGRESS_BYTES ((size_t)4 * 1024)
/* The time after which a share that waits, holds memory and gets too little is given up when others need it. */
#define STILL_LIMIT_NS ((sp_time_ns)1000 * SP_NS_PER_MS)

static struct sp_room_share *share_of(struct sp_list_item *item)
{
    return SP_CONTAINER(item, struct sp_room_share, item);
}

static struct sp_room_share *first_in(const struct sp_receive_room *self, enum sp_room_state state)
{
    const struct sp_list *list = &self->lists[state];

    return sp_list_is_empty(list) ? NULL : share_of(sp_list_first(list));
}

static struct sp_room_share *last_in(const struct sp_receive_room *self, enum sp_room_state state)
{
    const struct sp_list *list = &self->lists[state];

    return sp_list_is_empty(list) ? NULL : share_of(list->head.previous);
}

static bool has_waiting(const struct sp_receive_room *self)
{
    return first_in(self, SP_ROOM_STOPPED) != NULL || first_in(self, SP_ROOM_WAITING) != NULL ||
           first_in(self, SP_ROOM_STILL) != NULL;
}

/* ---- Bytes ---- */

static void set_bytes(struct sp_receive_room *self, struct sp_room_share *share, size_t bytes)
{
    if (share != self->beyond) {
        SP_INVARIANT(self->bytes >= share->bytes, "a socket's room has less than one of its shares");
        self->bytes = self->bytes - share->bytes + bytes;
    }
    share->bytes = bytes;
}

static void go_beyond(struct sp_receive_room *self, struct sp_room_share *share)
{
    set_bytes(self, share, 0);
    self->beyond = share;
}

static void come_back(struct sp_receive_room *self, struct sp_room_share *share)
{
    if (self->beyond != share)
        return;
    self->beyond = NULL;
    self->bytes += share->bytes;
}

static void set_state(struct sp_receive_room *self, struct sp_room_share *share, enum sp_room_state state)
{
    if (sp_list_is_linked(&share->item))
        sp_list_remove(&share->item);
    share->state = state;
    if (state != SP_ROOM_KEPT)
        sp_list_append(&self->lists[state], &share->item);
}

/* Whether the share can have as much: of the room, or beyond it. Where those that have gone beyond it before, and got
 * stuck, have left no room, none joins them that has nothing yet. */
static bool try_bytes(struct sp_socket *socket, struct sp_room_share *share, size_t bytes)
{
    struct sp_receive_room *self = &socket->room;
    size_t limit = (size_t)socket->options.max_unfinished_bytes;
    bool is_limited = socket->options.max_unfinished_bytes >= 0 && share != self->beyond;
    size_t others = is_limited ? self->bytes - share->bytes : 0;

    if (is_limited && (bytes > limit || others > limit - bytes)) {
        if (self->beyond != NULL || (share->bytes == 0 && others > limit))
            return false;
        go_beyond(self, share);
    }
    set_bytes(self, share, bytes);
    return true;
}

/* ---- Waiting ---- */

static void look_soon(struct sp_receive_room *self)
{
    if (!self->timer.is_active)
        sp_timer_start(&self->timer, sp_deadline_after_ms(LOOK_MS));
}

static enum sp_room_state waiting_state(const struct sp_room_share *share)
{
    return share->bytes > 0 ? SP_ROOM_STOPPED : SP_ROOM_WAITING;
}

static void begin_waiting(struct sp_receive_room *self, struct sp_room_share *share)
{
    size_t arrived_bytes = share->user->arrived_bytes(share);

    come_back(self, share);
    set_bytes(self, share, arrived_bytes > SP_ROOM_FREE_BYTES ? arrived_bytes : 0);
    set_state(self, share, waiting_state(share));
    share->input_bytes = SP_ROOM_INPUT_BYTES;
    share->user->wait(share);
    look_soon(self);
}

static void go_on(struct sp_receive_room *self, struct sp_room_share *share)
{
    share->seen_bytes = 0;
    set_state(self, share, SP_ROOM_GROWING);
    share->user->go_on(share);
}

static bool has_input(const struct sp_room_share *share)
{
    return share->is_over || share->user->has_input(share, share->input_bytes);
}

/* Lets those go on that have something to read, in the order in which they came. Returns false when one finds no room.
 */
static bool serve_waiting(struct sp_socket *socket, enum sp_room_state state)
{
    struct sp_receive_room *self = &socket->room;
    struct sp_room_share *share;

    for (int i = 0; i < LOOK_LIMIT && (share = first_in(self, state)) != NULL; i++) {
        if (!has_input(share)) {
            share->still_from = sp_now_ns();
            set_state(self, share, SP_ROOM_STILL);
        } else if (try_bytes(socket, share, share->needed_bytes)) {
            go_on(self, share);
        } else {
            return false;
        }
    }
    return true;
}

static void serve(struct sp_socket *socket)
{
    socket->room.is_blocked = !serve_waiting(socket, SP_ROOM_STOPPED) || !serve_waiting(socket, SP_ROOM_WAITING);
}

static bool is_nearly_full(const struct sp_socket *socket, size_t bytes)
{
    return sp_room_is_nearly_full(&socket->room, socket->options.max_unfinished_bytes, bytes);
}

static void begin_growing(struct sp_receive_room *self, struct sp_room_share *share)
{
    if (share->state == SP_ROOM_GROWING)
        return;
    share->seen_bytes = 0;
    set_state(self, share, SP_ROOM_GROWING);
}

static void begin_use(struct sp_receive_room *self, struct sp_room_share *share)
{
    if (share->is_used)
        return;
    share->is_used = true;
    self->used_shares++;
}

static void end_use(struct sp_receive_room *self, struct sp_room_share *share)
{
    share->is_used = false;
    self->used_shares--;
}

bool sp_room_grow(struct sp_socket *socket, struct sp_room_share *share, size_t needed_bytes, bool must)
{
    struct sp_receive_room *self = &socket->room;

    begin_use(self, share);
    if (sp_room_is_waiting(share))
        return false;
    if (share->state == SP_ROOM_GROWING && share->bytes >= needed_bytes)
        return true;
    bool has_turn = share->state == SP_ROOM_GROWING || !has_waiting(self);
    if (has_turn && try_bytes(socket, share, needed_bytes)) {
        begin_growing(self, share);
        if (is_nearly_full(socket, 0))
            look_soon(self);
        return true;
    }
    if (must) {
        set_bytes(self, share, needed_bytes);
        begin_growing(self, share);
        return true;
    }
    share->needed_bytes = needed_bytes;
    begin_waiting(self, share);
    serve(socket);
    return share->state == SP_ROOM_GROWING;
}

void sp_room_end_input(struct sp_socket *socket, struct sp_room_share *share)
{
    share->is_over = true;
    if (share->state == SP_ROOM_STILL)
        set_state(&socket->room, share, waiting_state(share));
    serve(socket);
}

void sp_room_keep(struct sp_socket *socket, struct sp_room_share *share, size_t bytes)
{
    begin_use(&socket->room, share);
    set_bytes(&socket->room, share, bytes);
    set_state(&socket->room, share, SP_ROOM_KEPT);
}

void sp_room_leave(struct sp_socket *socket, struct sp_room_share *share)
{
    if (!share->is_used)
        return;
    come_back(&socket->room, share);
    set_bytes(&socket->room, share, 0);
    set_state(&socket->room, share, SP_ROOM_KEPT);
    end_use(&socket->room, share);
    serve(socket);
}

bool sp_room_has_little(const struct sp_receive_room *self, int limit_bytes)
{
    return sp_room_is_nearly_full(self, limit_bytes, 0) || !sp_list_is_empty(&self->lists[SP_ROOM_STOPPED]) ||
           !sp_list_is_empty(&self->lists[SP_ROOM_WAITING]);
}

size_t sp_room_bytes(const struct sp_receive_room *self)
{
    return self->bytes + (self->beyond != NULL ? self->beyond->bytes : 0);
}

/* ---- Looking after those that get nothing ---- */

/* Those that grow and have got little since the last look give back what they do not use. */
static void take_back(struct sp_receive_room *self)
{
    const struct sp_room_share *last = last_in(self, SP_ROOM_GROWING);
    struct sp_room_share *share;

    for (int i = 0; i < LOOK_LIMIT && last != NULL && (share = first_in(self, SP_ROOM_GROWING)) != NULL; i++) {
        size_t arrived_bytes = share->user->arrived_bytes(share);
        size_t grown_bytes = arrived_bytes > share->seen_bytes ? arrived_bytes - share->seen_bytes : 0;
        bool is_still = grown_bytes < PROGRESS_BYTES && !share->user->has_input(share, SP_ROOM_INPUT_BYTES);
        share->seen_bytes = arrived_bytes;
        if (is_still) {
            share->needed_bytes = share->bytes;
            begin_waiting(self, share);
        } else {
            set_state(self, share, SP_ROOM_GROWING); /* the next look begins with another one */
        }
        if (share == last)
            return;
    }
}

/* Those that have something to read again wait for room like others. Those that have had too little for long are given
 * up, if others need what they hold. */
static void look_at_still(struct sp_socket *socket)
{
    struct sp_receive_room *self = &socket->room;
    const struct sp_room_share *last = last_in(self, SP_ROOM_STILL);
    struct sp_room_share *share;
    sp_time_ns now_ns = sp_now_ns();

    for (int i = 0; i < LOOK_LIMIT && last != NULL && (share = first_in(self, SP_ROOM_STILL)) != NULL; i++) {
        bool is_last = share == last;
        sp_time_ns still_ns = now_ns - share->still_from;
        bool is_useless = still_ns > STILL_LIMIT_NS && share->bytes > 0;
        if (still_ns > STILL_LIMIT_NS / 2)
            share->input_bytes = SP_ROOM_LEAST_BYTES;
        if (has_input(share))
            set_state(self, share, waiting_state(share));
        else if (self->is_blocked && is_useless)
            share->user->give_up(share);
        else
            set_state(self, share, SP_ROOM_STILL);
        if (is_last)
            return;
    }
}

/* No other share needs the room that is left: also those go on that have little to read, as long as there is plenty. */
static void serve_still(struct sp_socket *socket)
{
    struct sp_receive_room *self = &socket->room;
    struct sp_room_share *share;

    for (int i = 0; i < LOOK_LIMIT && (share = first_in(self, SP_ROOM_STILL)) != NULL; i++) {
        if (is_nearly_full(socket, share->needed_bytes) || !try_bytes(socket, share, share->needed_bytes))
            return;
        go_on(self, share);
    }
}

static void room_look(struct sp_socket *socket)
{
    struct sp_receive_room *self = &socket->room;

    look_at_still(socket);
    serve(socket);
    bool was_blocked = self->is_blocked;
    if (was_blocked || is_nearly_full(socket, 0)) {
        take_back(self);
        serve(socket);
    }
    if (!was_blocked)
        serve_still(socket);
    if (has_waiting(self) || is_nearly_full(socket, 0))
        look_soon(self);
}

static void room_handle_timer(struct sp_timer *timer)
{
    struct sp_socket *socket = SP_CONTAINER(timer, struct sp_socket, room.timer);

    sp_socket_lock(socket);
    if (sp_timer_is_due(timer))
        room_look(socket);
    sp_socket_unlock(socket);
}

int sp_room_init(struct sp_receive_room *self, struct sp_loop *loop)
{
    for (int i = 0; i < SP_ROOM_STATES; i++)
        sp_list_init(&self->lists[i]);
    return sp_timer_init(&self->timer, loop, room_handle_timer);
}

void sp_room_destroy(struct sp_receive_room *self)
{
    SP_INVARIANT(sp_room_bytes(self) == 0 && self->used_shares == 0,
                 "a socket ends with memory of unfinished messages");
    sp_timer_destroy(&self->timer);
}
