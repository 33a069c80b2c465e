/* What docs/guarantees.md promises, as properties: peers are processes that send or answer numbered messages and are
 * killed at random moments. What was accepted is received as often, and in the order, that the pattern promises. */
#include "strange_peer.h"

#include "sockets.h"
#ifdef HAVE_TLS
#include "tls_peer.h"
#include <nanomsg/tls.h>
#endif

#include <nanomsg/bus.h>
#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/survey.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIVES 6
#define MAX_BEFORE_KILL 300
#define JOBS 1200
/* The most after these, until one comes through. */
#define MORE_JOBS 100
#define REQUESTS 60
#define SURVEYS 8
#define RESPONDENTS 3
#define MIN_RECORDS_FD 100

extern char **environ;

/* A message, and what a peer tells of it. */
struct record {
    uint32_t life; /* of which peer's life */
    uint32_t number;
};

/* ---- Peers: this program once more ---- */

static int setting(const char *name)
{
    const char *text = getenv(name);

    return text != NULL ? atoi(text) : 0;
}

static int peer_socket(int protocol)
{
    int s = nn_socket(AF_SP, protocol);
    int interval_ms = 5;

    nn_setsockopt(s, NN_SOL_SOCKET, NN_RECONNECT_IVL, &interval_ms, sizeof interval_ms);
#ifdef HAVE_TLS
    const char *ca = getenv("NN_PEER_CA");
    if (ca != NULL)
        nn_setsockopt(s, NN_TLS, NN_TLS_CA, ca, strlen(ca));
#endif
    if (s < 0 || nn_connect(s, getenv("NN_PEER_ADDRESS")) < 0)
        _exit(1);
    return s;
}

/* Sends numbers from 0 on until it is killed. */
static void peer_send(int s, uint32_t life)
{
    for (struct record record = {life, 0};; record.number++) {
        if (nn_send(s, &record, sizeof record, 0) < 0)
            _exit(1);
    }
}

/* Tells of each message that it receives, and answers with the same where the type does. */
static void peer_answer(int s, uint32_t life, bool is_answering)
{
    int records = setting("NN_PEER_RECORDS");
    struct record record;

    while (nn_recv(s, &record, sizeof record, 0) == sizeof record) {
        struct record told = {life, record.number};
        if (write(records, &told, sizeof told) != sizeof told)
            _exit(1);
        record.life = life;
        if (is_answering && nn_send(s, &record, sizeof record, 0) < 0)
            _exit(1);
    }
    _exit(1);
}

/* Before main(), in a process that was started as a peer. */
__attribute__((constructor)) static void be_peer(void)
{
    int protocol = setting("NN_PEER_PROTOCOL");

    if (protocol == 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int s = peer_socket(protocol);
    if (protocol == NN_PULL || protocol == NN_REP || protocol == NN_RESPONDENT)
        peer_answer(s, (uint32_t)setting("NN_PEER_LIFE"), protocol != NN_PULL);
    peer_send(s, (uint32_t)setting("NN_PEER_LIFE"));
}

static void set_number(const char *name, int number)
{
    char text[16];

    snprintf(text, sizeof text, "%d", number);
    setenv(name, text, 1);
}

static pid_t start_peer(int protocol, const char *address, uint32_t life)
{
    char *const arguments[] = {"peer", NULL};
    pid_t peer;

    set_number("NN_PEER_PROTOCOL", protocol);
    set_number("NN_PEER_LIFE", (int)life);
    setenv("NN_PEER_ADDRESS", address, 1);
    CHECK_EQUAL(posix_spawn(&peer, "/proc/self/exe", NULL, NULL, arguments, environ), 0);
    return peer;
}

static void kill_peer(pid_t peer)
{
    CHECK_OK(kill(peer, SIGKILL));
    CHECK_EQUAL(waitpid(peer, NULL, 0), peer);
}

/* ---- This side ---- */

static uint64_t chance = 0x9e3779b97f4a7c15ULL;

static int bound_socket(int protocol, const char *address)
{
    int s = SOCKET(protocol);

    if (protocol == NN_SUB)
        CHECK_OK(nn_setsockopt(s, NN_SUB, NN_SUB_SUBSCRIBE, "", 0));
#ifdef HAVE_TLS
    if (strstr(address, "tls+") != NULL || strstr(address, "wss:") != NULL) {
        tls_use(s, tls_server());
        setenv("NN_PEER_CA", tls_ca()->cert, 1);
    }
#endif
    CHECK_OK(nn_bind(s, address));
    return s;
}

static struct record receive_record(int s)
{
    struct record record;

    CHECK_EQUAL(CHECK_OK(nn_recv(s, &record, sizeof record, 0)), sizeof record);
    return record;
}

/* Ascending numbers of one life; gapless ones where nothing may be dropped. */
static void check_order(struct record record, uint32_t life, int64_t *last, bool is_gapless)
{
    CHECK_EQUAL(record.life, life);
    CHECK(record.number > *last);
    if (is_gapless)
        CHECK_EQUAL(record.number, *last + 1);
    *last = record.number;
}

/* What a peer had sent before it died is still received. */
static void drain(int s, uint32_t life, int64_t *last, bool is_gapless)
{
    int64_t deadline_ms = test_wait_deadline();
    struct record record;

    do {
        CHECK(test_now_ms() < deadline_ms);
        while (test_is_ready(s, NN_POLLIN, 20) && nn_recv(s, &record, sizeof record, NN_DONTWAIT) == sizeof record)
            check_order(record, life, last, is_gapless);
    } while (nn_get_statistic(s, NN_STAT_CURRENT_CONNECTIONS) > 0);
}

static void killed_senders(int sending, int receiving, const char *address, bool is_gapless)
{
    int s = bound_socket(receiving, address);

    for (uint32_t life = 1; life <= LIVES; life++) {
        pid_t peer = start_peer(sending, address, life);
        int64_t last = -1;
        for (unsigned left = 1 + chaos_draw(&chance, MAX_BEFORE_KILL); left > 0; left--)
            check_order(receive_record(s), life, &last, is_gapless);
        kill_peer(peer);
        drain(s, life, &last, is_gapless);
    }
    CHECK_OK(nn_close(s));
}

/* ---- Peers that receive ---- */

static int records_end_of_peers;

/* Peers inherit the other end, by a number that is free here. */
static int records_begin(void)
{
    int ends[2];

    CHECK_OK(pipe2(ends, O_CLOEXEC | O_NONBLOCK));
    CHECK_OK(fcntl(ends[1], F_SETFL, 0));
    records_end_of_peers = (int)CHECK_OK(fcntl(ends[1], F_DUPFD, MIN_RECORDS_FD));
    set_number("NN_PEER_RECORDS", records_end_of_peers);
    close(ends[1]);
    return ends[0];
}

static void records_end(int fd)
{
    close(fd);
    close(records_end_of_peers);
}

/* Counts what was received until something holds, or nothing comes any more. */
struct tally {
    int fd;
    int64_t last[LIVES * 4]; /* of each life */
    unsigned char times[JOBS + MORE_JOBS];
    int distinct;
};

static void tally_read(struct tally *self, int timeout_ms)
{
    struct pollfd ready = {.fd = self->fd, .events = POLLIN};
    struct record record;

    while (poll(&ready, 1, timeout_ms) == 1 && read(self->fd, &record, sizeof record) == sizeof record) {
        CHECK(record.number < JOBS + MORE_JOBS && record.life < LIVES * 4);
        CHECK((int64_t)record.number + 1 > self->last[record.life]); /* in order, and not twice to the same peer */
        self->last[record.life] = (int64_t)record.number + 1;
        self->distinct += self->times[record.number]++ == 0;
    }
}

static void check_jobs(const char *address)
{
    int s = bound_socket(NN_PUSH, address);
    struct tally tally = {.fd = records_begin()};
    uint32_t life = 1;
    pid_t staying = start_peer(NN_PULL, address, 0);
    pid_t dying = start_peer(NN_PULL, address, life);

    for (uint32_t number = 0; number < JOBS; number++) {
        struct record job = {0, number};
        CHECK_OK(nn_send(s, &job, sizeof job, 0));
        tally_read(&tally, 0);
        if (number % (JOBS / LIVES) == JOBS / LIVES / 2) {
            kill_peer(dying);
            dying = start_peer(NN_PULL, address, ++life);
        }
    }
    /* What is given to those that live comes through, once the end of the one killed last is noticed. */
    uint32_t next = JOBS;
    do {
        struct record job = {0, next};
        CHECK(next < JOBS + MORE_JOBS);
        CHECK_OK(nn_send(s, &job, sizeof job, 0));
        tally_read(&tally, test_deadline_ms(100));
    } while (tally.times[next++] == 0);
    for (uint32_t number = 0; number < next; number++)
        CHECK(tally.times[number] <= 1);
    CHECK(tally.distinct > JOBS / 4);
    kill_peer(dying);
    kill_peer(staying);
    records_end(tally.fd);
    CHECK_OK(nn_close(s));
}

static void check_requests(const char *address)
{
    int s = bound_socket(NN_REQ, address);
    struct tally tally = {.fd = records_begin()};
    pid_t peers[2] = {start_peer(NN_REP, address, 0), start_peer(NN_REP, address, 1)};
    uint32_t life = 1;

    for (uint32_t number = 0; number < REQUESTS; number++) {
        struct record request = {0, number};
        CHECK_OK(nn_send(s, &request, sizeof request, 0));
        if (number % 10 == 5) {
            pid_t *victim = &peers[chaos_draw(&chance, 2)];
            kill_peer(*victim);
            *victim = start_peer(NN_REP, address, ++life);
        }
        CHECK_EQUAL(receive_record(s).number, number);
    }
    tally_read(&tally, test_deadline_ms(200));
    for (int number = 0; number < REQUESTS; number++)
        CHECK(tally.times[number] >= 1);
    kill_peer(peers[0]);
    kill_peer(peers[1]);
    records_end(tally.fd);
    CHECK_OK(nn_close(s));
}

/* Takes the answers to a survey: each is to this one, and each life answers once. Returns how many came. */
static int take_answers(int s, uint32_t number)
{
    bool has_answered[RESPONDENTS + SURVEYS] = {false};
    struct record answer;
    int count = 0;

    while (count < RESPONDENTS && nn_recv(s, &answer, sizeof answer, 0) == sizeof answer) {
        CHECK_EQUAL(answer.number, number);
        CHECK(answer.life < RESPONDENTS + SURVEYS && !has_answered[answer.life]);
        has_answered[answer.life] = true;
        count++;
    }
    return count;
}

static void check_surveys(const char *address)
{
    int s = bound_socket(NN_SURVEYOR, address);
    int records = records_begin();
    pid_t peers[RESPONDENTS];
    uint32_t life = 0;

    SET_INT(s, NN_SURVEYOR, NN_SURVEYOR_DEADLINE, test_deadline_ms(1000));
    for (int i = 0; i < RESPONDENTS; i++)
        peers[i] = start_peer(NN_RESPONDENT, address, life++);
    for (uint32_t number = 0; number < SURVEYS; number++) {
        struct record survey = {0, number};
        WAIT_PEERS(s, RESPONDENTS);
        CHECK_OK(nn_send(s, &survey, sizeof survey, 0));
        if (number % 2 == 0) {
            CHECK_EQUAL(take_answers(s, number), RESPONDENTS);
            continue;
        }
        pid_t *victim = &peers[chaos_draw(&chance, RESPONDENTS)];
        kill_peer(*victim);
        CHECK(take_answers(s, number) >= RESPONDENTS - 1);
        WAIT_PEERS(s, RESPONDENTS - 1);
        *victim = start_peer(NN_RESPONDENT, address, life++);
    }
    for (int i = 0; i < RESPONDENTS; i++)
        kill_peer(peers[i]);
    records_end(records);
    CHECK_OK(nn_close(s));
}

/* ---- Cases ---- */

#define CASES_OVER(transport, address)                                                                                 \
    TEST(what_a_killed_push_has_sent_comes_once_in_order_without_gaps_over_##transport)                                \
    {                                                                                                                  \
        killed_senders(NN_PUSH, NN_PULL, address(), true);                                                             \
    }                                                                                                                  \
    TEST(what_a_killed_pair_has_sent_comes_once_in_order_without_gaps_over_##transport)                                \
    {                                                                                                                  \
        killed_senders(NN_PAIR, NN_PAIR, address(), true);                                                             \
    }                                                                                                                  \
    TEST(what_a_killed_pub_has_sent_comes_at_most_once_in_order_over_##transport)                                      \
    {                                                                                                                  \
        killed_senders(NN_PUB, NN_SUB, address(), false);                                                              \
    }                                                                                                                  \
    TEST(what_a_killed_bus_has_sent_comes_at_most_once_in_order_over_##transport)                                      \
    {                                                                                                                  \
        killed_senders(NN_BUS, NN_BUS, address(), false);                                                              \
    }                                                                                                                  \
    TEST(jobs_go_to_one_pull_at_most_once_while_others_are_killed_over_##transport)                                    \
    {                                                                                                                  \
        check_jobs(address());                                                                                         \
    }                                                                                                                  \
    TEST(every_request_has_its_own_reply_while_reps_are_killed_over_##transport)                                       \
    {                                                                                                                  \
        check_requests(address());                                                                                     \
    }                                                                                                                  \
    TEST(a_survey_gets_one_answer_of_each_respondent_that_lives_over_##transport)                                      \
    {                                                                                                                  \
        check_surveys(address());                                                                                      \
    }

CASES_OVER(ipc, test_ipc_address)
CASES_OVER(tcp, test_tcp_address)
CASES_OVER(ws, test_ws_address)
#ifdef HAVE_TLS
CASES_OVER(tls, tls_address)
CASES_OVER(wss, tls_wss_address)
#endif
