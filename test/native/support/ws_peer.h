/* Peers of WebSocket that speak byte by byte. */
#ifndef TEST_WS_PEER_H
#define TEST_WS_PEER_H

#include "raw_peer.h"

enum ws_start {
    WS_CONTINUATION = 0x00,
    WS_TEXT = 0x01,
    WS_BINARY = 0x02,
    WS_CLOSE = 0x88,
    WS_PING = 0x89,
    WS_PONG = 0x8a,
    WS_FIN = 0x80
};

/* A request that every server of this type accepts. The text is valid until the next call. */
const char *ws_request(const char *path, const char *server_type);

/* Sends a request as it stands and reads the head of the answer, which is valid until the next call. */
const char *ws_ask(int fd, const char *request);
const char *ws_read_head(int fd);
/* Fails the case unless the answer begins with this status, as in "404". */
#define CHECK_STATUS(head, status) ws_check_status((head), (status), __FILE__, __LINE__)
void ws_check_status(const char *head, const char *status, const char *file, int line);

/* A connection that is upgraded at the address, whose path is taken from it. */
int ws_connect(const char *address, const char *server_type);

/* A server's half: answers the request of a client of ours, which must ask for this type. */
void ws_accept(int fd, const char *server_type);

/* A frame with this first byte, masked as a client's must be. */
void ws_send(int fd, int start, const void *body, size_t count);
/* The prefix of one alone; announced_bytes is written in the shortest form. */
void ws_send_prefix(int fd, int start, uint64_t announced_bytes);
/* The next frame is this one, and is not masked. */
void ws_expect(int fd, int start, const void *body, size_t count);
/* The next message is this one, in fragments of at most 1 MiB, of which all but the last are as long as that. */
#define WS_FRAGMENT_BYTES ((size_t)1048576)
void ws_expect_message(int fd, int opcode, const void *body, size_t count);
/* The next frame closes with this code; then the connection ends. */
void ws_expect_close(int fd, int code);

#endif
