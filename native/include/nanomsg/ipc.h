/* ipc://path: sockets of one machine. Binding makes a socket file with the mode that the umask leaves, and replaces the one
 * that a dead process has left; the origin of the path decides which file that is. EADDRINUSE: a living socket or any
 * other file has the path. */
#ifndef IPC_H_INCLUDED
#define IPC_H_INCLUDED

#include <nanomsg/nn.h>

#include <stdint.h>

#define NN_IPC (-2)

/* Options of level NN_IPC, for named pipes of Windows; without effect elsewhere. */
#define NN_IPC_SEC_ATTR 1
#define NN_IPC_OUTBUFSZ 2
#define NN_IPC_INBUFSZ 3

/* Option of level NN_IPC: int, 0 (default) or 1; and type of control data. With 1, nn_recvmsg() gives a struct
 * nn_ipc_credentials of this level and type with each message that came over a local connection (ipc, abstract, socket):
 * who the peer was when the connection was made. */
#define NN_IPC_CREDENTIALS 16

struct nn_ipc_credentials {
    int32_t pid; /* 0: of a process that cannot be seen from here, as in another PID namespace */
    uint32_t uid;
    uint32_t gid;
};

#endif
