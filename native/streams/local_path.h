/* Socket files of ipc: a path has one owner at a time, however many processes bind it at once. */
#ifndef SP_STREAMS_LOCAL_PATH_H
#define SP_STREAMS_LOCAL_PATH_H

#include "streams/descriptor.h"

#include <sys/types.h>

/* Identifies the socket file that a listener has made, so that it removes no other. */
struct sp_local_file {
    dev_t device;
    ino_t inode; /* 0: none */
};

/* Returns 0 or -ENAMETOOLONG. Without a path the kernel chooses an abstract name. */
int sp_local_path_address(const char *path, struct sp_socket_address *address);

/* Makes a socket that listens at the path, and replaces the file that a dead process has left there. Returns the
 * descriptor, or -errno: -EADDRINUSE when a living socket or any other file has the path. */
int sp_local_path_listen(const char *path, const struct sp_options *options, struct sp_local_file *file);

/* Removes the path if it is still the listener's. The descriptor must be open: while it is, no other file can have the
 * inode, and no process takes the path for one that a dead process has left. */
void sp_local_path_remove(const char *path, const struct sp_local_file *file);

#endif
