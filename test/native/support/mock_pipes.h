/* An engine made of nothing but memory, for tests of protocols: it implements nanomsg/protocol.h with
 * pipes whose capacity, arrivals and breaks are set by hand, and with a clock that the test moves.
 *
 * It is strict where the engine relies on a protocol: it aborts when a table is incomplete, when a message
 * is freed twice or a chunk outlives the last socket, and when a protocol uses a pipe that is gone. */
#ifndef TEST_MOCK_PIPES_H
#define TEST_MOCK_PIPES_H

#include <nanomsg/protocol.h>

#define MOCK_MESSAGE_BYTES 2048

/* ---- Bytes to compare ---- */

/* What a peer was sent or a user has received. */
struct mock_bytes {
    int rc;                /* 0, or why there is none */
    size_t header_bytes;   /* the first bytes, in what a user has received */
    size_t count;          /* header and body */
    const uint8_t *origin; /* where the body lay, to see whether it was shared */
    uint8_t bytes[MOCK_MESSAGE_BYTES];
};

bool mock_is(const struct mock_bytes *bytes, const char *header, size_t header_bytes, const char *body,
             size_t body_bytes);

/* Compares with string literals, which may contain zeros: MOCK_IS(mock_sent(pipe), "\x80\0\0\1", "body"). */
#define MOCK_IS(bytes, header, body) mock_is_value((bytes), (header), sizeof(header) - 1, (body), sizeof(body) - 1)

static inline bool mock_is_value(struct mock_bytes bytes, const char *header, size_t header_bytes, const char *body,
                                 size_t body_bytes)
{
    return mock_is(&bytes, header, header_bytes, body, body_bytes);
}

/* ---- Sockets ---- */

/* Opens a socket of the protocol; aborts when its open function fails. */
struct sp_socket *mock_open(const struct nn_protocol *protocol);

/* The same with an open function that may fail. Returns NULL then. */
struct sp_socket *mock_try_open(const struct nn_protocol *protocol);

/* Removes all pipes and closes. After the last socket nothing may be left. */
void mock_close(struct sp_socket *socket);

/* As nn_send with NN_DONTWAIT: the body is borrowed for the call and spoilt afterwards. */
int mock_send_bytes(struct sp_socket *socket, const void *header, size_t header_bytes, const void *body,
                    size_t body_bytes);
#define MOCK_SEND(socket, body) mock_send_bytes((socket), NULL, 0, (body), sizeof(body) - 1)
#define MOCK_SEND_RAW(socket, header, body)                                                                            \
    mock_send_bytes((socket), (header), sizeof(header) - 1, (body), sizeof(body) - 1)

/* The same with a body that is a chunk already, as with NN_MSG. */
int mock_send_owned(struct sp_socket *socket, const void *body, size_t body_bytes);

struct mock_bytes mock_receive(struct sp_socket *socket);

/* Receives and forgets; returns what the protocol did. */
int mock_receive_rc(struct sp_socket *socket);

/* The same in contexts. */
int mock_context_send(struct sp_socket *socket, uint32_t context, const void *body, size_t body_bytes);
#define MOCK_CONTEXT_SEND(socket, context, body) mock_context_send((socket), (context), (body), sizeof(body) - 1)
struct mock_bytes mock_context_receive(struct sp_socket *socket, uint32_t *context);
void mock_context_close(struct sp_socket *socket, uint32_t context);

int mock_events(struct sp_socket *socket);
int mock_send_priority(struct sp_socket *socket);
int mock_set_option(struct sp_socket *socket, int option, const void *value, size_t size);
int mock_set_int(struct sp_socket *socket, int option, int value);
int mock_get_int(struct sp_socket *socket, int option, int *value);
void mock_set_max_ttl(struct sp_socket *socket, int max_ttl);

/* Moves the clock of all sockets; the timer of this one runs if it is due. */
void mock_pass_ms(struct sp_socket *socket, int delay_ms);

/* A socket's "random" numbers are this one and those that follow; or begin with it again. */
#define MOCK_FIRST_RANDOM 0xffffffffu
void mock_repeat_random(struct sp_socket *socket);

/* How often the protocol has started its timer. */
unsigned mock_timer_starts(const struct sp_socket *socket);

/* ---- Pipes ---- */

#define MOCK_UNLIMITED 1000000

/* A peer connects; its pipe takes `capacity` messages. NULL when the protocol refuses it: see
 * mock_refusal(). */
struct nn_pipe *mock_attach(struct sp_socket *socket, int capacity);
struct nn_pipe *mock_attach_with_priority(struct sp_socket *socket, int capacity, int priority);
int mock_refusal(void);

/* The pipe takes this many messages more; it becomes writable if it was not. */
void mock_drain(struct nn_pipe *pipe, int capacity);

/* The pipe takes nothing more, without notice. */
void mock_jam(struct nn_pipe *pipe);

/* The connection is gone. What was sent to it and not looked at is lost. */
void mock_break(struct nn_pipe *pipe);

/* A message comes from the peer. */
void mock_deliver_bytes(struct nn_pipe *pipe, const void *bytes, size_t count);
#define MOCK_DELIVER(pipe, bytes) mock_deliver_bytes((pipe), (bytes), sizeof(bytes) - 1)

/* Several come before the protocol hears of the first. */
void mock_deliver_silently(struct nn_pipe *pipe, const void *bytes, size_t count);
void mock_announce(struct nn_pipe *pipe);

/* Takes the oldest message that was sent to the peer; rc is -EAGAIN when there is none. Header and body
 * are one, as on the wire. */
struct mock_bytes mock_sent(struct nn_pipe *pipe);
size_t mock_sent_count(const struct nn_pipe *pipe);

/* Messages that have come and that the protocol has not taken. */
size_t mock_waiting_count(const struct nn_pipe *pipe);

/* ---- Memory ---- */

/* Bodies copied, and messages shared, since the process began. */
unsigned mock_copies(void);
unsigned mock_shares(void);
size_t mock_live_chunks(void);

/* Makes the next `count` requests of messages for memory fail. */
void mock_starve(int count);

#endif
