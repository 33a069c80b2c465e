/* Descriptors: small integers that lead to sockets. A look-up takes no lock.
 *
 * A number is used again, and each time its slot has another generation, which socket->generation holds: number and
 * generation name one socket of the process's life (until a number has been used 2^32 times). What keeps a number for
 * longer than its user does, keeps both.
 *
 * Every function that takes a number takes a handle as well: a number above all others, in which a mark of the
 * generation stands beside the socket's own number. It is -EBADF as soon as its socket is closed, also when another
 * socket has the number by then (the mark comes again after 32,767 sockets with the same number). */
#ifndef SP_CORE_SOCKET_TABLE_H
#define SP_CORE_SOCKET_TABLE_H

#include "core/socket.h"

/* Gives the socket a descriptor; the table holds one reference until the descriptor is closed and no call uses
 * it any more. Returns it or -EMFILE, -ENOMEM. */
int sp_table_insert(struct sp_socket *socket);

/* Makes the descriptor invalid for new calls, and keeps the socket until sp_socket_release as
 * sp_socket_acquire does. Returns 0, or -EBADF when it is closed already. */
int sp_table_remove(int s, struct sp_socket **out);

/* The same for a socket of which the caller has a reference, and which may have been closed: another socket may have
 * its number by now. */
int sp_table_remove_this(struct sp_socket *socket);

/* The handle of a socket that has a descriptor. */
int sp_table_handle(const struct sp_socket *socket);

/* One more than the highest descriptor ever handed out. */
int sp_table_end(void);

#endif
