/* The set of prefixes that a sub has subscribed to, as a radix tree. Matching follows the bytes of the
 * message, so its cost does not depend on the number of prefixes that do not match. Memory: at most two
 * nodes for each different prefix, and what bytes it shares with no other. */
#ifndef SP_PROTOCOLS_PARTS_SUBSCRIPTIONS_H
#define SP_PROTOCOLS_PARTS_SUBSCRIPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Below the root every node has a label, and either subscriptions of its own or two children. */
struct sp_subscription_node {
    union {
        size_t references; /* subscriptions to exactly the prefix that ends here */
        struct sp_subscription_node *next_to_free;
    } use;
    struct sp_subscription_node **children; /* child_capacity pointers; behind them their labels' first bytes */
    uint16_t child_count;
    uint16_t child_capacity;
    size_t label_bytes;
    const uint8_t *label; /* allocated with the node */
};

/* Valid when zeroed: no subscription, no message matches. */
struct sp_subscriptions {
    struct sp_subscription_node root;
    size_t count; /* additions that were not taken back */
};

void sp_subscriptions_destroy(struct sp_subscriptions *self);

/* Adds a prefix, or counts once more one that is there. Returns 0 or -ENOMEM, with nothing changed. */
int sp_subscriptions_add(struct sp_subscriptions *self, const uint8_t *prefix, size_t prefix_bytes);

/* Takes one addition back. Returns whether that was the last one and the prefix matches no more. */
bool sp_subscriptions_remove(struct sp_subscriptions *self, const uint8_t *prefix, size_t prefix_bytes);

/* Whether the body begins with any of the prefixes. */
bool sp_subscriptions_match(const struct sp_subscriptions *self, const uint8_t *body, size_t body_bytes);

#endif
