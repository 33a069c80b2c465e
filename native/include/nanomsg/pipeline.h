/* PUSH and PULL: work shared out among several workers. */
#ifndef PIPELINE_H_INCLUDED
#define PIPELINE_H_INCLUDED

#include <nanomsg/nn.h>

#define NN_PROTO_PIPELINE 5

#define NN_PUSH (NN_PROTO_PIPELINE * 16 + 0)
#define NN_PULL (NN_PROTO_PIPELINE * 16 + 1)

#endif
