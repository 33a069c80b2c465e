/* Descriptors. A slot's state counts the calls in progress and tells whether the descriptor is open, in one
 * word: who brings it to zero (closed, no calls) gives the slot and the table's reference back. */
#include "core/socket_table.h"

#include "core/socket_internal.h"

#include "util/fork.h"
#include "util/memory.h"

#include <errno.h>
#include <stdatomic.h>

#define PAGE_SLOTS 64
#define PAGES 1024
#define SLOT_IS_OPEN 1u
#define SLOT_ONE_CALL 2u
#define SLOT_LEAST_BYTES 128

/* A closed number rests until this many others are free, so that a late use of it meets EBADF and not a
 * stranger's socket. */
#define RESTING_SLOTS 32

struct slot {
    atomic_uint state;
    struct sp_socket *socket;
    int number;
    struct slot *next_free;
    char apart[SLOT_LEAST_BYTES]; /* calls on other sockets, by other threads, count in other lines of memory */
};

static struct {
    struct sp_mutex lock; /* guards all but the slots' state */
    pthread_once_t once;
    _Atomic(struct slot *) pages[PAGES];
    atomic_int end;
    struct slot *first_free; /* first in, first out */
    struct slot *last_free;
    int free_count;
} table = {.once = PTHREAD_ONCE_INIT};

static struct slot *slot_of(int s)
{
    if (s < 0 || s >= PAGES * PAGE_SLOTS)
        return NULL;
    struct slot *page = atomic_load_explicit(&table.pages[s / PAGE_SLOTS], memory_order_acquire);
    return page != NULL ? &page[s % PAGE_SLOTS] : NULL;
}

/* In a forked child: what the parent had open is closed here, and its numbers are not used again. */
static void table_leave(void)
{
    for (int s = 0; s < atomic_load(&table.end); s++)
        atomic_store(&slot_of(s)->state, 0);
    table.first_free = NULL;
    table.last_free = NULL;
    table.free_count = 0;
    sp_mutex_init(&table.lock, SP_RANK_TABLE);
}

static void table_init(void)
{
    sp_mutex_init(&table.lock, SP_RANK_TABLE);
    sp_fork_at_child(table_leave);
}

/* A number that was never used. Called under the lock; NULL when there is none, *error tells why. */
static struct slot *slot_fresh(int *error)
{
    int number = atomic_load(&table.end);

    *error = -EMFILE;
    if (number >= PAGES * PAGE_SLOTS)
        return NULL;
    if (number % PAGE_SLOTS == 0 && slot_of(number) == NULL) {
        struct slot *page = sp_zalloc(PAGE_SLOTS * sizeof *page);
        *error = -ENOMEM;
        if (page == NULL)
            return NULL;
        atomic_store_explicit(&table.pages[number / PAGE_SLOTS], page, memory_order_release);
    }
    atomic_store(&table.end, number + 1);

    struct slot *slot = slot_of(number);
    slot->number = number;
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

int sp_table_insert(struct sp_socket *socket)
{
    int error = 0;
    struct slot *slot = NULL;

    pthread_once(&table.once, table_init);
    sp_mutex_lock(&table.lock);
    if (table.free_count >= RESTING_SLOTS)
        slot = slot_recycled();
    if (slot == NULL)
        slot = slot_fresh(&error);
    if (slot == NULL)
        slot = slot_recycled();
    sp_mutex_unlock(&table.lock);
    if (slot == NULL)
        return error;

    slot->socket = socket;
    socket->descriptor = slot->number;
    sp_socket_retain(socket);
    atomic_store_explicit(&slot->state, SLOT_IS_OPEN, memory_order_release);
    return slot->number;
}

static void slot_free(struct slot *slot)
{
    struct sp_socket *socket = slot->socket;

    sp_mutex_lock(&table.lock);
    slot->socket = NULL;
    slot->next_free = NULL;
    if (table.last_free != NULL)
        table.last_free->next_free = slot;
    else
        table.first_free = slot;
    table.last_free = slot;
    table.free_count++;
    sp_mutex_unlock(&table.lock);

    sp_socket_release_reference(socket);
}

/* Counts a call in, if the descriptor is open; `remove` also closes it. */
static int slot_enter(int s, unsigned remove, struct sp_socket **out)
{
    struct slot *slot = slot_of(s);

    if (slot == NULL)
        return -EBADF;
    unsigned state = atomic_load_explicit(&slot->state, memory_order_acquire);
    do {
        if (!(state & SLOT_IS_OPEN))
            return -EBADF;
    } while (!atomic_compare_exchange_weak_explicit(&slot->state, &state, (state + SLOT_ONE_CALL) & ~remove,
                                                    memory_order_acq_rel, memory_order_acquire));
    *out = slot->socket;
    return 0;
}

int sp_socket_acquire(int s, struct sp_socket **out)
{
    return slot_enter(s, 0, out);
}

int sp_table_remove(int s, struct sp_socket **out)
{
    return slot_enter(s, SLOT_IS_OPEN, out);
}

void sp_socket_release(struct sp_socket *self)
{
    struct slot *slot = slot_of(self->descriptor);

    if (atomic_fetch_sub_explicit(&slot->state, SLOT_ONE_CALL, memory_order_acq_rel) == SLOT_ONE_CALL)
        slot_free(slot);
}

int sp_table_end(void)
{
    return atomic_load(&table.end);
}
