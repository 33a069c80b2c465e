/* A radix tree. Nothing recurses: its depth is the user's choice. */
#include "protocols/parts/subscriptions.h"

#include "util/memory.h"

#include <errno.h>
#include <string.h>

#define FIRST_CHILD_CAPACITY 2
#define MAX_SCANNED_CHILDREN 8 /* up to here a loop finds one sooner than memchr, which has to be called */

/* ---- Nodes ---- */

/* A node without children. The label is up to two pieces put together. */
static struct sp_subscription_node *node_create(const uint8_t *head, size_t head_bytes, const uint8_t *tail,
                                                size_t tail_bytes)
{
    struct sp_subscription_node *node = sp_zalloc(sizeof *node + head_bytes + tail_bytes);

    if (node == NULL)
        return NULL;
    uint8_t *label = (uint8_t *)(node + 1);
    memcpy(label, head, head_bytes);
    if (tail_bytes > 0)
        memcpy(label + head_bytes, tail, tail_bytes);
    node->label = label;
    node->label_bytes = head_bytes + tail_bytes;
    return node;
}

static void node_destroy(struct sp_subscription_node *node)
{
    sp_free(node->children);
    sp_free(node);
}

/* Replaces the node by one with another label, which may lie in the node's own. Returns NULL, with nothing
 * changed, when memory is short. */
static struct sp_subscription_node *node_relabel(struct sp_subscription_node *node, const uint8_t *head,
                                                 size_t head_bytes, const uint8_t *tail, size_t tail_bytes)
{
    struct sp_subscription_node *replacement = node_create(head, head_bytes, tail, tail_bytes);

    if (replacement == NULL)
        return NULL;
    replacement->use = node->use;
    replacement->children = node->children;
    replacement->child_count = node->child_count;
    replacement->child_capacity = node->child_capacity;
    sp_free(node);
    return replacement;
}

/* Takes the first bytes off the label; when memory is short they stay where they are, unused. */
static struct sp_subscription_node *node_shorten(struct sp_subscription_node *node, size_t count)
{
    struct sp_subscription_node *shorter = node_relabel(node, node->label + count, node->label_bytes - count, NULL, 0);

    if (shorter != NULL)
        return shorter;
    node->label += count;
    node->label_bytes -= count;
    return node;
}

static uint8_t *node_first_bytes(const struct sp_subscription_node *node)
{
    return (uint8_t *)(node->children + node->child_capacity);
}

/* The place of the child whose label begins with `byte`, or child_count. */
static size_t node_find(const struct sp_subscription_node *node, uint8_t byte)
{
    if (node->child_count == 0)
        return 0;

    const uint8_t *first_bytes = node_first_bytes(node);
    if (node->child_count <= MAX_SCANNED_CHILDREN) {
        size_t place = 0;
        while (place < node->child_count && first_bytes[place] != byte)
            place++;
        return place;
    }
    const uint8_t *found = memchr(first_bytes, byte, node->child_count);
    return found != NULL ? (size_t)(found - first_bytes) : node->child_count;
}

/* The child that leads on with these bytes, or NULL when none has all of its label in them. */
static struct sp_subscription_node *node_step(const struct sp_subscription_node *node, const uint8_t *bytes,
                                              size_t count)
{
    size_t place = node_find(node, bytes[0]);

    if (place == node->child_count)
        return NULL;
    struct sp_subscription_node *child = node->children[place];
    if (child->label_bytes == 1) /* its first byte is known to be the same */
        return child;
    if (child->label_bytes > count || memcmp(child->label, bytes, child->label_bytes) != 0)
        return NULL;
    return child;
}

/* Makes room for `capacity` children, which may be fewer than before. Returns 0 or -ENOMEM, unchanged. */
static int node_resize(struct sp_subscription_node *node, size_t capacity)
{
    struct sp_subscription_node **children = sp_zalloc(capacity * (sizeof *children + 1));

    if (children == NULL)
        return -ENOMEM;
    if (node->child_count > 0) {
        memcpy(children, node->children, node->child_count * sizeof *children);
        memcpy(children + capacity, node_first_bytes(node), node->child_count);
    }
    sp_free(node->children);
    node->children = children;
    node->child_capacity = (uint16_t)capacity;
    return 0;
}

static void node_put(struct sp_subscription_node *node, size_t place, struct sp_subscription_node *child)
{
    node->children[place] = child;
    node_first_bytes(node)[place] = child->label[0];
}

static int node_append(struct sp_subscription_node *node, struct sp_subscription_node *child)
{
    int rc = 0;

    if (node->child_count == node->child_capacity)
        rc = node_resize(node, node->child_count == 0 ? FIRST_CHILD_CAPACITY : 2 * (size_t)node->child_count);
    if (rc == 0)
        node_put(node, node->child_count++, child);
    return rc;
}

static void node_remove(struct sp_subscription_node *node, const struct sp_subscription_node *child)
{
    size_t place = node_find(node, child->label[0]);
    size_t last = --node->child_count;

    if (place < last)
        node_put(node, place, node->children[last]);
    if (last == 0) {
        sp_free(node->children);
        node->children = NULL;
        node->child_capacity = 0;
    } else if (node->child_capacity >= 4 * last && node->child_capacity > FIRST_CHILD_CAPACITY) {
        (void)node_resize(node, node->child_capacity / 2); /* not enough memory to save some: no harm */
    }
}

/* ---- Adding ---- */

static int subscriptions_add_leaf(struct sp_subscription_node *parent, const uint8_t *rest, size_t rest_bytes)
{
    struct sp_subscription_node *leaf = node_create(rest, rest_bytes, NULL, 0);

    if (leaf == NULL)
        return -ENOMEM;
    leaf->use.references = 1;
    int rc = node_append(parent, leaf);
    if (rc < 0)
        node_destroy(leaf);
    return rc;
}

/* Puts a node between `parent` and its child at `place`, where the child's label and the rest of a new
 * prefix part after `common` bytes: the new prefix ends there or goes on in a leaf beside the child. */
static int subscriptions_fork(struct sp_subscription_node *parent, size_t place, size_t common, const uint8_t *rest,
                              size_t rest_bytes)
{
    struct sp_subscription_node *child = parent->children[place];
    struct sp_subscription_node *fork = node_create(rest, common, NULL, 0);

    if (fork == NULL)
        return -ENOMEM;

    int rc = node_resize(fork, FIRST_CHILD_CAPACITY);
    if (rc == 0 && rest_bytes > common)
        rc = subscriptions_add_leaf(fork, rest + common, rest_bytes - common);
    if (rc < 0) {
        node_destroy(fork);
        return rc;
    }

    if (rest_bytes == common)
        fork->use.references = 1;
    (void)node_append(fork, node_shorten(child, common)); /* there is room for two */
    node_put(parent, place, fork);
    return 0;
}

static size_t subscriptions_common_bytes(const struct sp_subscription_node *node, const uint8_t *bytes, size_t count)
{
    size_t common = 0;

    while (common < node->label_bytes && common < count && node->label[common] == bytes[common])
        common++;
    return common;
}

static int subscriptions_add_reference(struct sp_subscription_node *node, const uint8_t *prefix, size_t prefix_bytes)
{
    while (prefix_bytes > 0) {
        size_t place = node_find(node, prefix[0]);
        if (place == node->child_count)
            return subscriptions_add_leaf(node, prefix, prefix_bytes);

        struct sp_subscription_node *child = node->children[place];
        size_t common = subscriptions_common_bytes(child, prefix, prefix_bytes);
        if (common < child->label_bytes)
            return subscriptions_fork(node, place, common, prefix, prefix_bytes);

        prefix += common;
        prefix_bytes -= common;
        node = child;
    }
    node->use.references++;
    return 0;
}

int sp_subscriptions_add(struct sp_subscriptions *self, const uint8_t *prefix, size_t prefix_bytes)
{
    int rc = subscriptions_add_reference(&self->root, prefix, prefix_bytes);

    if (rc == 0)
        self->count++;
    return rc;
}

/* ---- Removing ---- */

/* Joins a node that has become a mere way to its only child with that child. Without memory for the
 * longer label it stays: the tree is right, if not as small as it could be. */
static void subscriptions_join(struct sp_subscription_node *parent, struct sp_subscription_node *node)
{
    struct sp_subscription_node *child = node->children[0];
    struct sp_subscription_node *joined =
        node_relabel(child, node->label, node->label_bytes, child->label, child->label_bytes);

    if (joined == NULL)
        return;
    node_put(parent, node_find(parent, node->label[0]), joined);
    node_destroy(node);
}

/* Removes what is of no use any more after the last subscription of `node` has gone. */
static void subscriptions_prune(struct sp_subscription_node *grandparent, struct sp_subscription_node *parent,
                                struct sp_subscription_node *node)
{
    if (node->child_count == 0) {
        node_remove(parent, node);
        node_destroy(node);
        node = parent;
        parent = grandparent;
    }
    if (parent != NULL && node->use.references == 0 && node->child_count == 1)
        subscriptions_join(parent, node);
}

bool sp_subscriptions_remove(struct sp_subscriptions *self, const uint8_t *prefix, size_t prefix_bytes)
{
    struct sp_subscription_node *grandparent = NULL;
    struct sp_subscription_node *parent = NULL;
    struct sp_subscription_node *node = &self->root;

    while (prefix_bytes > 0) {
        struct sp_subscription_node *child = node_step(node, prefix, prefix_bytes);
        if (child == NULL)
            return false;
        prefix += child->label_bytes;
        prefix_bytes -= child->label_bytes;
        grandparent = parent;
        parent = node;
        node = child;
    }

    if (node->use.references == 0)
        return false;
    self->count--;
    if (--node->use.references > 0)
        return false;
    if (parent != NULL)
        subscriptions_prune(grandparent, parent, node);
    return true;
}

void sp_subscriptions_destroy(struct sp_subscriptions *self)
{
    struct sp_subscription_node *to_free = NULL;
    struct sp_subscription_node *node = &self->root;

    do {
        for (size_t place = 0; place < node->child_count; place++) {
            node->children[place]->use.next_to_free = to_free;
            to_free = node->children[place];
        }
        sp_free(node->children);
        if (node != &self->root)
            sp_free(node);
        node = to_free;
        if (node != NULL)
            to_free = node->use.next_to_free;
    } while (node != NULL);
    memset(self, 0, sizeof *self);
}

/* ---- Matching ---- */

bool sp_subscriptions_match(const struct sp_subscriptions *self, const uint8_t *body, size_t body_bytes)
{
    const struct sp_subscription_node *node = &self->root;

    while (node->use.references == 0) {
        if (body_bytes == 0)
            return false;
        node = node_step(node, body, body_bytes);
        if (node == NULL)
            return false;
        body += node->label_bytes;
        body_bytes -= node->label_bytes;
    }
    return true;
}
