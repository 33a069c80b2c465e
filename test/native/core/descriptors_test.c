/* When the system has no descriptor left: what cannot be done says so and changes nothing, and what can wait is done
 * when there are some again. */
#include "raw_peer.h"
#include "sockets.h"

#include <nanomsg/loop.h>
#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/reqrep.h>

#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* ---- Using descriptors up ---- */

enum { LIMIT = 400, ACCEPT_PAUSE_MS = 100 };

static int fillers[LIMIT];
static int filler_count;

static void take_rest(void)
{
    int fd;

    while ((fd = dup(STDIN_FILENO)) >= 0)
        fillers[filler_count++] = fd;
    CHECK_EQUAL(errno, EMFILE);
}

/* Leaves exactly that number. */
static void leave(int count)
{
    take_rest();
    for (int i = 0; i < count; i++)
        close(fillers[--filler_count]);
}

static void leave_many(void)
{
    while (filler_count > 0)
        close(fillers[--filler_count]);
}

static void set_limit(void)
{
    struct rlimit limit;

    CHECK_OK(getrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_cur = LIMIT;
    CHECK_OK(setrlimit(RLIMIT_NOFILE, &limit));
    test_at_end(leave_many);
}

/* How many can still be opened. */
static int count_left(void)
{
    int opened[LIMIT];
    int count = 0;

    while ((opened[count] = dup(STDIN_FILENO)) >= 0)
        count++;
    for (int i = 0; i < count; i++)
        close(opened[i]);
    return count;
}

/* ---- Opening ---- */

TEST(the_first_socket_is_EMFILE_when_the_engine_cannot_start)
{
    int needed = 0;
    int s;

    test_allow_open("anon_inode:[eventfd]"); /* a thread keeps what it sleeps on */
    set_limit();
    leave(0);
    while ((s = nn_socket(AF_SP, NN_PAIR)) < 0) {
        CHECK_EQUAL(nn_errno(), EMFILE);
        CHECK_EQUAL(count_left(), needed); /* nothing is kept of what was opened before one was missing */
        CHECK(needed < 10);
        leave(++needed);
    }
    CHECK(needed > 0);
    leave_many();
    CHECK_EQUAL(test_get_int(s, NN_SOL_SOCKET, NN_PROTOCOL), NN_PAIR);
    CHECK_OK(nn_close(s));
    nn_term();
}

TEST(a_loop_is_EMFILE_when_it_cannot_be_made)
{
    struct nn_loop *loop;
    int needed = 0;

    set_limit();
    leave(0);
    while ((loop = nn_loop_create(NULL)) == NULL) {
        CHECK_EQUAL(errno, EMFILE);
        CHECK_EQUAL(count_left(), needed);
        CHECK(needed < 10);
        leave(++needed);
    }
    CHECK(needed > 0);
    nn_loop_destroy(loop);
}

TEST(further_sockets_need_no_descriptor)
{
    int first = SOCKET(NN_PUSH);
    const char *address = test_inproc_address();

    CHECK_OK(nn_bind(first, address));
    set_limit();
    leave(1); /* to wait on */
    int second = test_socket_connected(NN_PULL, address);
    CHECK_SENDS(first, "x");
    CHECK_RECEIVES(second, "x");
}

/* ---- Binding, connecting, waiting ---- */

TEST_OVER_STREAMS(binding_is_EMFILE_and_changes_nothing)
{
    const char *address = new_address();
    int pull = SOCKET(NN_PULL);

    set_limit();
    leave(0);
    CHECK_ERRNO(nn_bind(pull, address), EMFILE);
    CHECK_ERRNO(nn_bind(pull, address), EMFILE);
    CHECK_EQUAL(nn_get_statistic(pull, NN_STAT_CURRENT_EP_ERRORS), 0);
    CHECK_EQUAL(count_left(), 0);
    leave_many();
    CHECK_EQUAL(CHECK_OK(nn_bind(pull, address)), 1); /* no number was used up */
    CHECK_SENDS(test_socket_connected(NN_PUSH, address), "x");
    CHECK_RECEIVES(pull, "x");
}

/* One more descriptor at each attempt: so each step of binding to a path is once the one that gets none. */
static void bind_with_ever_more(int s, const char *address)
{
    int needed = 0;

    leave(0);
    while (nn_bind(s, address) < 0) {
        CHECK_EQUAL(nn_errno(), EMFILE);
        CHECK_EQUAL(count_left(), needed);
        CHECK(needed < 10);
        leave(++needed);
    }
    CHECK(needed > 0);
    leave_many();
}

static void check_bound_alone(const char *folder)
{
    DIR *list = opendir(folder);
    int count = 0;

    CHECK(list != NULL);
    while (readdir(list) != NULL)
        count++;
    closedir(list);
    CHECK_EQUAL(count, 3); /* itself, its parent and the socket: no lock, no private name */
}

/* Where the path is as long as paths of sockets may be, the folder is opened too. */
static void check_binding_to_a_path(size_t length, bool is_left_by_the_dead)
{
    char folder[NN_SOCKADDR_MAX];
    char address[2 * NN_SOCKADDR_MAX];
    int pull = SOCKET(NN_PULL);

    snprintf(folder, sizeof folder, "%.64s.folder", strstr(test_ipc_address(), "://") + 3);
    CHECK_OK(mkdir(folder, 0700));
    snprintf(address, sizeof address, "ipc://%s/%0*d", folder, (int)(length - strlen(folder) - 1), 0);
    if (is_left_by_the_dead)
        close(raw_listen(address));
    set_limit();
    bind_with_ever_more(pull, address);
    check_bound_alone(folder);
    CHECK_SENDS(test_socket_connected(NN_PUSH, address), "x");
    CHECK_RECEIVES(pull, "x");
}

enum { SHORT_PATH_BYTES = 80, LONG_PATH_BYTES = sizeof((struct sockaddr_un *)0)->sun_path - 1 };

TEST(binding_to_a_long_path_is_EMFILE_at_each_step)
{
    check_binding_to_a_path(LONG_PATH_BYTES, false);
}

TEST(binding_to_the_path_of_a_dead_process_is_EMFILE_too)
{
    check_binding_to_a_path(SHORT_PATH_BYTES, true);
}

TEST(binding_to_the_long_path_of_a_dead_process_is_EMFILE_too)
{
    check_binding_to_a_path(LONG_PATH_BYTES, true);
}

/* Connecting happens in the background: it goes on until it succeeds. */
TEST_OVER_STREAMS(connecting_is_tried_again_until_there_is_a_descriptor)
{
    const char *address = new_address();
    int push = SOCKET(NN_PUSH);
    int pull = test_socket_bound(NN_PULL, address);

    SET_INT(push, NN_SOL_SOCKET, NN_RECONNECT_IVL, 20);
    set_limit();
    leave(0);
    CHECK_EQUAL(CHECK_OK(nn_connect(push, address)), 1);
    WAIT_STATISTIC_AT_LEAST(push, NN_STAT_CONNECT_ERRORS, 3);
    CHECK_EQUAL(nn_get_statistic(push, NN_STAT_CURRENT_EP_ERRORS), 1);
    CHECK_EQUAL(nn_get_statistic(push, NN_STAT_ESTABLISHED_CONNECTIONS), 0);
    leave_many();
    CHECK_SENDS(push, "x");
    CHECK_RECEIVES(pull, "x");
    CHECK_EQUAL(nn_get_statistic(push, NN_STAT_CURRENT_EP_ERRORS), 0);
}

TEST(a_descriptor_for_another_loop_is_EMFILE)
{
    int pair = SOCKET(NN_PAIR);
    int value = 77;
    size_t size = sizeof value;

    set_limit();
    leave(0);
    CHECK_ERRNO(nn_getsockopt(pair, NN_SOL_SOCKET, NN_RCVFD, &value, &size), EMFILE);
    CHECK_ERRNO(nn_getsockopt(pair, NN_SOL_SOCKET, NN_SNDFD, &value, &size), EMFILE);
    CHECK_EQUAL(value, 77);
    leave_many();
    CHECK(test_get_int(pair, NN_SOL_SOCKET, NN_RCVFD) >= 0);
}

struct later {
    int s;
    const char *text;
};

static void send_later(void *argument)
{
    const struct later *self = argument;

    poll(NULL, 0, 50);
    CHECK_SENDS(self->s, self->text);
}

static void check_receives_later(int from, int to)
{
    struct later later = {from, "comes later"};
    struct test_thread *thread = test_thread_start(send_later, &later);

    SET_INT(to, NN_SOL_SOCKET, NN_RCVTIMEO, 5000);
    CHECK_RECEIVES(to, "comes later");
    test_thread_join(thread);
}

TEST(waiting_needs_no_descriptor)
{
    const char *address = test_inproc_address();
    int push = SOCKET(NN_PUSH);
    int pull = test_socket_bound(NN_PULL, address);
    struct nn_pollfd entry = {.fd = pull, .events = NN_POLLIN};
    char byte;

    SET_INT(push, NN_SOL_SOCKET, NN_SNDTIMEO, 30);
    SET_INT(pull, NN_SOL_SOCKET, NN_RCVTIMEO, 30);
    set_limit();
    leave(0);
    CHECK_ERRNO(nn_send(push, "x", 1, 0), ETIMEDOUT);
    CHECK_ERRNO(nn_recv(pull, &byte, 1, 0), ETIMEDOUT);
    CHECK_EQUAL(CHECK_OK(nn_poll(&entry, 1, 30)), 0);
    CHECK_OK(nn_connect(push, address));
    WAIT_PEERS(push, 1);
    check_receives_later(push, pull);
    leave_many();
}

/* Without one the call cannot look after the connection: the engine's thread does. */
TEST_OVER_STREAMS(waiting_for_a_connection_needs_none_either)
{
    const char *address = new_address();
    int pull = test_socket_bound(NN_PULL, address);
    int push = test_socket_connected(NN_PUSH, address);

    WAIT_PEERS(push, 1);
    WAIT_PEERS(pull, 1);
    set_limit();
    leave(0);
    check_receives_later(push, pull);
    leave_many();
    check_receives_later(push, pull);
}

/* ---- Accepting ---- */

static int64_t cpu_ms(void)
{
    struct timespec used;

    CHECK_OK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used));
    return (int64_t)used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

struct scene {
    const char *address;
    int pull;
    int honest;
};

static struct scene scene_open(const char *address)
{
    struct scene scene = {address, test_socket_bound(NN_PULL, address), test_socket_connected(NN_PUSH, address)};

    WAIT_PEERS(scene.honest, 1);
    WAIT_PEERS(scene.pull, 1);
    return scene;
}

static void check_honest(const struct scene *scene)
{
    CHECK_SENDS(scene->honest, "honest");
    CHECK_RECEIVES(scene->pull, "honest");
}

TEST_OVER_STREAMS(accepting_pauses_without_descriptors_and_goes_on_with_them)
{
    enum { PEERS = 5 };
    struct scene scene = scene_open(new_address());
    int fds[PEERS];

    for (int i = 0; i < PEERS; i++)
        fds[i] = raw_open(scene.address);
    set_limit();
    leave(0);
    int64_t start_ms = test_now_ms();
    int64_t start_cpu_ms = cpu_ms();
    for (int i = 0; i < PEERS; i++) {
        raw_connect_opened(fds[i], scene.address);
        raw_send_handshake(fds[i], NN_PUSH);
    }
    WAIT_STATISTIC_AT_LEAST(scene.pull, NN_STAT_ACCEPT_ERRORS, 4);
    uint64_t errors = nn_get_statistic(scene.pull, NN_STAT_ACCEPT_ERRORS);
    int64_t elapsed_ms = test_now_ms() - start_ms;
    CHECK((int64_t)errors <= elapsed_ms / ACCEPT_PAUSE_MS + 1);
    CHECK(cpu_ms() - start_cpu_ms < elapsed_ms / 2 + test_deadline_ms(100)); /* it does not spin */
    CHECK_EQUAL(nn_get_statistic(scene.pull, NN_STAT_CURRENT_EP_ERRORS), 1);
    CHECK_EQUAL(nn_get_statistic(scene.pull, NN_STAT_ACCEPTED_CONNECTIONS), 1);
    check_honest(&scene);

    leave_many();
    for (int i = 0; i < PEERS; i++) {
        raw_expect_handshake(fds[i], NN_PULL);
        raw_send_message(fds[i], scene.address, "x", 1);
        CHECK_RECEIVES(scene.pull, "x");
        close(fds[i]);
    }
    CHECK_EQUAL(nn_get_statistic(scene.pull, NN_STAT_CURRENT_EP_ERRORS), 0);
    CHECK_EQUAL(nn_get_statistic(scene.pull, NN_STAT_ACCEPTED_CONNECTIONS), PEERS + 1);
    check_honest(&scene);
}

TEST_OVER_STREAMS(a_peer_that_waits_is_accepted_when_another_one_leaves)
{
    struct scene scene = scene_open(new_address());
    int accepted = raw_connect_admitted(scene.address, NN_PUSH, NN_PULL);
    int waiting = raw_open(scene.address);

    set_limit();
    leave(0);
    raw_connect_opened(waiting, scene.address);
    raw_send_handshake(waiting, NN_PUSH);
    WAIT_STATISTIC_AT_LEAST(scene.pull, NN_STAT_ACCEPT_ERRORS, 1);
    close(accepted);
    raw_expect_handshake(waiting, NN_PULL);
    raw_send_message(waiting, scene.address, "x", 1);
    CHECK_RECEIVES(scene.pull, "x");
    close(waiting);
    check_honest(&scene);
}

TEST_OVER_STREAMS(a_socket_can_be_closed_while_accepting_pauses)
{
    struct scene scene = scene_open(new_address());
    int fd = raw_open(scene.address);

    set_limit();
    leave(0);
    raw_connect_opened(fd, scene.address);
    WAIT_STATISTIC_AT_LEAST(scene.pull, NN_STAT_ACCEPT_ERRORS, 1);
    CHECK_OK(nn_close(scene.pull));
    CHECK(raw_is_closed(fd));
    close(fd);
    leave_many();
    scene.pull = test_socket_bound(NN_PULL, scene.address);
    WAIT_STATISTIC_AT_LEAST(scene.honest, NN_STAT_ESTABLISHED_CONNECTIONS, 2);
    WAIT_PEERS(scene.pull, 1);
    check_honest(&scene);
}
