/* Descriptors. A slot's state counts the calls in progress and says whether the descriptor is open, and for which
 * time, in one word: the thread that brings the calls of a closed one to zero gives the slot and the table's reference
 * back. */
#include "core/socket_table.h"

#include "core/socket.h"
#include "core/socket_state.h"
#include "platform/fork.h"
#include "util/invariant.h"
#include "util/memory.h"

#include <errno.h>
#include <stdatomic.h>

#define PAGE_SLOTS 64
#define PAGES 1024
#define SLOT_MIN_BYTES 128

/* A handle: a mark of the generation, which is never 0, and the number (16 bits). */
#define HANDLE_MARK_SHIFT 16
#define HANDLE_NUMBER 0xffff
#define HANDLE_MARKS 0x7fff
_Static_assert(HANDLE_NUMBER + 1 == PAGES * PAGE_SLOTS, "a handle has room for every number");

/* The state: generation (32 bits), calls in progress (31 bits), whether it is open (1 bit). */
#define SLOT_IS_OPEN UINT64_C(1)
#define SLOT_ONE_CALL UINT64_C(2)
#define SLOT_IN_USE UINT64_C(0xffffffff)
#define SLOT_GENERATION_SHIFT 32

/* A closed number rests until this many others are free, so that a late use of it meets EBADF and not a
 * stranger's socket. */
#define RESTING_SLOTS 32

struct slot {
    _Atomic uint64_t state;
    struct sp_socket *socket;
    int number;    /* constant */
    bool is_taken; /* open, or calls are in progress */
    struct slot *next_free;
    char apart[SLOT_MIN_BYTES]; /* calls on other sockets, by other threads, count in other lines of memory */
};

/* Numbers below `next` are taken or in the list of free ones; those from there on have not been given since the count
 * began at `first`. */
static struct {
    struct sp_mutex lock; /* guards all but the slots' state */
    struct sp_once once;
    _Atomic(struct slot *) pages[PAGES];
    int first;               /* 0, but for forked children */
    int next;                /* goes back to `first` when no socket is open */
    atomic_int end;          /* one more than the highest number that was ever given */
    atomic_int open;         /* open descriptors */
    struct slot *first_free; /* first in, first out */
    struct slot *last_free;
    int free_count;
} table = {.once = SP_ONCE_INIT};

static struct slot *slot_of(int s)
{
    if (s < 0 || s >= PAGES * PAGE_SLOTS)
        return NULL;
    struct slot *page = atomic_load_explicit(&table.pages[s / PAGE_SLOTS], memory_order_acquire);
    return page != NULL ? &page[s % PAGE_SLOTS] : NULL;
}

static int mark_of(uint64_t state)
{
    return (int)((state >> SLOT_GENERATION_SHIFT) % HANDLE_MARKS) + 1;
}

static void forget_free(void)
{
    table.first_free = NULL;
    table.last_free = NULL;
    table.free_count = 0;
}

/* In a forked child: what the parent had open is closed here, and its numbers are not used again. */
static void table_after_fork(void)
{
    for (int s = 0; s < atomic_load(&table.end); s++) {
        struct slot *slot = slot_of(s);
        atomic_store(&slot->state, atomic_load(&slot->state) & ~SLOT_IN_USE);
    }
    forget_free();
    table.first = atomic_load(&table.end);
    table.next = table.first;
    atomic_store(&table.open, 0);
    sp_mutex_init(&table.lock, SP_RANK_TABLE);
}

static void table_init(void)
{
    sp_mutex_init(&table.lock, SP_RANK_TABLE);
    sp_fork_at_child(table_after_fork);
}

/* The slot of table.next, whose page is made if need be. Returns NULL when there is none, and *error says why. */
static struct slot *slot_at_next(int *error)
{
    int number = table.next;

    *error = -EMFILE;
    if (number >= PAGES * PAGE_SLOTS)
        return NULL;
    if (slot_of(number) == NULL) {
        struct slot *page = sp_zalloc(PAGE_SLOTS * sizeof *page);
        *error = -ENOMEM;
        if (page == NULL)
            return NULL;
        for (int i = 0; i < PAGE_SLOTS; i++)
            page[i].number = number / PAGE_SLOTS * PAGE_SLOTS + i;
        atomic_store_explicit(&table.pages[number / PAGE_SLOTS], page, memory_order_release);
    }
    table.next = number + 1;
    if (atomic_load(&table.end) < table.next)
        atomic_store(&table.end, table.next);
    return slot_of(number);
}

/* A number that was not used since the count began. A slot may be taken all the same, by calls that still have to
 * notice that their socket was closed before that. */
static struct slot *slot_fresh(int *error)
{
    struct slot *slot = slot_at_next(error);

    while (slot != NULL && slot->is_taken)
        slot = slot_at_next(error);
    return slot;
}

static struct slot *slot_recycled(void)
{
    struct slot *slot = table.first_free;

    if (slot == NULL)
        return NULL;
    table.first_free = slot->next_free;
    if (table.first_free == NULL)
        table.last_free = NULL;
    table.free_count--;
    return slot;
}

/* Chooses a slot. Called under the lock; returns NULL when there is none, and *error says why. */
static struct slot *slot_choose(int *error)
{
    struct slot *slot = NULL;

    /* Programs made for libnanomsg expect their first socket to be 0, also after all others were closed. Generations
     * tell what was before. */
    if (atomic_load(&table.open) == 0) {
        forget_free();
        table.next = table.first;
    }
    if (table.free_count >= RESTING_SLOTS)
        slot = slot_recycled();
    if (slot == NULL)
        slot = slot_fresh(error);
    if (slot == NULL)
        slot = slot_recycled();
    return slot;
}

int sp_table_insert(struct sp_socket *socket)
{
    int error = 0;

    sp_once_run(&table.once, table_init);
    sp_mutex_lock(&table.lock);
    struct slot *slot = slot_choose(&error);
    if (slot != NULL) {
        slot->is_taken = true;
        atomic_fetch_add(&table.open, 1);
    }
    sp_mutex_unlock(&table.lock);
    if (slot == NULL)
        return error;

    uint64_t generation = (atomic_load(&slot->state) >> SLOT_GENERATION_SHIFT) + 1;
    slot->socket = socket;
    socket->descriptor = slot->number;
    socket->generation = (uint32_t)generation;
    sp_socket_retain(socket);
    atomic_store_explicit(&slot->state, generation << SLOT_GENERATION_SHIFT | SLOT_IS_OPEN, memory_order_release);
    return slot->number;
}

static void slot_free(struct slot *slot)
{
    struct sp_socket *socket = slot->socket;

    sp_mutex_lock(&table.lock);
    slot->socket = NULL;
    slot->is_taken = false;
    slot->next_free = NULL;
    if (slot->number < table.next) { /* or else its turn comes */
        if (table.last_free != NULL)
            table.last_free->next_free = slot;
        else
            table.first_free = slot;
        table.last_free = slot;
        table.free_count++;
    }
    sp_mutex_unlock(&table.lock);

    sp_socket_release_reference(socket);
}

/* Counts a call in, if the descriptor is open, and has this generation unless that is NULL; `remove` also closes it. */
static int slot_enter(int s, const uint32_t *generation, uint64_t remove, struct sp_socket **out)
{
    struct slot *slot = s >= 0 ? slot_of(s & HANDLE_NUMBER) : NULL;
    int mark = s >> HANDLE_MARK_SHIFT;

    if (slot == NULL)
        return -EBADF;
    uint64_t state = atomic_load_explicit(&slot->state, memory_order_acquire);
    do {
        if (!(state & SLOT_IS_OPEN) || (mark != 0 && mark != mark_of(state)) ||
            (generation != NULL && state >> SLOT_GENERATION_SHIFT != *generation))
            return -EBADF;
    } while (!atomic_compare_exchange_weak_explicit(&slot->state, &state, (state + SLOT_ONE_CALL) & ~remove,
                                                    memory_order_acq_rel, memory_order_acquire));
    if (remove != 0)
        atomic_fetch_sub(&table.open, 1);
    *out = slot->socket;
    return 0;
}

int sp_socket_acquire(int s, struct sp_socket **out)
{
    return slot_enter(s, NULL, 0, out);
}

int sp_table_remove(int s, struct sp_socket **out)
{
    return slot_enter(s, NULL, SLOT_IS_OPEN, out);
}

int sp_table_remove_this(struct sp_socket *socket)
{
    struct sp_socket *removed;

    return slot_enter(socket->descriptor, &socket->generation, SLOT_IS_OPEN, &removed);
}

void sp_socket_release(struct sp_socket *self)
{
    struct slot *slot = slot_of(self->descriptor);
    uint64_t before = atomic_fetch_sub_explicit(&slot->state, SLOT_ONE_CALL, memory_order_acq_rel) & SLOT_IN_USE;

    SP_INVARIANT(before >= SLOT_ONE_CALL, "a socket is released that no call uses");
    if (before == SLOT_ONE_CALL)
        slot_free(slot);
}

int sp_table_handle(const struct sp_socket *socket)
{
    return mark_of((uint64_t)socket->generation << SLOT_GENERATION_SHIFT) << HANDLE_MARK_SHIFT | socket->descriptor;
}

int sp_table_end(void)
{
    return atomic_load(&table.end);
}
