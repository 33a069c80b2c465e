/* Plain stream connections. */
#include "raw_peer.h"

#include "sockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define HANDSHAKE_BYTES 8
/* How long the next bytes of a peer may take. */
#define END_LIMIT_MS 8000

static bool is_ipc(const char *address)
{
    return strncmp(address, "ipc://", 6) == 0;
}

static socklen_t fill_address(const char *address, struct sockaddr_storage *storage)
{
    memset(storage, 0, sizeof *storage);
    if (is_ipc(address)) {
        struct sockaddr_un *to = (struct sockaddr_un *)storage;
        to->sun_family = AF_UNIX;
        CHECK(strlen(address + 6) < sizeof to->sun_path);
        strcpy(to->sun_path, address + 6);
        return sizeof *to;
    }
    struct sockaddr_in *to = (struct sockaddr_in *)storage;
    to->sin_family = AF_INET;
    char host[INET_ADDRSTRLEN] = "";
    sscanf(strstr(address, "://") + 3, "%15[0-9.]", host);
    CHECK_EQUAL(inet_pton(AF_INET, host, &to->sin_addr), 1);
    to->sin_port = htons((uint16_t)atoi(strrchr(address, ':') + 1));
    return sizeof *to;
}

int raw_open(const char *address)
{
    return (int)CHECK_OK(socket(is_ipc(address) ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

void raw_connect_opened(int fd, const char *address)
{
    struct sockaddr_storage storage;
    socklen_t length = fill_address(address, &storage);

    CHECK_OK(connect(fd, (struct sockaddr *)&storage, length));
}

int raw_connect(const char *address)
{
    int fd = raw_open(address);

    raw_connect_opened(fd, address);
    return fd;
}

int raw_listen(const char *address)
{
    struct sockaddr_storage storage;
    socklen_t length = fill_address(address, &storage);
    int fd = raw_open(address);
    int yes = 1;

    CHECK_OK(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes));
    CHECK_OK(bind(fd, (struct sockaddr *)&storage, length));
    CHECK_OK(listen(fd, 16));
    return fd;
}

static void wait_readable(int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};

    if (poll(&ready, 1, test_deadline_ms(8000)) != 1)
        FAIL("a peer stays silent");
}

int raw_accept(int listener)
{
    wait_readable(listener);
    return (int)CHECK_OK(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
}

void raw_send(int fd, const void *bytes, size_t count)
{
    const uint8_t *from = bytes;

    while (count > 0) {
        ssize_t sent = send(fd, from, count, MSG_NOSIGNAL);
        CHECK_OK(sent);
        from += sent;
        count -= (size_t)sent;
    }
}

static void write_handshake(uint8_t handshake[HANDSHAKE_BYTES], int protocol)
{
    memcpy(handshake, "\0SP\0\0\0\0\0", HANDSHAKE_BYTES);
    handshake[4] = (uint8_t)(protocol >> 8);
    handshake[5] = (uint8_t)protocol;
}

void raw_send_handshake(int fd, int protocol)
{
    uint8_t handshake[HANDSHAKE_BYTES];

    write_handshake(handshake, protocol);
    raw_send(fd, handshake, sizeof handshake);
}

void raw_receive(int fd, void *bytes, size_t count)
{
    uint8_t *to = bytes;

    while (count > 0) {
        wait_readable(fd);
        ssize_t rc = recv(fd, to, count, 0);
        CHECK_OK(rc);
        CHECK(rc > 0);
        to += rc;
        count -= (size_t)rc;
    }
}

void raw_expect(int fd, const void *bytes, size_t count)
{
    uint8_t *received = malloc(count + 1);

    CHECK(received != NULL);
    raw_receive(fd, received, count);
    CHECK_BYTES(received, count, bytes, count);
    free(received);
}

void raw_expect_handshake(int fd, int protocol)
{
    uint8_t handshake[HANDSHAKE_BYTES];

    write_handshake(handshake, protocol);
    raw_expect(fd, handshake, sizeof handshake);
}

int raw_connect_admitted(const char *address, int protocol, int peer_protocol)
{
    int fd = raw_connect(address);

    raw_send_handshake(fd, protocol);
    raw_expect_handshake(fd, peer_protocol);
    return fd;
}

void raw_send_prefix(int fd, const char *address, uint64_t length)
{
    uint8_t prefix[9] = {1};

    for (int i = 0; i < 8; i++)
        prefix[1 + i] = (uint8_t)(length >> (56 - 8 * i));
    if (is_ipc(address))
        raw_send(fd, prefix, 9);
    else
        raw_send(fd, prefix + 1, 8);
}

void raw_send_message(int fd, const char *address, const void *body, size_t count)
{
    raw_send_prefix(fd, address, count);
    raw_send(fd, body, count);
}

size_t raw_receive_message(int fd, const char *address, void *body, size_t limit)
{
    uint8_t prefix[9];
    size_t count = 0;

    if (is_ipc(address)) {
        raw_receive(fd, prefix, 1);
        CHECK_EQUAL(prefix[0], 1);
    }
    raw_receive(fd, prefix + 1, 8);
    for (int i = 1; i < 9; i++)
        count = count << 8 | prefix[i];
    CHECK(count <= limit);
    raw_receive(fd, body, count);
    return count;
}

/* Reads what has come. Returns true at the end of the stream. */
static bool read_to_end(int fd)
{
    char unwanted[4096];
    ssize_t rc;

    while ((rc = recv(fd, unwanted, sizeof unwanted, MSG_DONTWAIT)) > 0) {
    }
    return rc == 0 || (errno != EAGAIN && errno != EINTR);
}

bool raw_is_closed(int fd)
{
    int64_t deadline_ms = test_wait_deadline();

    while (!read_to_end(fd)) {
        if (test_pause(deadline_ms))
            return false;
    }
    return true;
}

size_t raw_count_to_end(int fd)
{
    static uint8_t bytes[1024 * 1024];
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    size_t total = 0;
    ssize_t count;

    do {
        CHECK_EQUAL(CHECK_OK(poll(&ready, 1, test_deadline_ms(END_LIMIT_MS))), 1);
        count = recv(fd, bytes, sizeof bytes, 0);
        total += count > 0 ? (size_t)count : 0;
    } while (count > 0);
    return total;
}

bool raw_is_closed_now(int fd)
{
    return read_to_end(fd);
}

void raw_finish(int fd)
{
    CHECK_OK(shutdown(fd, SHUT_WR));
}

void raw_reset(int fd)
{
    struct linger none = {.l_onoff = 1, .l_linger = 0};

    CHECK_OK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none));
    close(fd);
}

/* The other end of a connection within this process. */
static int other_end(int fd)
{
    struct sockaddr_storage ours = {0};
    struct sockaddr_storage theirs;
    socklen_t length = sizeof ours;

    CHECK_OK(getsockname(fd, (struct sockaddr *)&ours, &length));
    for (int other = 0; other < 1024; other++) {
        socklen_t other_length = sizeof theirs;
        memset(&theirs, 0, sizeof theirs);
        if (other != fd && getpeername(other, (struct sockaddr *)&theirs, &other_length) == 0 &&
            other_length == length && memcmp(&ours, &theirs, length) == 0)
            return other;
    }
    FAIL("no peer is at the other end of descriptor %d", fd);
}

size_t raw_read_bytes(int fd)
{
    struct tcp_info info;
    socklen_t length = sizeof info;
    int other = other_end(fd);
    int unread;

    CHECK_OK(getsockopt(other, IPPROTO_TCP, TCP_INFO, &info, &length));
    CHECK_OK(ioctl(other, FIONREAD, &unread));
    return info.tcpi_bytes_received - (size_t)unread;
}
