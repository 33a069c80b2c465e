/* Descriptors of the engine: each is noted when it is opened, so that a forked child can close its copy, and each is
 * closed in programs that the process executes. Those of sockets do not block. */
#ifndef SP_PLATFORM_DESCRIPTOR_H
#define SP_PLATFORM_DESCRIPTOR_H

#include "platform/net.h"

#include <stdbool.h>

/* Notes a descriptor that was opened elsewhere; a negative number is passed through. */
int sp_fd_opened(int fd);
/* Closes it. */
void sp_fd_close(int fd);

/* Return a descriptor or -errno. */
int sp_fd_socket(int family);                            /* a stream socket */
int sp_fd_accept(int fd, struct sockaddr_storage *peer); /* the next waiting peer; its address */
int sp_fd_duplicate(int fd);                             /* one of our own for a socket that the user has opened */

/* Functions such as getaddrinfo() and if_nametoindex() find nothing where no descriptor is left for their files and
 * sockets, and do not report why. Returns -EMFILE or -ENFILE where that is so, or 0. */
int sp_fd_shortage(void);

/* Locks an open file against all other descriptors of it, also of other processes, until it is closed. Returns 0,
 * -EWOULDBLOCK when another one has the lock, or another -errno. */
int sp_fd_lock(int fd);

/* Whether local sockets can have names that are in no file system. */
bool sp_fd_has_abstract_names(void);

struct sp_peer_process {
    int pid;
    unsigned uid;
    unsigned gid;
};

/* The process at the other end of a connection within this machine. Returns false for any other. */
bool sp_fd_peer_process(int fd, struct sp_peer_process *process);

#endif
