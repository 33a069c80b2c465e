/* A hash table with chains. Ids are consecutive or random numbers of our own, so their low bits are a good hash. */
#include "util/id_map.h"

#include "util/memory.h"

void sp_id_map_init(struct sp_id_map *self)
{
    *self = (struct sp_id_map){.bucket_count = SP_ID_MAP_FIRST_BUCKETS};
    self->buckets = self->first_buckets;
}

void sp_id_map_destroy(struct sp_id_map *self)
{
    if (self->buckets != self->first_buckets)
        sp_free(self->buckets);
}

static struct sp_id_map_item **id_map_bucket(const struct sp_id_map *self, uint32_t id)
{
    return &self->buckets[id & (self->bucket_count - 1)];
}

static void id_map_insert(struct sp_id_map *self, struct sp_id_map_item *item)
{
    struct sp_id_map_item **bucket = id_map_bucket(self, item->id);

    item->next = *bucket;
    *bucket = item;
}

static void id_map_grow(struct sp_id_map *self)
{
    struct sp_id_map_item **old_buckets = self->buckets;
    size_t old_count = self->bucket_count;
    struct sp_id_map_item **buckets = sp_zalloc(2 * old_count * sizeof *buckets);

    if (buckets == NULL)
        return;
    self->buckets = buckets;
    self->bucket_count = 2 * old_count;
    for (size_t index = 0; index < old_count; index++) {
        struct sp_id_map_item *item = old_buckets[index];
        while (item != NULL) {
            struct sp_id_map_item *next = item->next;
            id_map_insert(self, item);
            item = next;
        }
    }
    if (old_buckets != self->first_buckets)
        sp_free(old_buckets);
}

void sp_id_map_add(struct sp_id_map *self, struct sp_id_map_item *item, uint32_t id)
{
    item->id = id;
    if (self->item_count >= self->bucket_count)
        id_map_grow(self);
    id_map_insert(self, item);
    self->item_count++;
}

void sp_id_map_remove(struct sp_id_map *self, struct sp_id_map_item *item)
{
    struct sp_id_map_item **link = id_map_bucket(self, item->id);

    while (*link != item)
        link = &(*link)->next;
    *link = item->next;
    self->item_count--;
}

struct sp_id_map_item *sp_id_map_find(const struct sp_id_map *self, uint32_t id)
{
    struct sp_id_map_item *item = *id_map_bucket(self, id);

    while (item != NULL && item->id != id)
        item = item->next;
    return item;
}

void sp_id_map_drain(struct sp_id_map *self, void (*release)(struct sp_id_map_item *, void *), void *context)
{
    for (size_t index = 0; self->item_count > 0 && index < self->bucket_count; index++) {
        struct sp_id_map_item *item;
        while ((item = self->buckets[index]) != NULL) {
            self->buckets[index] = item->next;
            self->item_count--;
            release(item, context);
        }
    }
}
