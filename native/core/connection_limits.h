/* How many connections a socket's listeners may have: in all, from one address, for one endpoint; and how many of them
 * may be before the end of their handshake. Each has a place from the moment it is accepted until its descriptor is
 * closed; the numbers count it from then on, or where a peer says only in the handshake which socket it wants, from the
 * handshake's end on. Guarded by the socket's lock.
 *
 * A connection beyond these numbers is turned away at once: its dialer learns it, and backs off. But strangers
 * that say nothing must not use the numbers up: of a socket and an endpoint, handshakes that are old enough give way
 * first. A handshake beyond their number takes the place of the oldest one. Honest peers are done within the time of a
 * packet there and back, so the oldest is most likely a stranger that says nothing; if accepting waited instead, such
 * strangers would keep all peers out. But no handshake gives way in its first 50 ms: accepting waits as long, so that
 * many peers that come at once do not push each other out. */
#ifndef SP_CORE_CONNECTION_LIMITS_H
#define SP_CORE_CONNECTION_LIMITS_H

#include "platform/clock.h"
#include "util/id_map.h"
#include "util/list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nn_endpoint;
struct sp_address_count;
struct sp_socket;

/* What counts as one address: of IPv6 the first half, since a host with one address has a network of 2^64 of them; of
 * IPv4 all of it, behind zeros. */
#define SP_NETWORK_BYTES 8

/* A connection's place among those that count, as long as it has its descriptor. */
struct sp_limits_place {
    struct sp_address_count *from; /* NULL: it has no address */
    bool is_counted;
};

/* What there is besides until its handshake is done. */
struct sp_limits_handshake {
    struct sp_list_item item; /* in the list of handshakes */
    const struct nn_endpoint *endpoint;
    const struct sp_limits_place *place;
    sp_time_ns begun_ns;
    /* The handshake gives way to a newer one: ends the connection. */
    void (*give_way)(struct sp_limits_handshake *self);
};

struct sp_connection_limits {
    unsigned connections;
    unsigned handshakes;
    struct sp_list shaking;     /* oldest first */
    struct sp_id_map addresses; /* struct sp_address_count */
    uint64_t factor;            /* of their ids; odd */
};

void sp_limits_init(struct sp_connection_limits *self);
void sp_limits_destroy(struct sp_connection_limits *self);

/* A connection is counted, from a network of SP_NETWORK_BYTES unless that is NULL. Returns 0; -ENOMEM; or -EMLINK with
 * *problem set: it is one too many. */
int sp_limits_count(struct nn_endpoint *endpoint, struct sp_limits_place *place, const uint8_t *network,
                    const char **problem);
/* Its descriptor is closed. May be called if it was not counted. */
void sp_limits_leave(struct nn_endpoint *endpoint, struct sp_limits_place *place);
/* Its handshake begins, whose members `place` and `give_way` are set, and another one gives way if there are too many;
 * is over. The latter may be called if it has not begun. */
void sp_limits_begin(struct nn_endpoint *endpoint, struct sp_limits_handshake *handshake);
void sp_limits_end(struct nn_endpoint *endpoint, struct sp_limits_handshake *handshake);

/* Until when accepting waits, since there are as many handshakes as there may be and none is old enough to give way;
 * or 0. */
sp_time_ns sp_limits_waits_until(const struct sp_socket *socket);

#endif
