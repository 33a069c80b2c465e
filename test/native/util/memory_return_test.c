/* What floods of peers took goes back to the system when they are gone. */
#include "raw_peer.h"
#include "sockets.h"

#include <nanomsg/pipeline.h>
#include <nanomsg/pubsub.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PEERS 300
#define ROUNDS 2
/* All together stay below the default of NN_MAX_UNFINISHED_BYTES: no peer waits for room, and none loses it. */
#define ANNOUNCED_BYTES ((size_t)800000)
/* What may stay: a spare slab, tables that have grown, and what the attack suite allows. */
#define ALLOWED_BYTES ((size_t)20 * 1024 * 1024)

/* The sanitizers keep what is freed. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MEMORY_GOES_BACK 0
#else
#define MEMORY_GOES_BACK 1
#endif

static size_t resident_bytes(void)
{
    unsigned long size;
    unsigned long resident;
    FILE *file = fopen("/proc/self/statm", "r");

    CHECK(file != NULL);
    CHECK_EQUAL(fscanf(file, "%lu %lu", &size, &resident), 2);
    fclose(file);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

/* A process of its own, so that only what the sockets take is measured here; it begins and ends when it is told. */
struct attacker {
    pid_t child;
    int begin;
    int done;
    int end;
};

static void tell(int fd)
{
    CHECK_EQUAL(write(fd, "x", 1), 1);
}

static void hear(int fd)
{
    char byte;

    CHECK_EQUAL(read(fd, &byte, 1), 1);
}

static struct attacker attacker_start(void (*attack)(const char *, unsigned), const char *address, unsigned seed)
{
    int begin[2], done[2], end[2];

    CHECK_OK(pipe(begin));
    CHECK_OK(pipe(done));
    CHECK_OK(pipe(end));
    fflush(NULL);
    pid_t child = (pid_t)CHECK_OK(fork());
    if (child == 0) {
        alarm((unsigned)test_default_deadline_ms() / 1000);
        hear(begin[0]);
        attack(address, seed);
        tell(done[1]);
        hear(end[0]);
        _exit(0);
    }
    close(begin[0]);
    close(done[1]);
    close(end[0]);
    return (struct attacker){child, begin[1], done[0], end[1]};
}

static void attacker_end(const struct attacker *self)
{
    int status = -1;

    tell(self->end);
    CHECK_EQUAL(waitpid(self->child, &status, 0), self->child);
    CHECK_EQUAL(status, 0);
    close(self->begin);
    close(self->done);
    close(self->end);
}

static void wait_for_memory(size_t before_bytes)
{
    int64_t deadline_ms = test_wait_deadline();

    while (MEMORY_GOES_BACK && resident_bytes() > before_bytes + ALLOWED_BYTES) {
        if (test_pause(deadline_ms))
            FAIL("%zu KiB are left of a flood, before it there were %zu", resident_bytes() / 1024, before_bytes / 1024);
    }
}

/* A peer that has come after the flood and stays holds on to what malloc has placed behind the flood's memory. */
static void check_rounds(int protocol, int peer_protocol, const char *address, void (*attack)(const char *, unsigned),
                         void (*meanwhile)(int))
{
    struct attacker attackers[ROUNDS];
    int survivors[ROUNDS];

    for (unsigned i = 0; i < ROUNDS; i++)
        attackers[i] = attacker_start(attack, address, i);
    int s = test_socket_bound(protocol, address);
    size_t before_bytes = resident_bytes();
    for (int i = 0; i < ROUNDS; i++) {
        tell(attackers[i].begin);
        hear(attackers[i].done);
        WAIT_PEERS(s, PEERS + i);
        if (meanwhile != NULL)
            meanwhile(s);
        survivors[i] = raw_connect_admitted(address, peer_protocol, protocol);
        raw_send_prefix(survivors[i], address, ANNOUNCED_BYTES);
        WAIT_PEERS(s, PEERS + i + 1);
        attacker_end(&attackers[i]);
        WAIT_PEERS(s, i + 1);
        wait_for_memory(before_bytes);
    }
    for (int i = 0; i < ROUNDS; i++)
        close(survivors[i]);
}

static void send_halves(const char *address, unsigned seed)
{
    static uint8_t body[ANNOUNCED_BYTES];

    srand(seed + 1);
    for (int i = 0; i < PEERS; i++) {
        int peer = raw_connect_admitted(address, NN_PUSH, NN_PULL);
        raw_send_prefix(peer, address, ANNOUNCED_BYTES);
        raw_send(peer, body, 100000 + (size_t)rand() % (ANNOUNCED_BYTES / 2));
    }
}

TEST_OVER_STREAMS(memory_of_messages_that_stopped_half_way_goes_back)
{
    check_rounds(NN_PULL, NN_PUSH, new_address(), send_halves, NULL);
}

static void subscribe(const char *address, unsigned seed)
{
    (void)seed;
    for (int i = 0; i < PEERS; i++)
        raw_connect_admitted(address, NN_SUB, NN_PUB);
}

/* Short messages are copied to each of the peers. */
static void publish(int pub)
{
    static const uint8_t body[3000];

    for (int i = 0; i < 300; i++)
        CHECK_OK(nn_send(pub, body, sizeof body, 0));
}

/* Over ipc, where the kernel keeps less than over tcp. */
TEST(memory_of_messages_for_peers_that_read_nothing_goes_back)
{
    check_rounds(NN_PUB, NN_SUB, test_ipc_address(), subscribe, publish);
}
