/* Admission: peers that are held until the program has decided about them. Guarded by the socket's lock. */
#ifndef SP_CORE_ADMISSION_H
#define SP_CORE_ADMISSION_H

#include <nanomsg/loop.h>

#include "util/id_map.h"
#include "util/list.h"

struct nn_endpoint;
struct sp_peer_info;
struct sp_socket;

struct sp_candidate {
    struct sp_id_map_item by_id; /* in socket->candidates; the number of its pipe, when it gets one */
    struct sp_list_item item;    /* in socket->new_candidates, until it is taken */
    const struct nn_endpoint *endpoint;
    const struct sp_peer_info *info; /* NULL: there was no memory for it */
    bool is_held;
    /* The program has decided. refusal: NULL: the peer is admitted. */
    void (*decide)(struct sp_candidate *self, const char *refusal);
};

/* Holds a peer, whose other members are set, and tells the program. */
void sp_admission_hold(struct sp_socket *socket, struct sp_candidate *candidate);
/* It is held no longer; does nothing if it was not. */
void sp_admission_forget(struct sp_socket *socket, struct sp_candidate *candidate);

/* As nn_socket_next_candidate, nn_socket_admit and nn_socket_disconnect; return 0, 1 or -errno. They lock by
 * themselves. */
int sp_socket_next_candidate(struct sp_socket *socket, struct nn_event *event, int timeout_ms);
int sp_socket_admit(struct sp_socket *socket, uint32_t pipe, const char *refusal);
int sp_socket_disconnect(struct sp_socket *socket, uint32_t pipe);

#endif
