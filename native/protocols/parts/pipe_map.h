/* From a pipe's id to the pipe, in constant time: an answer names its pipe by id, because the pipe may be
 * gone by then. */
#ifndef SP_PROTOCOLS_PARTS_PIPE_MAP_H
#define SP_PROTOCOLS_PARTS_PIPE_MAP_H

#include <nanomsg/protocol.h>

#define SP_PIPE_MAP_FIRST_BUCKETS 16

/* A pipe's place; lives in the pipe's private part. */
struct sp_pipe_map_slot {
    struct sp_pipe_map_slot *next;
    struct nn_pipe *pipe;
    uint32_t id;
};

struct sp_pipe_map {
    struct sp_pipe_map_slot **buckets; /* a power of two; owned unless it is first_buckets */
    size_t bucket_count;
    size_t pipe_count;
    struct sp_pipe_map_slot *first_buckets[SP_PIPE_MAP_FIRST_BUCKETS];
};

void sp_pipe_map_init(struct sp_pipe_map *self);
void sp_pipe_map_destroy(struct sp_pipe_map *self);

/* Cannot fail: without memory for more buckets it goes on, slower, with those it has. */
void sp_pipe_map_add(struct sp_pipe_map *self, struct sp_pipe_map_slot *slot, struct nn_pipe *pipe);
void sp_pipe_map_remove(struct sp_pipe_map *self, struct sp_pipe_map_slot *slot);

/* The pipe, or NULL. */
struct nn_pipe *sp_pipe_map_find(const struct sp_pipe_map *self, uint32_t id);

#endif
