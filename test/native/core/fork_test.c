/* fork(2) in a process with open sockets: the parent goes on as if nothing had happened; in the child the sockets are
 * gone, and it can open its own. */
#include "raw_peer.h"
#include "sockets.h"
#include "ws_peer.h"

#include <nanomsg/loop.h>
#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/reqrep.h>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the sanitizers of gcc cannot follow: ThreadSanitizer a child that starts threads, AddressSanitizer a fork while
 * another thread allocates, which may leave the locks of its allocator behind. */
#if defined(__SANITIZE_THREAD__)
#define CAN_START_THREADS_IN_CHILD 0
#define CAN_FORK_AMONG_BUSY_THREADS 0
#elif defined(__SANITIZE_ADDRESS__)
#define CAN_START_THREADS_IN_CHILD 1
#define CAN_FORK_AMONG_BUSY_THREADS 0
#else
#define CAN_START_THREADS_IN_CHILD 1
#define CAN_FORK_AMONG_BUSY_THREADS 1
#endif

/* ---- Children ---- */

/* Waits until all other threads sleep, for AddressSanitizer's sake. */
static void wait_quiet(void)
{
    int64_t deadline_ms = test_wait_deadline();
    bool is_quiet = false;

    while (!is_quiet) {
        DIR *list = opendir("/proc/self/task");
        struct dirent *entry;

        CHECK(list != NULL);
        is_quiet = true;
        while ((entry = readdir(list)) != NULL) {
            long id = atol(entry->d_name);
            if (id > 0 && id != syscall(SYS_gettid) && !test_is_asleep(id))
                is_quiet = false;
        }
        closedir(list);
        CHECK(is_quiet || !test_pause(deadline_ms));
    }
}

/* Ends with 0 when the body returns; a check that fails ends it with 1, and a hang with a signal. */
static pid_t child_start_now(void (*body)(void *), void *argument)
{
    fflush(NULL);
    pid_t child = (pid_t)CHECK_OK(fork());
    if (child == 0) {
        alarm((unsigned)test_deadline_ms(15000) / 1000);
        body(argument);
        _exit(0);
    }
    return child;
}

static pid_t child_start(void (*body)(void *), void *argument)
{
    wait_quiet();
    return child_start_now(body, argument);
}

static void child_check(pid_t child)
{
    int status = -1;

    CHECK_EQUAL(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        FAIL("the child ended with status 0x%x", (unsigned)status);
}

static void in_child(void (*body)(void *), void *argument)
{
    child_check(child_start(body, argument));
}

/* ---- The parent's sockets ---- */

struct pair {
    const char *address;
    int bound;
    int connected;
};

static struct pair pair_open(const char *address)
{
    struct pair pair = {address, test_socket_bound(NN_PAIR, address), test_socket_connected(NN_PAIR, address)};

    WAIT_PEERS(pair.bound, 1);
    WAIT_PEERS(pair.connected, 1);
    return pair;
}

static void check_talk(const struct pair *pair)
{
    CHECK_SENDS(pair->bound, "there");
    CHECK_RECEIVES(pair->connected, "there");
    CHECK_SENDS(pair->connected, "and back");
    CHECK_RECEIVES(pair->bound, "and back");
}

static void check_undisturbed(const struct pair *pair)
{
    check_talk(pair);
    CHECK_EQUAL(nn_get_statistic(pair->connected, NN_STAT_ESTABLISHED_CONNECTIONS), 1);
    CHECK_EQUAL(nn_get_statistic(pair->connected, NN_STAT_BROKEN_CONNECTIONS), 0);
    CHECK_EQUAL(nn_get_statistic(pair->bound, NN_STAT_BROKEN_CONNECTIONS), 0);
}

static void leave_at_once(void *argument)
{
    (void)argument;
}

static void leave_through_exit(void *argument)
{
    (void)argument;
    exit(0);
}

TEST_OVER_TRANSPORTS(a_child_that_leaves_does_not_disturb_its_parent)
{
    struct pair pair = pair_open(new_address());

    in_child(leave_at_once, NULL);
    check_undisturbed(&pair);
    in_child(leave_through_exit, NULL);
    check_undisturbed(&pair);
}

/* ---- The child and what it inherited ---- */

static void check_every_call_is_EBADF(int s)
{
    struct nn_pollfd entry = {.fd = s, .events = NN_POLLIN};
    int value = 0;
    size_t size = sizeof value;
    char byte;

    CHECK_ERRNO(nn_send(s, "stray", 5, NN_DONTWAIT), EBADF);
    CHECK_ERRNO(nn_send(s, "stray", 5, 0), EBADF);
    CHECK_ERRNO(nn_recv(s, &byte, 1, NN_DONTWAIT), EBADF);
    CHECK_ERRNO(nn_recv(s, &byte, 1, 0), EBADF);
    CHECK_ERRNO(nn_poll(&entry, 1, 1000), EBADF);
    CHECK_ERRNO(nn_getsockopt(s, NN_SOL_SOCKET, NN_PROTOCOL, &value, &size), EBADF);
    CHECK_ERRNO(nn_setsockopt(s, NN_SOL_SOCKET, NN_LINGER, &value, sizeof value), EBADF);
    CHECK_ERRNO(nn_bind(s, "inproc://a"), EBADF);
    CHECK_ERRNO(nn_connect(s, "inproc://a"), EBADF);
    CHECK_ERRNO(nn_shutdown(s, 1), EBADF);
    CHECK_ERRNO(nn_device(s, s), EBADF);
    CHECK_ERRNO((int64_t)nn_get_statistic(s, NN_STAT_MESSAGES_SENT), EBADF);
    CHECK_ERRNO(nn_close(s), EBADF);
}

static void use_inherited(void *argument)
{
    const struct pair *pair = argument;

    check_every_call_is_EBADF(pair->bound);
    check_every_call_is_EBADF(pair->connected);
    nn_term();
    check_every_call_is_EBADF(pair->bound);
}

TEST_OVER_TRANSPORTS(inherited_sockets_are_EBADF_in_the_child)
{
    struct pair pair = pair_open(new_address());

    check_talk(&pair);
    in_child(use_inherited, &pair);
    check_undisturbed(&pair);
}

static int count_descriptors(void)
{
    DIR *list = opendir("/proc/self/fd");
    int count = 0;

    CHECK(list != NULL);
    while (readdir(list) != NULL)
        count++;
    closedir(list);
    return count;
}

static void check_descriptors(void *argument)
{
    CHECK_EQUAL(count_descriptors(), *(int *)argument);
}

TEST(a_child_has_no_descriptors_of_the_parents_sockets)
{
    int before = count_descriptors();
    struct pair pairs[] = {pair_open(test_tcp_address()), pair_open(test_ipc_address())};

    for (int i = 0; i < 2; i++) {
        check_talk(&pairs[i]);
        test_get_int(pairs[i].bound, NN_SOL_SOCKET, NN_RCVFD);
        test_get_int(pairs[i].bound, NN_SOL_SOCKET, NN_SNDFD);
    }
    CHECK_SILENT(pairs[0].bound);
    CHECK(count_descriptors() > before);
    in_child(check_descriptors, &before);
    check_undisturbed(&pairs[0]);
    check_undisturbed(&pairs[1]);
}

TEST(descriptors_of_sockets_do_not_pass_exec)
{
    bool was_open[256];
    int checked = 0;

    for (int fd = 0; fd < 256; fd++)
        was_open[fd] = fcntl(fd, F_GETFD) >= 0;
    struct pair pairs[] = {pair_open(test_tcp_address()), pair_open(test_ipc_address())};
    test_get_int(pairs[0].bound, NN_SOL_SOCKET, NN_RCVFD);
    CHECK_SILENT(pairs[1].bound);
    for (int fd = 0; fd < 256; fd++) {
        int flags = was_open[fd] ? -1 : fcntl(fd, F_GETFD);
        if (flags < 0)
            continue;
        CHECK(flags & FD_CLOEXEC);
        checked++;
    }
    CHECK(checked >= 10);
}

/* ---- A child that stays ---- */

struct staying {
    pid_t child;
    int hold; /* the child leaves when this is closed */
};

static void stay(void *argument)
{
    int *ends = argument;
    char byte;

    close(ends[1]);
    CHECK_EQUAL(read(ends[0], &byte, 1), 0);
}

static struct staying staying_start(void)
{
    int ends[2];

    CHECK_OK(pipe2(ends, O_CLOEXEC));
    struct staying staying = {child_start(stay, ends), ends[1]};
    close(ends[0]);
    return staying;
}

static void staying_end(struct staying *self)
{
    close(self->hold);
    child_check(self->child);
}

TEST_OVER_TRANSPORTS(what_the_parent_closes_is_closed_though_a_child_stays)
{
    struct pair pair = pair_open(new_address());
    struct staying staying = staying_start();

    CHECK_OK(nn_close(pair.bound));
    WAIT_PEERS(pair.connected, 0);
    pair.bound = test_socket_bound(NN_PAIR, pair.address);
    WAIT_PEERS(pair.connected, 1);
    WAIT_PEERS(pair.bound, 1);
    check_talk(&pair);
    staying_end(&staying);
    check_talk(&pair);
}

struct dying {
    struct pair pair;
    int hold[2];  /* ends when the test has seen enough */
    int ready[2]; /* from the one that stays */
};

static void tell_and_stay(void *argument)
{
    struct dying *self = argument;

    CHECK_EQUAL(write(self->ready[1], "x", 1), 1);
    stay(self->hold);
}

/* Dies with open sockets, and leaves a child behind. */
static void die(void *argument)
{
    struct dying *self = argument;
    char byte;

    self->pair = pair_open(self->pair.address);
    check_talk(&self->pair);
    child_start(tell_and_stay, self);
    CHECK_EQUAL(read(self->ready[0], &byte, 1), 1);
}

TEST_OVER_TRANSPORTS(a_process_that_dies_is_gone_though_its_child_stays)
{
    struct dying dying = {.pair.address = new_address()};

    CHECK_OK(pipe2(dying.hold, O_CLOEXEC));
    CHECK_OK(pipe2(dying.ready, O_CLOEXEC));
    in_child(die, &dying);
    /* Were the dead one's descriptors still open in the grandchild, its path or port would be in use. */
    dying.pair = pair_open(dying.pair.address);
    check_undisturbed(&dying.pair);
    for (int i = 0; i < 2; i++) {
        close(dying.hold[i]);
        close(dying.ready[i]);
    }
}

/* ---- A child that opens its own ---- */

#if CAN_START_THREADS_IN_CHILD

static void use_afresh(void *argument)
{
    const char *(*const addresses[])(void) = {test_inproc_address, test_ipc_address, test_tcp_address};
    const struct pair *parents = argument;

    for (int i = 0; i < 3; i++) {
        struct pair pair = pair_open(addresses[i]());
        CHECK(pair.bound != parents->bound && pair.bound != parents->connected);
        CHECK(pair.connected != parents->bound && pair.connected != parents->connected);
        check_undisturbed(&pair);
        CHECK_OK(nn_close(pair.bound));
        CHECK_OK(nn_close(pair.connected));
    }
    check_every_call_is_EBADF(parents->bound);
    nn_term();
}

TEST_OVER_TRANSPORTS(a_child_can_open_sockets_of_its_own)
{
    struct pair pair = pair_open(new_address());

    in_child(use_afresh, &pair);
    check_undisturbed(&pair);
}

static void bind_the_same_name(void *argument)
{
    const struct pair *parents = argument;
    struct pair pair = pair_open(parents->address);

    check_undisturbed(&pair);
    nn_term();
}

TEST(names_of_inproc_are_those_of_one_process)
{
    struct pair pair = pair_open(test_inproc_address());
    int waiting = test_socket_connected(NN_PAIR, "inproc://nobody");

    in_child(bind_the_same_name, &pair);
    check_undisturbed(&pair);
    CHECK_EQUAL(nn_get_statistic(waiting, NN_STAT_CURRENT_CONNECTIONS), 0);
}

struct asking {
    const char *address;
    int go[2]; /* ends when all children are there */
};

static void ask(void *argument)
{
    struct asking *self = argument;

    stay(self->go);
    int request = test_socket_connected(NN_REQ, self->address);
    for (int i = 0; i < 20; i++) {
        CHECK_SENDS(request, "?");
        CHECK_RECEIVES(request, "!");
    }
    nn_term();
}

TEST_OVER_STREAMS(children_talk_to_their_parent)
{
    enum { CHILDREN = 3, REQUESTS = 20 };
    struct asking asking = {.address = new_address()};
    int reply = test_socket_bound(NN_REP, asking.address);
    pid_t children[CHILDREN];

    CHECK_OK(pipe2(asking.go, O_CLOEXEC));
    for (int i = 0; i < CHILDREN; i++)
        children[i] = child_start(ask, &asking);
    close(asking.go[0]);
    close(asking.go[1]);
    for (int i = 0; i < CHILDREN * REQUESTS; i++) {
        CHECK_RECEIVES(reply, "?");
        CHECK_SENDS(reply, "!");
    }
    for (int i = 0; i < CHILDREN; i++)
        child_check(children[i]);
}

static void fork_again(void *argument)
{
    struct pair pair = pair_open(test_ipc_address());

    check_every_call_is_EBADF(((struct pair *)argument)->bound);
    in_child(use_afresh, &pair);
    check_undisturbed(&pair);
    nn_term();
}

TEST(children_have_children)
{
    struct pair pair = pair_open(test_tcp_address());

    in_child(fork_again, &pair);
    check_undisturbed(&pair);
}

/* ---- Waiting at the same time ---- */

static void wait_for_nothing(void *argument)
{
    int pull = test_socket_bound(NN_PULL, test_inproc_address());
    char byte;

    (void)argument;
    SET_INT(pull, NN_SOL_SOCKET, NN_RCVTIMEO, 20);
    for (int i = 0; i < 15; i++)
        CHECK_ERRNO(nn_recv(pull, &byte, 1, 0), ETIMEDOUT);
}

static void send_now_and_then(void *argument)
{
    for (int i = 0; i < 40; i++) {
        test_pause(0);
        CHECK_SENDS(*(int *)argument, "x");
    }
}

TEST(a_child_that_waits_does_not_take_its_parents_wake_ups)
{
    struct pair pair = pair_open(test_inproc_address());

    CHECK_SILENT(pair.bound); /* what this thread sleeps on is made before it forks */
    pid_t child = child_start(wait_for_nothing, NULL);
    struct test_thread *thread = test_thread_start(send_now_and_then, &pair.connected);
    for (int i = 0; i < 40; i++)
        CHECK_RECEIVES(pair.bound, "x");
    test_thread_join(thread);
    child_check(child);
}

/* ---- Forking among busy threads ---- */

#if CAN_FORK_AMONG_BUSY_THREADS

struct traffic {
    struct pair pair;
    atomic_bool is_over;
};

static void run_traffic(void *argument)
{
    struct traffic *self = argument;

    while (!atomic_load(&self->is_over)) {
        int visitor = test_socket_connected(NN_PUSH, "inproc://somewhere");
        check_talk(&self->pair);
        CHECK_OK(nn_close(visitor));
    }
}

TEST(a_fork_among_busy_threads_leaves_no_lock_behind)
{
    enum { THREADS = 3, FORKS = 30 };
    const char *(*const addresses[])(void) = {test_inproc_address, test_ipc_address, test_tcp_address};
    static struct traffic traffic[THREADS];
    struct test_thread *threads[THREADS];

    for (int i = 0; i < THREADS; i++) {
        traffic[i].pair = pair_open(addresses[i]());
        threads[i] = test_thread_start(run_traffic, &traffic[i]);
    }
    for (int i = 0; i < FORKS; i++)
        child_check(child_start_now(use_afresh, &traffic[i % THREADS].pair));
    for (int i = 0; i < THREADS; i++) {
        atomic_store(&traffic[i].is_over, true);
        test_thread_join(threads[i]);
        check_undisturbed(&traffic[i].pair);
    }
}

#endif
#endif

/* ---- Loops of the program ---- */

static void use_inherited_loop(void *argument)
{
    struct nn_loop *loop = argument;
    void *user;
    int events;

    CHECK_EQUAL(nn_loop_run(loop, 10), 0);
    CHECK_EQUAL(nn_loop_next_ready(loop, &user, &events), 0);
    CHECK(!nn_loop_is_lingering(loop));
    CHECK_ERRNO(nn_loop_socket(loop, AF_SP, NN_PAIR, NULL), EBADF);
    nn_loop_destroy(loop);

    loop = nn_loop_create(NULL);
    CHECK(loop != NULL);
    CHECK_OK(nn_loop_socket(loop, AF_SP, NN_PAIR, NULL));
    nn_loop_destroy(loop);
}

TEST(a_loop_belongs_to_the_process_that_made_it)
{
    const char *address = test_ipc_address();
    struct nn_loop *loop = nn_loop_create(NULL);
    int64_t deadline_ms = test_wait_deadline();
    int push = test_socket_connected(NN_PUSH, address);
    int pull = (int)CHECK_OK(nn_loop_socket(loop, AF_SP, NN_PULL, NULL));
    char byte = 0;

    CHECK_OK(nn_bind(pull, address));
    in_child(use_inherited_loop, loop);
    while (nn_get_statistic(push, NN_STAT_CURRENT_CONNECTIONS) == 0) {
        nn_loop_run(loop, 10);
        CHECK(!test_pause(deadline_ms));
    }
    CHECK_SENDS(push, "x");
    while (nn_recv(pull, &byte, 1, NN_DONTWAIT) < 0) {
        nn_loop_run(loop, 10);
        CHECK(!test_pause(deadline_ms));
    }
    CHECK_EQUAL(byte, 'x');
    nn_loop_destroy(loop);
}

/* ---- Random numbers ---- */

/* The key of the mask of a client's next frame, whose body is "x". */
static uint32_t receive_mask(int fd)
{
    uint8_t frame[7];
    uint32_t key;

    raw_receive(fd, frame, sizeof frame);
    CHECK_EQUAL(frame[6] ^ frame[2], 'x');
    memcpy(&key, frame + 2, sizeof key);
    return key;
}

static void send_masked(void *argument)
{
    int pair = test_socket_connected(NN_PAIR, argument);

    CHECK_SENDS(pair, "x");
    CHECK_OK(nn_close(pair)); /* when it has left */
}

static int accept_websocket(int listener)
{
    int fd = raw_accept(listener);

    ws_accept(fd, "pair");
    return fd;
}

TEST(a_child_masks_with_other_keys_than_its_parent)
{
    const char *address = test_ws_address();
    int listener = raw_listen(address);
    int pair = test_socket_connected(NN_PAIR, address);
    int parents = accept_websocket(listener);

    if (!CAN_START_THREADS_IN_CHILD) {
        close(parents);
        close(listener);
        return;
    }
    CHECK_SENDS(pair, "x");
    receive_mask(parents); /* from here on there are numbers in store */
    pid_t child = child_start(send_masked, (void *)address);
    int childs = accept_websocket(listener);
    uint32_t in_child = receive_mask(childs);
    raw_reset(childs);
    child_check(child);
    CHECK_SENDS(pair, "x");
    CHECK(receive_mask(parents) != in_child);
    close(parents);
    close(listener);
}
