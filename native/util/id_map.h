/* From a number to what it names, in constant time: pipes, requests and contexts are named by numbers, because
 * what they name may be gone by then. */
#ifndef SP_UTIL_ID_MAP_H
#define SP_UTIL_ID_MAP_H

#include <stddef.h>
#include <stdint.h>

#define SP_ID_MAP_FIRST_BUCKETS 16

/* A member of what is named. */
struct sp_id_map_item {
    struct sp_id_map_item *next;
    uint32_t id;
};

struct sp_id_map {
    struct sp_id_map_item **buckets; /* a power of two; owned unless it is first_buckets */
    size_t bucket_count;
    size_t item_count;
    struct sp_id_map_item *first_buckets[SP_ID_MAP_FIRST_BUCKETS];
};

void sp_id_map_init(struct sp_id_map *self);
void sp_id_map_destroy(struct sp_id_map *self);

/* Cannot fail: without memory for more buckets it goes on, slower, with those it has. */
void sp_id_map_add(struct sp_id_map *self, struct sp_id_map_item *item, uint32_t id);
void sp_id_map_remove(struct sp_id_map *self, struct sp_id_map_item *item);

/* The item, or NULL. */
struct sp_id_map_item *sp_id_map_find(const struct sp_id_map *self, uint32_t id);

/* Takes everything out and hands each item to `release`. */
void sp_id_map_drain(struct sp_id_map *self, void (*release)(struct sp_id_map_item *, void *context), void *context);

#endif
