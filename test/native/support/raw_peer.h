/* Peers that speak to a socket byte by byte: a plain stream connection over tcp or ipc. */
#ifndef TEST_RAW_PEER_H
#define TEST_RAW_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Declares a case once for each transport that such peers can use; the body asks new_address for what it binds. */
#define TEST_OVER_STREAMS(case_name)                                                                                   \
    static void test_over_##case_name(const char *(*new_address)(void));                                               \
    TEST(case_name##_over_ipc)                                                                                         \
    {                                                                                                                  \
        test_over_##case_name(test_ipc_address);                                                                       \
    }                                                                                                                  \
    TEST(case_name##_over_tcp)                                                                                         \
    {                                                                                                                  \
        test_over_##case_name(test_tcp_address);                                                                       \
    }                                                                                                                  \
    static void test_over_##case_name(const char *(*new_address)(void))

/* Opens a connection to an address such as "tcp://127.0.0.1:5555" or "ipc:///run/a.sock". Fails the
 * case when there is no listener. */
int raw_connect(const char *address);
/* The same in two steps, of which only the first takes a descriptor. */
int raw_open(const char *address);
void raw_connect_opened(int fd, const char *address);
/* A listening descriptor at such an address, and a connection that comes to it. */
int raw_listen(const char *address);
int raw_accept(int listener);

void raw_send(int fd, const void *bytes, size_t count);
/* The handshake of a socket type, as tcp and ipc have it. */
void raw_send_handshake(int fd, int protocol);
/* Reads the peer's handshake, and fails the case when it is another type's. */
void raw_expect_handshake(int fd, int protocol);
/* Both, in this order. */
int raw_connect_admitted(const char *address, int protocol, int peer_protocol);
/* One message with the prefix of the address's transport. */
void raw_send_message(int fd, const char *address, const void *body, size_t count);
/* A prefix that announces this length. */
void raw_send_prefix(int fd, const char *address, uint64_t length);
void raw_receive(int fd, void *bytes, size_t count);
/* Receives a message of at most `limit` bytes and returns how many it has. */
size_t raw_receive_message(int fd, const char *address, void *body, size_t limit);
void raw_expect(int fd, const void *bytes, size_t count);
/* Waits until the peer has closed; true unless it took longer than the case has patience. */
bool raw_is_closed(int fd);
/* Reads until the peer's end and returns how many bytes came. */
size_t raw_count_to_end(int fd);
/* Whether the peer has closed by now. */
bool raw_is_closed_now(int fd);
/* How many bytes the engine of this process has read of such a connection, which must be of tcp. */
size_t raw_read_bytes(int fd);
/* Says that nothing more will come, and goes on reading. */
void raw_finish(int fd);
/* Closes with a reset (tcp) or at once. */
void raw_reset(int fd);

#endif
