/* What Unix has beyond paths: abstract names, descriptors that the program has made, and whose process a peer is. */
#include "raw_peer.h"
#include "sockets.h"

#include <nanomsg/ipc.h>
#include <nanomsg/loop.h>
#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/reqrep.h>

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- Abstract names ---- */

/* A name of this case: the process is its own. */
static const char *abstract_address(const char *rest)
{
    static char address[NN_SOCKADDR_MAX];

    snprintf(address, sizeof address, "abstract://nn-%ld%s", (long)getpid(), rest);
    return address;
}

TEST(messages_pass_over_abstract_names)
{
    const char *address = abstract_address("");
    int rep = test_socket_bound(NN_REP, address);
    int req = test_socket_connected(NN_REQ, address);

    CHECK_SENDS(req, "question");
    CHECK_RECEIVES(rep, "question");
    CHECK_SENDS(rep, "answer");
    CHECK_RECEIVES(req, "answer");
}

TEST(an_abstract_name_is_free_when_its_owner_has_closed_it)
{
    const char *address = abstract_address("");
    int first = test_socket_bound(NN_PAIR, address);
    int peer;

    CHECK_ERRNO(nn_bind(SOCKET(NN_PAIR), address), EADDRINUSE);
    peer = test_socket_connected(NN_PAIR, address);
    WAIT_PEERS(peer, 1);
    CHECK_OK(nn_close(first));
    WAIT_PEERS(peer, 0);
    first = test_socket_bound(NN_PAIR, address);
    CHECK_SENDS(peer, "again"); /* it has come back by itself */
    CHECK_RECEIVES(first, "again");
}

/* Connects to the abstract name of these bytes. */
static int connect_by_hand(const void *name, size_t count)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = (int)CHECK_OK(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));

    memcpy(address.sun_path + 1, name, count);
    CHECK_OK(connect(fd, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + count)));
    return fd;
}

TEST(escapes_stand_for_any_byte_of_an_abstract_name)
{
    char name[64];
    int count = snprintf(name, sizeof name, "nn-%ld a%%b", (long)getpid());
    int pair = test_socket_bound(NN_PAIR, abstract_address("%20a%25b%00%fF"));

    memcpy(name + count, "\0\xff", 2);
    int fd = connect_by_hand(name, (size_t)count + 2);
    raw_send_handshake(fd, NN_PAIR);
    raw_expect_handshake(fd, NN_PAIR);
    raw_send_message(fd, "ipc://", "by hand", 7);
    CHECK_RECEIVES(pair, "by hand");
    close(fd);
}

TEST(wrong_escapes_and_names_that_are_too_long_are_refused)
{
    static const char *const wrong[] = {"abstract://%", "abstract://a%2", "abstract://%2g", "abstract://%-1"};
    char name[128] = "abstract://";
    int s = SOCKET(NN_PAIR);

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        CHECK_ERRNO(nn_bind(s, wrong[i]), EINVAL);
        CHECK_ERRNO(nn_connect(s, wrong[i]), EINVAL);
    }
    memset(name + 11, 'n', 108);
    CHECK_ERRNO(nn_bind(s, name), ENAMETOOLONG);
    CHECK_ERRNO(nn_connect(s, name), ENAMETOOLONG);
    snprintf(name + 11, sizeof name - 11, "%ld", (long)getpid());
    memset(name + strlen(name), 'n', 11 + 107 - strlen(name));
    name[11 + 107] = '\0';
    CHECK_EQUAL(strlen(name), 11 + 107);
    CHECK_OK(nn_bind(s, name));
    CHECK_ERRNO(nn_connect(s, "abstract://"), EINVAL);
}

TEST(the_kernel_chooses_a_name_where_none_is_given)
{
    char address[NN_SOCKADDR_MAX + 1];
    int pull = SOCKET(NN_PULL);
    int endpoint = (int)CHECK_OK(nn_bind(pull, "abstract://"));

    CHECK_OK(nn_endpoint_address(pull, endpoint, address, sizeof address));
    CHECK_EQUAL(strlen(address), strlen("abstract://12345"));
    CHECK_SENDS(test_socket_connected(NN_PUSH, address), "found");
    CHECK_RECEIVES(pull, "found");
}

TEST(unix_is_another_name_of_ipc)
{
    const char *ipc = test_ipc_address();
    char address[NN_SOCKADDR_MAX];

    snprintf(address, sizeof address, "unix%s", strstr(ipc, "://"));
    int pull = test_socket_bound(NN_PULL, address);
    CHECK_SENDS(test_socket_connected(NN_PUSH, ipc), "the same");
    CHECK_RECEIVES(pull, "the same");
    CHECK_OK(nn_close(pull));
    nn_term();
    CHECK_ERRNO(access(strstr(ipc, "://") + 3, F_OK), ENOENT);
}

/* ---- Descriptors ---- */

static int take(int (*call)(int, const char *), int s, int fd)
{
    char address[32];

    snprintf(address, sizeof address, "socket://%d", fd);
    return call(s, address);
}

TEST(two_sockets_talk_over_a_pair_of_descriptors)
{
    int fds[2];
    int pairs[2] = {SOCKET(NN_PAIR), SOCKET(NN_PAIR)};

    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    for (int i = 0; i < 2; i++)
        CHECK_OK(take(nn_connect, pairs[i], fds[i]));
    CHECK_SENDS(pairs[0], "there");
    CHECK_RECEIVES(pairs[1], "there");
    CHECK_SENDS(pairs[1], "back");
    CHECK_RECEIVES(pairs[0], "back");
}

TEST(a_connected_descriptor_speaks_sp_over_tcp)
{
    int fds[2];
    int pair = SOCKET(NN_PAIR);

    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
    CHECK_OK(take(nn_connect, pair, fds[0]));
    raw_send_handshake(fds[1], NN_PAIR);
    raw_expect_handshake(fds[1], NN_PAIR);
    raw_send_message(fds[1], "tcp://", "eight bytes of length", 21);
    CHECK_RECEIVES(pair, "eight bytes of length");
    CHECK_SENDS(pair, "x");
    raw_expect(fds[1], "\0\0\0\0\0\0\0\1x", 9);
    close(fds[1]);
    WAIT_PEERS(pair, 0);
    WAIT_STATISTIC(pair, NN_STAT_CURRENT_EP_ERRORS, 1);
}

TEST(a_connection_that_the_program_has_made_reaches_a_tcp_endpoint)
{
    const char *address = test_tcp_address();
    int pull = test_socket_bound(NN_PULL, address);
    int push = SOCKET(NN_PUSH);

    CHECK_OK(take(nn_connect, push, raw_connect(address)));
    CHECK_SENDS(push, "by descriptor");
    CHECK_RECEIVES(pull, "by descriptor");
}

static void test_listening(const char *address)
{
    int fd = raw_listen(address);
    int pull = SOCKET(NN_PULL);

    CHECK_OK(take(nn_bind, pull, fd));
    CHECK_SENDS(test_socket_connected(NN_PUSH, address), "one");
    CHECK_RECEIVES(pull, "one");
    CHECK_SENDS(test_socket_connected(NN_PUSH, address), "two");
    CHECK_RECEIVES(pull, "two"); /* and the case's end tells that the descriptor was closed */
}

TEST(a_descriptor_that_listens_on_tcp_accepts_peers_of_tcp)
{
    test_listening(test_tcp_address());
}

TEST(a_descriptor_that_listens_on_a_path_accepts_peers_of_ipc)
{
    test_listening(test_ipc_address());
}

TEST(descriptors_that_are_not_streams_stay_with_the_program)
{
    static const char *const wrong[] = {"", "x", "-1", "1x", " 1", "99999999999999999999", "4000000000", "1048575"};
    char address[64];
    int s = SOCKET(NN_PAIR);
    int pipe_fds[2];
    int datagram = (int)CHECK_OK(socket(AF_UNIX, SOCK_DGRAM, 0));
    int unconnected = (int)CHECK_OK(socket(AF_UNIX, SOCK_STREAM, 0));

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        snprintf(address, sizeof address, "socket://%s", wrong[i]);
        CHECK_ERRNO(nn_connect(s, address), EINVAL);
        CHECK_ERRNO(nn_bind(s, address), EINVAL);
    }
    CHECK_OK(pipe(pipe_fds));
    CHECK_ERRNO(take(nn_connect, s, pipe_fds[0]), ENOTSOCK);
    CHECK_ERRNO(take(nn_bind, s, pipe_fds[0]), ENOTSOCK);
    CHECK_ERRNO(take(nn_connect, s, datagram), EINVAL);
    CHECK_ERRNO(take(nn_connect, s, unconnected), ENOTCONN);
    CHECK_ERRNO(take(nn_bind, s, unconnected), EINVAL);
    CHECK_OK(close(pipe_fds[0]));
    CHECK_OK(close(pipe_fds[1]));
    CHECK_OK(close(datagram));
    CHECK_OK(close(unconnected));
}

TEST(a_socket_that_is_full_takes_no_further_descriptor)
{
    int first[2];
    int second[2];
    int pair = SOCKET(NN_PAIR);
    int peer = SOCKET(NN_PAIR);

    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, first));
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, second));
    CHECK_OK(take(nn_connect, pair, first[0]));
    CHECK_OK(take(nn_connect, peer, first[1]));
    WAIT_PEERS(pair, 1);
    CHECK_ERRNO(take(nn_connect, pair, second[0]), EBUSY);
    CHECK_OK(close(second[0]));
    CHECK_OK(close(second[1]));
}

/* ---- Credentials ---- */

/* Receives a message and returns its record, or NULL. The memory is the case's until the next call. */
static const struct nn_ipc_credentials *receive_credentials(int s, size_t room_bytes)
{
    static _Alignas(16) unsigned char control[256];
    static char body[64];
    struct nn_iovec piece = {body, sizeof body};
    struct nn_msghdr header = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = room_bytes};

    memset(control, 0, sizeof control);
    CHECK_OK(nn_recvmsg(s, &header, 0));
    for (struct nn_cmsghdr *record = NN_CMSG_FIRSTHDR(&header); record != NULL;
         record = NN_CMSG_NXTHDR(&header, record)) {
        if (record->cmsg_level != NN_IPC || record->cmsg_type != NN_IPC_CREDENTIALS)
            continue;
        CHECK_EQUAL(record->cmsg_len, NN_CMSG_SPACE(sizeof(struct nn_ipc_credentials)));
        return (const struct nn_ipc_credentials *)(const void *)NN_CMSG_DATA(record);
    }
    return NULL;
}

static int open_asking(int protocol)
{
    int s = SOCKET(protocol);

    CHECK_EQUAL(test_get_int(s, NN_IPC, NN_IPC_CREDENTIALS), 0);
    SET_INT(s, NN_IPC, NN_IPC_CREDENTIALS, 1);
    CHECK_EQUAL(test_get_int(s, NN_IPC, NN_IPC_CREDENTIALS), 1);
    return s;
}

static void check_is(const struct nn_ipc_credentials *credentials, pid_t pid)
{
    CHECK(credentials != NULL);
    CHECK_EQUAL(credentials->pid, pid);
    CHECK_EQUAL(credentials->uid, getuid());
    CHECK_EQUAL(credentials->gid, getgid());
}

/* Another process that asks once, and ends when it is answered. It speaks by hand: a forked child has no engine. */
static pid_t start_asking_process(const char *address)
{
    pid_t pid = (pid_t)CHECK_OK(fork());
    char answer[13 + 6];

    if (pid > 0)
        return pid;
    int fd = raw_connect_admitted(address, NN_REQ, NN_REP);
    raw_send_message(fd, address, "\x80\0\0\1who am I?", 13);
    for (size_t count = 0; count < sizeof answer;) {
        ssize_t rc = read(fd, answer + count, sizeof answer - count);
        if (rc <= 0)
            _exit(1);
        count += (size_t)rc;
    }
    _exit(memcmp(answer + 13, "known", 5) == 0 ? 0 : 1);
}

TEST(a_request_tells_whose_process_sent_it)
{
    const char *address = test_ipc_address();
    int rep = open_asking(NN_REP);
    int status;

    CHECK_OK(nn_bind(rep, address));
    pid_t pids[2] = {start_asking_process(address), start_asking_process(address)};
    for (int i = 0; i < 2; i++) {
        pid_t pid = receive_credentials(rep, 256)->pid;
        CHECK(pid == pids[0] || pid == pids[1]);
        CHECK_SENDS(rep, "known!");
        CHECK_EQUAL(waitpid(pid, &status, 0), pid);
        CHECK_EQUAL(status, 0);
    }
}

TEST(every_message_over_a_local_connection_has_credentials_when_asked)
{
    int pull = open_asking(NN_PULL);
    int push = SOCKET(NN_PUSH);
    const char *address = test_ipc_address();
    int off = 0;

    CHECK_OK(nn_bind(pull, address));
    CHECK_OK(nn_connect(push, address));
    CHECK_SENDS(push, "one");
    CHECK_SENDS(push, "two");
    CHECK_SENDS(push, "three");
    CHECK_SENDS(push, "four");
    check_is(receive_credentials(pull, 256), getpid());
    check_is(receive_credentials(pull, 256), getpid());
    CHECK(receive_credentials(pull, NN_CMSG_SPACE(sizeof(size_t))) == NULL); /* no room but for the header */
    CHECK_OK(nn_setsockopt(pull, NN_IPC, NN_IPC_CREDENTIALS, &off, sizeof off));
    CHECK(receive_credentials(pull, 256) == NULL);
}

TEST(a_connecting_socket_learns_the_process_that_listens)
{
    const char *address = abstract_address("");
    int push = test_socket_bound(NN_PUSH, address);
    int pull = open_asking(NN_PULL);

    CHECK_OK(nn_connect(pull, address));
    CHECK_SENDS(push, "x");
    check_is(receive_credentials(pull, 256), getpid());
}

TEST(connections_that_are_not_local_have_no_credentials)
{
    const char *(*const addresses[])(void) = {test_tcp_address, test_inproc_address, test_ws_address};

    for (int i = 0; i < 3; i++) {
        const char *address = addresses[i]();
        int pull = open_asking(NN_PULL);
        CHECK_OK(nn_bind(pull, address));
        CHECK_SENDS(test_socket_connected(NN_PUSH, address), "x");
        CHECK(receive_credentials(pull, 256) == NULL);
    }
}

TEST(the_option_of_credentials_is_zero_or_one)
{
    int s = SOCKET(NN_PAIR);
    int two = 2;
    int minus = -1;

    CHECK_ERRNO(nn_setsockopt(s, NN_IPC, NN_IPC_CREDENTIALS, &two, sizeof two), EINVAL);
    CHECK_ERRNO(nn_setsockopt(s, NN_IPC, NN_IPC_CREDENTIALS, &minus, sizeof minus), EINVAL);
}
