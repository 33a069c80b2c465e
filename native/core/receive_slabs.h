/* Slabs: memory that connections of a loop read into, one after the other. */
#ifndef SP_CORE_RECEIVE_SLABS_H
#define SP_CORE_RECEIVE_SLABS_H

#include "core/loop_state.h"

/* Takes a slab with at least this room, at most 256 KiB; the caller owns it until sp_slab_give. Returns 0 or -ENOMEM.
 * */
int sp_slab_take(struct nn_loop *loop, struct sp_slab *slab, size_t min_room_bytes);
void sp_slab_give(struct nn_loop *loop, struct sp_slab *slab);

#endif
