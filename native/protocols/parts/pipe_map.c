/* A hash table with chains. Ids of pipes are consecutive numbers, so their low bits are a good hash. */
#include "protocols/parts/pipe_map.h"

#include "util/memory.h"

void sp_pipe_map_init(struct sp_pipe_map *self)
{
    self->buckets = self->first_buckets;
    self->bucket_count = SP_PIPE_MAP_FIRST_BUCKETS;
    self->pipe_count = 0;
}

void sp_pipe_map_destroy(struct sp_pipe_map *self)
{
    if (self->buckets != self->first_buckets)
        sp_free(self->buckets);
}

static struct sp_pipe_map_slot **pipe_map_bucket(const struct sp_pipe_map *self, uint32_t id)
{
    return &self->buckets[id & (self->bucket_count - 1)];
}

static void pipe_map_insert(struct sp_pipe_map *self, struct sp_pipe_map_slot *slot)
{
    struct sp_pipe_map_slot **bucket = pipe_map_bucket(self, slot->id);

    slot->next = *bucket;
    *bucket = slot;
}

static void pipe_map_grow(struct sp_pipe_map *self)
{
    struct sp_pipe_map_slot **old_buckets = self->buckets;
    size_t old_count = self->bucket_count;
    struct sp_pipe_map_slot **buckets = sp_zalloc(2 * old_count * sizeof *buckets);

    if (buckets == NULL)
        return;
    self->buckets = buckets;
    self->bucket_count = 2 * old_count;
    for (size_t index = 0; index < old_count; index++) {
        struct sp_pipe_map_slot *slot = old_buckets[index];
        while (slot != NULL) {
            struct sp_pipe_map_slot *next = slot->next;
            pipe_map_insert(self, slot);
            slot = next;
        }
    }
    if (old_buckets != self->first_buckets)
        sp_free(old_buckets);
}

void sp_pipe_map_add(struct sp_pipe_map *self, struct sp_pipe_map_slot *slot, struct nn_pipe *pipe)
{
    slot->pipe = pipe;
    slot->id = nn_pipe_id(pipe);
    if (self->pipe_count >= self->bucket_count)
        pipe_map_grow(self);
    pipe_map_insert(self, slot);
    self->pipe_count++;
}

void sp_pipe_map_remove(struct sp_pipe_map *self, struct sp_pipe_map_slot *slot)
{
    struct sp_pipe_map_slot **link = pipe_map_bucket(self, slot->id);

    while (*link != slot)
        link = &(*link)->next;
    *link = slot->next;
    self->pipe_count--;
}

struct nn_pipe *sp_pipe_map_find(const struct sp_pipe_map *self, uint32_t id)
{
    struct sp_pipe_map_slot *slot = *pipe_map_bucket(self, id);

    while (slot != NULL && slot->id != id)
        slot = slot->next;
    return slot != NULL ? slot->pipe : NULL;
}
