/* Binary heap of intrusive items. */
#include "util/heap.h"

#include "util/memory.h"

#include <errno.h>

static void heap_put(struct sp_heap *heap, size_t index, struct sp_heap_item *item)
{
    heap->items[index] = item;
    item->place = index + 1;
}

static void heap_sift_up(struct sp_heap *heap, size_t index)
{
    struct sp_heap_item *item = heap->items[index];

    while (index > 0) {
        size_t parent = (index - 1) / 2;
        if (heap->items[parent]->key <= item->key)
            break;
        heap_put(heap, index, heap->items[parent]);
        index = parent;
    }
    heap_put(heap, index, item);
}

static void heap_sift_down(struct sp_heap *heap, size_t index)
{
    struct sp_heap_item *item = heap->items[index];

    for (;;) {
        size_t child = 2 * index + 1;
        if (child >= heap->count)
            break;
        if (child + 1 < heap->count && heap->items[child + 1]->key < heap->items[child]->key)
            child++;
        if (item->key <= heap->items[child]->key)
            break;
        heap_put(heap, index, heap->items[child]);
        index = child;
    }
    heap_put(heap, index, item);
}

int sp_heap_reserve(struct sp_heap *heap, size_t count)
{
    size_t capacity = heap->capacity > 0 ? heap->capacity : 16;

    if (count <= heap->capacity)
        return 0;
    while (capacity < count)
        capacity *= 2;

    struct sp_heap_item **items = sp_realloc(heap->items, capacity * sizeof *items);
    if (items == NULL)
        return -ENOMEM;
    heap->items = items;
    heap->capacity = capacity;
    return 0;
}

void sp_heap_insert(struct sp_heap *heap, struct sp_heap_item *item, uint64_t key)
{
    item->key = key;
    heap_put(heap, heap->count++, item);
    heap_sift_up(heap, heap->count - 1);
}

void sp_heap_remove(struct sp_heap *heap, struct sp_heap_item *item)
{
    size_t index = item->place - 1;
    struct sp_heap_item *last = heap->items[--heap->count];

    item->place = 0;
    if (last == item)
        return;
    heap_put(heap, index, last);
    heap_sift_up(heap, index);
    heap_sift_down(heap, last->place - 1);
}

void sp_heap_destroy(struct sp_heap *heap)
{
    sp_free(heap->items);
    heap->items = NULL;
    heap->count = 0;
    heap->capacity = 0;
}
