/* Waiting for several sockets at a time. */
#ifndef SP_CORE_POLL_ENTRY_H
#define SP_CORE_POLL_ENTRY_H

#include "core/socket.h"

/* What a call waits for at one socket. */
struct sp_poll_entry {
    struct sp_socket *socket; /* acquired by the caller; NULL: none, and nothing is waited for */
    int events;               /* NN_POLLIN | NN_POLLOUT; 0: nothing but that it is closed */
    int ready;                /* those of them that came true */
    struct sp_wait wait;
};

/* Sleeps until an entry is ready. Returns how many are, 0 when the deadline has come, -EBADF when one of the
 * sockets is closed, -EINTR, -ENOMEM. */
int sp_poll_entries_wait(struct sp_poll_entry *entries, int count, sp_time_ns deadline_ns);

/* Room for this many, all of them empty; NULL when memory is short. */
struct sp_poll_entry *sp_poll_entries_create(int count);
void sp_poll_entries_destroy(struct sp_poll_entry *entries);

#endif
