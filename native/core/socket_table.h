/* Descriptors: small integers that lead to sockets. A look-up takes no lock. */
#ifndef SP_CORE_SOCKET_TABLE_H
#define SP_CORE_SOCKET_TABLE_H

#include "core/socket.h"

/* Gives the socket a descriptor; the table holds one reference until the descriptor is closed and no call uses
 * it any more. Returns it or -EMFILE, -ENOMEM. */
int sp_table_insert(struct sp_socket *socket);

/* Makes the descriptor invalid for new calls, and keeps the socket until sp_socket_release as
 * sp_socket_acquire does. Returns 0, or -EBADF when it is closed already. */
int sp_table_remove(int s, struct sp_socket **out);

/* One more than the highest descriptor ever handed out. */
int sp_table_end(void);

#endif
