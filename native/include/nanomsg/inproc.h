/* inproc://name: sockets of one process. */
#ifndef INPROC_H_INCLUDED
#define INPROC_H_INCLUDED

#include <nanomsg/nn.h>

#define NN_INPROC (-1)

#endif
