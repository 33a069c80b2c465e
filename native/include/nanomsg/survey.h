/* SURVEYOR and RESPONDENT: a question to all, answers until a deadline. */
#ifndef SURVEY_H_INCLUDED
#define SURVEY_H_INCLUDED

#include <nanomsg/nn.h>

#define NN_PROTO_SURVEY 6

/* Roles 0 and 1 were an older, incompatible version. */
#define NN_SURVEYOR (NN_PROTO_SURVEY * 16 + 2)
#define NN_RESPONDENT (NN_PROTO_SURVEY * 16 + 3)

/* Option of level NN_SURVEYOR: milliseconds (int, default 1000) for which answers count. */
#define NN_SURVEYOR_DEADLINE 1

#endif
