/* ipc://path: sockets of one machine. */
#ifndef IPC_H_INCLUDED
#define IPC_H_INCLUDED

#include <nanomsg/nn.h>

#define NN_IPC (-2)

/* Options of level NN_IPC, for named pipes of Windows; without effect elsewhere. */
#define NN_IPC_SEC_ATTR 1
#define NN_IPC_OUTBUFSZ 2
#define NN_IPC_INBUFSZ 3

#endif
