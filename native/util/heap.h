/* Binary heap of intrusive items, earliest key first. An item knows its place, so it can be removed. */
#ifndef SP_UTIL_HEAP_H
#define SP_UTIL_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sp_heap_item {
    uint64_t key;
    size_t place; /* index + 1; 0: in no heap */
};

struct sp_heap {
    struct sp_heap_item **items;
    size_t count;
    size_t capacity;
};

static inline bool sp_heap_is_linked(const struct sp_heap_item *item)
{
    return item->place != 0;
}

static inline struct sp_heap_item *sp_heap_first(const struct sp_heap *heap)
{
    return heap->count > 0 ? heap->items[0] : NULL;
}

/* Makes room for `count` items in all. Returns 0 or -ENOMEM. */
int sp_heap_reserve(struct sp_heap *heap, size_t count);
/* There must be room. */
void sp_heap_insert(struct sp_heap *heap, struct sp_heap_item *item, uint64_t key);
void sp_heap_remove(struct sp_heap *heap, struct sp_heap_item *item);
void sp_heap_destroy(struct sp_heap *heap);

#endif
