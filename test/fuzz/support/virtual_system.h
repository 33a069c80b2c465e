/* An operating system for one thread, in which an input has one outcome: the clock stands still until it is advanced,
 * random numbers come from a seed, threads run when they are told to, no name server is asked, and tcp and ipc connect
 * to the fuzzer itself by socket pairs. The linker puts it in the place of the C library's functions (--wrap, see
 * CMakeLists.txt). */
#ifndef FUZZ_VIRTUAL_SYSTEM_H
#define FUZZ_VIRTUAL_SYSTEM_H

#include <stdbool.h>
#include <stdint.h>

enum virtual_connect { CONNECT_AT_ONCE, CONNECT_LATER, CONNECT_REFUSED, VIRTUAL_CONNECTS };

/* Whose addresses both ends of connections have: link-local ones are of an interface that there is, or of none. */
enum virtual_addresses {
    ADDRESSES_IPV4,
    ADDRESSES_LOCAL,
    ADDRESSES_IPV6,
    ADDRESSES_MAPPED,
    ADDRESSES_LINK_LOCAL,
    ADDRESSES_OF_NO_INTERFACE,
    VIRTUAL_ADDRESSES
};

/* Begins a run. */
void virtual_begin(void);
/* Ends it: closes connections that were not accepted. */
void virtual_end(void);

/* Moves the clock on. */
void virtual_advance_ms(uint64_t count);

/* Turns the network on (initially it is) or off, which leaves the kernel's. */
void virtual_network(bool is_on);
void virtual_use_addresses(enum virtual_addresses addresses);
/* How the next attempts to connect end. */
void virtual_set_connect(enum virtual_connect outcome);
/* SO_SNDBUF of the engine's ends of connections made from now on. */
void virtual_set_send_buffer(int size_bytes);

/* Runs the functions of the threads that the engine has started since, one after another. */
void virtual_run_threads(void);

/* Connects to whatever listens. Returns the fuzzer's end, which does not block, or -1. */
int virtual_dial(void);
/* The fuzzer's end of the oldest connection that the engine has made, or -1. */
int virtual_accept(void);

#endif
