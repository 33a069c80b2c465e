/* Waiting for several sockets at a time. */
#ifndef SP_CORE_INTEREST_H
#define SP_CORE_INTEREST_H

#include "core/socket.h"

/* What somebody waits for at one socket. */
struct sp_interest {
    struct sp_socket *socket; /* acquired by the caller; NULL: none, and nothing is waited for */
    int events;               /* NN_POLLIN | NN_POLLOUT; 0: nothing but that it is closed */
    int ready;                /* those of them that came true */
    struct sp_wait wait;
};

/* Sleeps until some interest is ready. Returns how many are, 0 when the deadline has come, -EBADF when one of the
 * sockets is closed, -EINTR, -ENOMEM. */
int sp_interests_wait(struct sp_interest *interests, int count, sp_time_ns deadline_ns);

/* Room for this many, all of them empty; NULL when memory is short. */
struct sp_interest *sp_interests_create(int count);
void sp_interests_destroy(struct sp_interest *interests);

#endif
