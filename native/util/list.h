/* Intrusive doubly linked list: an item is a member of what it links, and knows whether it is linked. */
#ifndef SP_UTIL_LIST_H
#define SP_UTIL_LIST_H

#include <stdbool.h>
#include <stddef.h>

#define SP_CONTAINER(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))
#define SP_CONST_CONTAINER(pointer, type, member)                                                                      \
    ((const type *)(const void *)((const char *)(pointer)-offsetof(type, member)))

struct sp_list_item {
    struct sp_list_item *next; /* NULL: in no list */
    struct sp_list_item *previous;
};

/* The head is an item of its own: the list is a ring through it. */
struct sp_list {
    struct sp_list_item head;
};

static inline void sp_list_init(struct sp_list *list)
{
    list->head.next = &list->head;
    list->head.previous = &list->head;
}

static inline void sp_list_item_init(struct sp_list_item *item)
{
    item->next = NULL;
    item->previous = NULL;
}

static inline bool sp_list_is_linked(const struct sp_list_item *item)
{
    return item->next != NULL;
}

static inline bool sp_list_is_empty(const struct sp_list *list)
{
    return list->head.next == &list->head;
}

static inline struct sp_list_item *sp_list_first(const struct sp_list *list)
{
    return sp_list_is_empty(list) ? NULL : list->head.next;
}

static inline struct sp_list_item *sp_list_next(const struct sp_list *list, const struct sp_list_item *item)
{
    return item->next == &list->head ? NULL : item->next;
}

static inline void sp_list_append(struct sp_list *list, struct sp_list_item *item)
{
    item->next = &list->head;
    item->previous = list->head.previous;
    list->head.previous->next = item;
    list->head.previous = item;
}

static inline void sp_list_remove(struct sp_list_item *item)
{
    item->previous->next = item->next;
    item->next->previous = item->previous;
    sp_list_item_init(item);
}

static inline struct sp_list_item *sp_list_pop(struct sp_list *list)
{
    struct sp_list_item *item = sp_list_first(list);

    if (item != NULL)
        sp_list_remove(item);
    return item;
}

/* Moves all items of `from` to the end of `to`. */
static inline void sp_list_move(struct sp_list *to, struct sp_list *from)
{
    if (sp_list_is_empty(from))
        return;
    from->head.next->previous = to->head.previous;
    to->head.previous->next = from->head.next;
    from->head.previous->next = &to->head;
    to->head.previous = from->head.previous;
    sp_list_init(from);
}

#endif
