/* Programs that a case starts and talks to by their input and output. */
#ifndef TEST_PEERS_H
#define TEST_PEERS_H

#include <stdio.h>
#include <sys/types.h>

struct peer {
    pid_t pid;
    int input;
    FILE *output;
};

/* Starts a program; its libraries are looked for in library_path first, unless that is NULL. */
struct peer peer_start(char *const arguments[], const char *library_path);

/* Waits for a line that says this. */
void peer_expect(struct peer *self, const char *line);

/* Ends the program's input, and checks that it ends well. */
void peer_finish(struct peer *self);

/* Ends a program that would run for ever. */
void peer_stop(struct peer *self);

#endif
