/* ipc://path: sockets of one machine. nn_bind creates a socket file, with the mode that the umask permits, and replaces
 * one that a dead process has left behind. It fails with EADDRINUSE if the path belongs to an open socket or is any
 * other file. */
#ifndef IPC_H_INCLUDED
#define IPC_H_INCLUDED

#include <nanomsg/nn.h>

#include <stdint.h>

#define NN_IPC (-2)

/* Options of level NN_IPC, for named pipes of Windows; without effect elsewhere. */
#define NN_IPC_SEC_ATTR 1
#define NN_IPC_OUTBUFSZ 2
#define NN_IPC_INBUFSZ 3

/* Option of level NN_IPC: int, 0 (default) or 1; also a type of control data. With 1, nn_recvmsg() adds a struct
 * nn_ipc_credentials of this level and type to each message that arrives by a local connection (ipc, abstract, socket):
 * the peer's process at the time of the connection. */
#define NN_IPC_CREDENTIALS 16

/* Options of level NN_IPC: int, default -1: as the process's umask, user and group have it. The mode (0 to 0777), user
 * and group of the socket files that nn_bind makes afterwards. They are set before any peer can connect; a process that
 * may not write to the file cannot. nn_bind fails with EPERM where the process may not give the file away. */
#define NN_IPC_MODE 17
#define NN_IPC_UID 18
#define NN_IPC_GID 19

struct nn_ipc_credentials {
    int32_t pid; /* 0: the process is not visible, for example in another PID namespace */
    uint32_t uid;
    uint32_t gid;
};

#endif
