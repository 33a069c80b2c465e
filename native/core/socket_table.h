/* Descriptors: small integers that lead to sockets. A look-up takes no lock.
 *
 * A number is used again, and each time its slot has another generation, which socket->generation tells: number and
 * generation name one socket of the process's life (until a number has been used 2^32 times). Whoever keeps a number for
 * longer than its user does, keeps both. */
#ifndef SP_CORE_SOCKET_TABLE_H
#define SP_CORE_SOCKET_TABLE_H

#include "core/socket.h"

/* Gives the socket a descriptor; the table holds one reference until the descriptor is closed and no call uses
 * it any more. Returns it or -EMFILE, -ENOMEM. */
int sp_table_insert(struct sp_socket *socket);

/* Makes the descriptor invalid for new calls, and keeps the socket until sp_socket_release as
 * sp_socket_acquire does. Returns 0, or -EBADF when it is closed already. */
int sp_table_remove(int s, struct sp_socket **out);

/* The same for a socket of which the caller has a reference, and which may have been closed: another socket may have its
 * number by now. */
int sp_table_remove_this(struct sp_socket *socket);

/* One more than the highest descriptor ever handed out. */
int sp_table_end(void);

#endif
