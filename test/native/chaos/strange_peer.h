/* Peers without the engine that speak, rightly or wrongly, and break off at any byte. */
#ifndef CHAOS_STRANGE_PEER_H
#define CHAOS_STRANGE_PEER_H

#include <stdint.h>

/* Draws from 0 to limit - 1. */
unsigned chaos_draw(uint64_t *state, unsigned limit);

/* Connects to an address of tcp, ipc or ws on this machine, if a socket listens, and speaks as a type of socket. */
void strange_peer_visit(uint64_t *random, const char *address, int protocol);
/* Listens at the address for a moment, and speaks to the one that comes. */
void strange_peer_serve(uint64_t *random, const char *address, int protocol);

#endif
