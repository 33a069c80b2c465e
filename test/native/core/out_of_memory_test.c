/* Being out of memory: each allocation of a conversation fails once, from starting the engine to its end. The call that
 * meets it says ENOMEM and can be made again; where there is no call to say so, the connection comes back. No case ends
 * before the conversation has come through without a failure. Debug builds only: see util/memory.h. */
#include "sockets.h"

#include "util/memory.h"
#ifdef HAVE_TLS
#include "tls_peer.h"
#endif

#include <nanomsg/bus.h>
#include <nanomsg/loop.h>
#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/survey.h>
#include <nanomsg/tls.h>

#include <stdlib.h>
#include <string.h>

#ifndef NDEBUG

#define ROUND_MS 10
#define MAX_ALLOCATIONS 2000
/* One that fits into a slab, and one that gets memory of its own, which grows while it arrives. */
#define SHORT_BYTES 10
#define LONG_BYTES 600000

NN_EXPORT void nn_init(void);

/* Makes a call again that has met the failure. Any other error ends the case. */
#define INSIST(call)                                                                                                   \
    ({                                                                                                                 \
        intmax_t insist_rc = (intmax_t)(call);                                                                         \
        if (insist_rc == -1 && nn_errno() == ENOMEM)                                                                   \
            insist_rc = (intmax_t)(call);                                                                              \
        (int)CHECK_OK(insist_rc);                                                                                      \
    })

struct conversation {
    int asking;
    int answering;
    bool is_one_way;
    bool is_monitored;
};

#ifdef HAVE_TLS
static void set_tls(int s, int option, const char *text)
{
    INSIST(nn_setsockopt(s, NN_TLS, option, text, strlen(text)));
}

static void use_tls(int s)
{
    set_tls(s, NN_TLS_CA, tls_ca()->cert);
    set_tls(s, NN_TLS_CERT, tls_server()->cert);
    set_tls(s, NN_TLS_KEY, tls_server()->key);
}
#endif

static int open_socket(int protocol)
{
    int s = INSIST(nn_socket(AF_SP, protocol));

    if (protocol == NN_SUB)
        INSIST(nn_setsockopt(s, NN_SUB, NN_SUB_SUBSCRIBE, "", 0));
    if (protocol == NN_REQ)
        SET_INT(s, NN_REQ, NN_REQ_RESEND_IVL, ROUND_MS);
    if (protocol == NN_SURVEYOR)
        SET_INT(s, NN_SURVEYOR, NN_SURVEYOR_DEADLINE, ROUND_MS);
    SET_INT(s, NN_SOL_SOCKET, NN_RECONNECT_IVL, 1);
    SET_INT(s, NN_SOL_SOCKET, NN_SNDTIMEO, ROUND_MS);
    SET_INT(s, NN_SOL_SOCKET, NN_RCVTIMEO, ROUND_MS);
    return s;
}

/* What a call may meet when a message was lost: another round follows. */
static bool is_lost(int error)
{
    return error == ENOMEM || error == ETIMEDOUT || error == EFSM;
}

static bool try_send(int s, const char *body, size_t length)
{
    if (nn_send(s, body, length, 0) >= 0)
        return true;
    CHECK(is_lost(nn_errno()));
    return false;
}

static void *allocate(size_t bytes)
{
    void *message = nn_allocmsg(bytes, 0);

    return message != NULL ? message : nn_allocmsg(bytes, 0);
}

/* The same from memory that changes hands: it is ours again when it was not sent. So little of it is used that the
 * engine makes a copy. */
static bool try_send_message(int s, const char *body, size_t length)
{
    void *message = allocate(10 * length);

    CHECK(message != NULL);
    message = nn_reallocmsg(message, length);
    CHECK(message != NULL);
    memcpy(message, body, length);
    if (nn_send(s, &message, NN_MSG, 0) >= 0)
        return true;
    CHECK(is_lost(nn_errno()));
    CHECK(memcmp(message, body, length) == 0);
    CHECK_OK(nn_freemsg(message));
    return false;
}

/* Whether this message has come; those of earlier rounds are passed over. */
static bool try_receive(int s, const char *expected, size_t length)
{
    char *body;
    int count;

    while ((count = nn_recv(s, &body, NN_MSG, 0)) >= 0) {
        bool is_it = (size_t)count == length && memcmp(body, expected, length) == 0;
        CHECK_OK(nn_freemsg(body));
        if (is_it)
            return true;
    }
    CHECK(is_lost(nn_errno()));
    return false;
}

typedef bool try_sending(int s, const char *body, size_t length);

static bool try_round(const struct conversation *self, const int sockets[2], try_sending *send, const char *body,
                      size_t length)
{
    if (!send(sockets[0], body, length) || !try_receive(sockets[1], body, length))
        return false;
    return self->is_one_way || (send(sockets[1], body, length) && try_receive(sockets[0], body, length));
}

/* Goes on until a message has come through, and its answer. */
static void exchange(const struct conversation *self, const int sockets[2], try_sending *send, size_t length)
{
    int64_t deadline_ms = test_wait_deadline();
    uint32_t round = 0;
    char *body = calloc(1, length);

    CHECK(body != NULL);
    do {
        CHECK(test_now_ms() < deadline_ms);
        round++;
        memcpy(body, &round, sizeof round);
    } while (!try_round(self, sockets, send, body, length));
    free(body);
}

static void converse(const struct conversation *self, const char *address)
{
    int sockets[2] = {open_socket(self->asking), open_socket(self->answering)};
    struct nn_pollfd entry = {.fd = sockets[0], .events = NN_POLLOUT};

    for (int i = 0; i < 2; i++) {
        if (self->is_monitored)
            INSIST(nn_socket_monitor(sockets[i], true));
#ifdef HAVE_TLS
        if (strstr(address, "tls+") != NULL || strstr(address, "wss:") != NULL)
            use_tls(sockets[i]);
#endif
    }

    INSIST(nn_bind(sockets[1], address));
    INSIST(nn_connect(sockets[0], address));
    INSIST(nn_poll(&entry, 1, ROUND_MS));
    exchange(self, sockets, try_send, SHORT_BYTES);
    exchange(self, sockets, try_send_message, SHORT_BYTES);
    exchange(self, sockets, try_send, LONG_BYTES);
    CHECK_OK(nn_close(sockets[0]));
    CHECK_OK(nn_close(sockets[1]));
}

static void converse_out_of_memory(const struct conversation *self, const char *address)
{
    long count = 0;

    test_allow_open("anon_inode:[eventfd]");
#ifdef HAVE_TLS
    tls_server(); /* made without failures */
#endif
    for (bool has_failed = true; has_failed; count++) {
        CHECK(count < MAX_ALLOCATIONS);
        sp_memory_fail_after(count);
        converse(self, address);
        has_failed = sp_memory_fail_after(-1) < 0;
        nn_term();
        nn_init();
    }
    CHECK(count > 20); /* as long as there is anything to allocate */
}

static const struct conversation pair = {NN_PAIR, NN_PAIR, false, false};
static const struct conversation reqrep = {NN_REQ, NN_REP, false, false};
static const struct conversation pipeline = {NN_PUSH, NN_PULL, true, false};
static const struct conversation pubsub = {NN_PUB, NN_SUB, true, false};
static const struct conversation survey = {NN_SURVEYOR, NN_RESPONDENT, false, false};
static const struct conversation monitored = {NN_REQ, NN_REP, false, true};
static const struct conversation bus = {NN_BUS, NN_BUS, false, false};

TEST(each_allocation_of_pair_over_inproc_can_fail)
{
    converse_out_of_memory(&pair, test_inproc_address());
}

TEST(each_allocation_of_pair_over_tcp_can_fail)
{
    converse_out_of_memory(&pair, test_tcp_address());
}

TEST(each_allocation_of_reqrep_over_inproc_can_fail)
{
    converse_out_of_memory(&reqrep, test_inproc_address());
}

TEST(each_allocation_of_reqrep_over_tcp_can_fail)
{
    converse_out_of_memory(&reqrep, test_tcp_address());
}

TEST(each_allocation_of_reqrep_over_ipc_can_fail)
{
    converse_out_of_memory(&reqrep, test_ipc_address());
}

TEST(each_allocation_of_reqrep_over_ws_can_fail)
{
    converse_out_of_memory(&reqrep, test_ws_address());
}

TEST(each_allocation_of_pipeline_over_inproc_can_fail)
{
    converse_out_of_memory(&pipeline, test_inproc_address());
}

TEST(each_allocation_of_pipeline_over_tcp_can_fail)
{
    converse_out_of_memory(&pipeline, test_tcp_address());
}

TEST(each_allocation_of_pubsub_over_inproc_can_fail)
{
    converse_out_of_memory(&pubsub, test_inproc_address());
}

TEST(each_allocation_of_pubsub_over_tcp_can_fail)
{
    converse_out_of_memory(&pubsub, test_tcp_address());
}

TEST(each_allocation_of_survey_over_inproc_can_fail)
{
    converse_out_of_memory(&survey, test_inproc_address());
}

TEST(each_allocation_of_survey_over_tcp_can_fail)
{
    converse_out_of_memory(&survey, test_tcp_address());
}

TEST(each_allocation_of_bus_over_inproc_can_fail)
{
    converse_out_of_memory(&bus, test_inproc_address());
}

TEST(each_allocation_of_bus_over_tcp_can_fail)
{
    converse_out_of_memory(&bus, test_tcp_address());
}

TEST(each_allocation_of_a_monitored_conversation_over_tcp_can_fail)
{
    converse_out_of_memory(&monitored, test_tcp_address());
}

TEST(each_allocation_of_a_monitored_conversation_over_ws_can_fail)
{
    converse_out_of_memory(&monitored, test_ws_address());
}

#ifdef HAVE_TLS
TEST(each_allocation_of_reqrep_over_tls_can_fail)
{
    converse_out_of_memory(&reqrep, tls_address());
}

TEST(each_allocation_of_reqrep_over_wss_can_fail)
{
    converse_out_of_memory(&reqrep, tls_wss_address());
}
#endif

#endif
