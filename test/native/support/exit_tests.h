/* Programs that end by exit() while the engine still holds what they have sent, for each transport: included by a file
 * that says how sockets become ready for it. */
#ifndef TEST_EXIT_TESTS_H
#define TEST_EXIT_TESTS_H

#include "sockets.h"

#include <nanomsg/bus.h>
#include <nanomsg/loop.h>
#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/survey.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct exit_way {
    const char *(*new_address)(void);
    void (*prepare)(int s, bool is_bound); /* options of TLS; NULL: there are none */
};

/* ---- Programs ---- */

/* One that ends by exit(), as returning from main does, when the body returns; and the end of a pipe that it writes to.
 * Start it before this process has threads. */
struct exit_program {
    pid_t child;
    int told;
};

static inline struct exit_program exit_program_start(void (*body)(void *argument, int tell), void *argument)
{
    int ends[2];

    CHECK_OK(pipe(ends));
    fflush(NULL);
    pid_t child = (pid_t)CHECK_OK(fork());
    if (child == 0) {
        alarm((unsigned)test_deadline_ms(20000) / 1000);
        close(ends[0]);
        body(argument, ends[1]);
        exit(0);
    }
    close(ends[1]);
    return (struct exit_program){child, ends[0]};
}

static inline void exit_tell(int tell, int number)
{
    CHECK_EQUAL(write(tell, &number, sizeof number), (ssize_t)sizeof number);
}

static inline int exit_hear(const struct exit_program *program)
{
    int number = -1;

    CHECK_EQUAL(read(program->told, &number, sizeof number), (ssize_t)sizeof number);
    return number;
}

static inline void exit_program_check(const struct exit_program *program)
{
    int status = -1;

    CHECK_EQUAL(waitpid(program->child, &status, 0), program->child);
    CHECK_EQUAL(status, 0);
    close(program->told);
}

/* ---- Sockets ---- */

/* So little the kernel keeps that the engine has to. */
#define EXIT_KERNEL_BYTES (16 * 1024)
/* What leaves within the second that a program waits at its end; under sanitizers a part of it. */
#define EXIT_LARGE_BYTES ((size_t)2 * 1024 * 1024 / (size_t)test_deadline_ms(1))

static inline void exit_prepare(int s, const struct exit_way *way, bool is_bound)
{
    SET_INT(s, NN_SOL_SOCKET, NN_SNDBUF, EXIT_KERNEL_BYTES);
    SET_INT(s, NN_SOL_SOCKET, NN_RCVBUF, EXIT_KERNEL_BYTES);
    SET_INT(s, NN_SOL_SOCKET, NN_RCVMAXSIZE, -1);
    if (way->prepare != NULL)
        way->prepare(s, is_bound);
}

static inline int exit_connected(int protocol, const struct exit_way *way, const char *address)
{
    int s = (int)CHECK_OK(nn_socket(AF_SP, protocol));

    exit_prepare(s, way, false);
    CHECK_OK(nn_connect(s, address));
    WAIT_PEERS(s, 1);
    return s;
}

static inline int exit_bound(int protocol, const struct exit_way *way, const char *address)
{
    int s = SOCKET(protocol);

    exit_prepare(s, way, true);
    if (protocol == NN_SUB)
        CHECK_OK(nn_setsockopt(s, NN_SUB, NN_SUB_SUBSCRIBE, "", 0));
    CHECK_OK(nn_bind(s, address));
    return s;
}

/* ---- One message that is larger than what the kernel keeps ---- */

struct exit_type {
    int sender;
    int receiver;
};

struct exit_sender {
    const struct exit_way *way;
    const struct exit_type *type;
    const char *address;
};

static inline uint8_t exit_byte(size_t i)
{
    return (uint8_t)(i ^ i >> 8 ^ i >> 16);
}

static inline void exit_send_large(int s)
{
    uint8_t *body = malloc(EXIT_LARGE_BYTES);

    CHECK(body != NULL);
    for (size_t i = 0; i < EXIT_LARGE_BYTES; i++)
        body[i] = exit_byte(i);
    CHECK_EQUAL(CHECK_OK(nn_send(s, body, EXIT_LARGE_BYTES, 0)), EXIT_LARGE_BYTES);
    free(body);
}

static inline void exit_receive_large(int s)
{
    uint8_t *body;
    size_t i = 0;

    CHECK_EQUAL(CHECK_OK(nn_recv(s, &body, NN_MSG, 0)), EXIT_LARGE_BYTES);
    while (i < EXIT_LARGE_BYTES && body[i] == exit_byte(i))
        i++;
    CHECK_EQUAL(i, EXIT_LARGE_BYTES);
    CHECK_OK(nn_freemsg(body));
}

/* The peer reads on only when its user takes the first message: so the engine holds the second one. */
static inline void exit_send_two(void *argument, int tell)
{
    const struct exit_sender *self = argument;
    int s = exit_connected(self->type->sender, self->way, self->address);

    CHECK_SENDS(s, "first");
    exit_send_large(s);
    exit_tell(tell, 0);
}

static inline void exit_answer_large(void *argument, int tell)
{
    const struct exit_sender *self = argument;
    int s = exit_connected(self->type->sender, self->way, self->address);

    CHECK_RECEIVES(s, "?");
    exit_send_large(s);
    exit_tell(tell, 0);
}

static inline void exit_every_type(const struct exit_way *way)
{
    static const struct exit_type types[] = {{NN_PUSH, NN_PULL}, {NN_PAIR, NN_PAIR}, {NN_BUS, NN_BUS},
                                             {NN_PUB, NN_SUB},   {NN_REQ, NN_REP},   {NN_SURVEYOR, NN_RESPONDENT}};
    struct exit_sender senders[6];
    struct exit_program programs[6];

    for (int i = 0; i < 6; i++) {
        senders[i] = (struct exit_sender){way, &types[i], way->new_address()};
        programs[i] = exit_program_start(exit_send_two, &senders[i]);
    }
    for (int i = 0; i < 6; i++) {
        int s = exit_bound(types[i].receiver, way, senders[i].address);
        exit_hear(&programs[i]);
        CHECK_RECEIVES(s, "first");
        exit_receive_large(s);
        exit_program_check(&programs[i]);
        CHECK_OK(nn_close(s));
    }
}

static inline void exit_answers(const struct exit_way *way)
{
    static const struct exit_type types[] = {{NN_REP, NN_REQ}, {NN_RESPONDENT, NN_SURVEYOR}};
    struct exit_sender senders[2];
    struct exit_program programs[2];

    for (int i = 0; i < 2; i++) {
        senders[i] = (struct exit_sender){way, &types[i], way->new_address()};
        programs[i] = exit_program_start(exit_answer_large, &senders[i]);
    }
    for (int i = 0; i < 2; i++) {
        int s = exit_bound(types[i].receiver, way, senders[i].address);
        WAIT_PEERS(s, 1);
        CHECK_SENDS(s, "?");
        exit_receive_large(s);
        exit_program_check(&programs[i]);
        CHECK_OK(nn_close(s));
    }
}

/* ---- As many messages as the socket accepts ---- */

#define EXIT_BODY_BYTES 200

static inline int exit_fill(int s)
{
    uint8_t body[EXIT_BODY_BYTES] = {0};
    int count = 0;

    SET_INT(s, NN_SOL_SOCKET, NN_SNDTIMEO, 50);
    while (nn_send(s, body, sizeof body, 0) >= 0) {
        count++;
        memcpy(body, &count, sizeof count);
    }
    CHECK_EQUAL(errno, ETIMEDOUT);
    return count;
}

static inline void exit_fill_at_once(void *argument, int tell)
{
    const struct exit_sender *self = argument;

    exit_tell(tell, exit_fill(exit_connected(self->type->sender, self->way, self->address)));
}

/* The socket's own queue holds some as well. */
static inline void exit_fill_by_batches(void *argument, int tell)
{
    const struct exit_sender *self = argument;
    int s = exit_connected(self->type->sender, self->way, self->address);
    uint8_t body[EXIT_BODY_BYTES] = {0};
    struct nn_outgoing message = {.body = body, .body_bytes = sizeof body};
    int count = 0;

    while (nn_socket_queued_bytes(s) < 100000) {
        memcpy(body, &count, sizeof count);
        count += (int)CHECK_OK(nn_socket_send_batch(s, &message, 1, 1000000));
    }
    exit_tell(tell, count);
}

/* What lingers behind a close is held, too. */
static inline void exit_fill_and_close(void *argument, int tell)
{
    const struct exit_sender *self = argument;
    int s = exit_connected(self->type->sender, self->way, self->address);
    int count = exit_fill(s);

    CHECK_OK(nn_close(s));
    exit_tell(tell, count);
}

static inline void exit_filled(const struct exit_way *way, void (*body)(void *, int))
{
    static const struct exit_type types[] = {{NN_PUSH, NN_PULL}, {NN_PAIR, NN_PAIR}};
    struct exit_sender senders[2];
    struct exit_program programs[2];

    for (int i = 0; i < 2; i++) {
        senders[i] = (struct exit_sender){way, &types[i], way->new_address()};
        programs[i] = exit_program_start(body, &senders[i]);
    }
    for (int i = 0; i < 2; i++) {
        int s = exit_bound(types[i].receiver, way, senders[i].address);
        int count = exit_hear(&programs[i]);
        for (int number = 0; number < count; number++) {
            uint8_t message[EXIT_BODY_BYTES];
            CHECK_EQUAL(CHECK_OK(nn_recv(s, message, sizeof message, 0)), sizeof message);
            CHECK_EQUAL(memcmp(message, &number, sizeof number), 0);
        }
        exit_program_check(&programs[i]);
        CHECK_OK(nn_close(s));
    }
}

/* Declares the cases for a transport; `way` is a constant struct exit_way. */
#define TEST_EXITS_OVER(transport, way)                                                                                \
    TEST(a_large_message_of_every_type_arrives_when_the_program_ends_over_##transport)                                 \
    {                                                                                                                  \
        exit_every_type(&(way));                                                                                       \
    }                                                                                                                  \
    TEST(a_large_answer_arrives_when_the_program_ends_over_##transport)                                                \
    {                                                                                                                  \
        exit_answers(&(way));                                                                                          \
    }                                                                                                                  \
    TEST(all_that_a_full_socket_has_accepted_arrives_when_the_program_ends_over_##transport)                           \
    {                                                                                                                  \
        exit_filled(&(way), exit_fill_at_once);                                                                        \
    }                                                                                                                  \
    TEST(what_the_socket_has_queued_arrives_when_the_program_ends_over_##transport)                                    \
    {                                                                                                                  \
        exit_filled(&(way), exit_fill_by_batches);                                                                     \
    }                                                                                                                  \
    TEST(what_lingers_behind_a_close_arrives_when_the_program_ends_over_##transport)                                   \
    {                                                                                                                  \
        exit_filled(&(way), exit_fill_and_close);                                                                      \
    }

#endif
