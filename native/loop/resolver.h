/* Host names to addresses, on a few threads of all loops, because the C library's resolver blocks. */
#ifndef SP_LOOP_RESOLVER_H
#define SP_LOOP_RESOLVER_H

#include "loop/loop.h"
#include "platform/net.h"

struct sp_resolution;

/* Called on the loop's thread without any lock, with 0 or -errno and the addresses, which are valid during the call
 * and NULL on failure. The resolution is over and its memory gone afterwards. It may come after another thread has
 * cancelled: compare `self` with the resolution that you wait for, under your own lock. */
typedef void sp_resolved(void *context, struct sp_resolution *self, int error, const struct addrinfo *found);

/* Begins to resolve; family is AF_INET or AF_UNSPEC. Returns NULL when memory or threads are short. */
struct sp_resolution *sp_resolve(struct sp_loop *loop, const char *host, int family, sp_resolved *done, void *context);

/* The answer is not wanted any more. A question that no thread has begun with costs nothing then. */
void sp_resolution_cancel(struct sp_resolution *self);

#endif
