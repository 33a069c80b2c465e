/* What the C programs of the benchmark share: the command line, the meters, and how results are told. */
#ifndef BENCH_H_INCLUDED
#define BENCH_H_INCLUDED

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/** A library: its version, and the roles that it plays. None of these returns. */
struct bench_peer {
    const char *(*version)(void);
    void (*push)(const char *address);
    void (*pull)(const char *address);
    void (*req)(const char *address);
    void (*rep)(const char *address);
};

/** What every message consists of. */
extern uint8_t *bench_body;
extern size_t bench_body_bytes;

/** Tells that peers can connect now. */
void bench_listens(const char *address);
/** Counts a message that has arrived, once its content is checked. */
void bench_received(const void *bytes, size_t count);
/** The same for a reply: notes how long its round trip took. */
void bench_replied(const void *bytes, size_t count);

/** Ends the program with a message when `is_good` is false. */
#define BENCH_CHECK(is_good)                                                                                           \
    do {                                                                                                               \
        if (!(is_good))                                                                                                \
            bench_fail(__FILE__, __LINE__, #is_good);                                                                  \
    } while (0)

/** Raises the limit of open descriptors as far as it goes: Node.js does so, too. */
void bench_allow_descriptors(void);

_Noreturn void bench_fail(const char *file, int line, const char *expectation);

/** <program> <push|pull|req|rep|push-pull|req-rep> <address> <bytes>; the last two roles are two threads.
 * <program> version prints the library's. */
int bench_main(int argc, char **argv, const struct bench_peer *peer);

#endif
