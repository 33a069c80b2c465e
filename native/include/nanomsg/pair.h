/* PAIR: messages between exactly two peers. */
#ifndef PAIR_H_INCLUDED
#define PAIR_H_INCLUDED

#include <nanomsg/nn.h>

#define NN_PROTO_PAIR 1

#define NN_PAIR (NN_PROTO_PAIR * 16 + 0)

#endif
