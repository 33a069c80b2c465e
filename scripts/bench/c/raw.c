/* The bar without a library: blocking sockets, a length of 8 bytes before each message, and 64 KiB in a call where
 * messages are short. */
#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define LENGTH_BYTES ((size_t)8)
#define BURST_BYTES ((size_t)64 * 1024)

struct target {
    struct sockaddr_storage address;
    socklen_t address_bytes;
};

static struct target parse(const char *address)
{
    struct target target = {0};

    if (strncmp(address, "ipc://", 6) == 0) {
        struct sockaddr_un *path = (struct sockaddr_un *)&target.address;
        path->sun_family = AF_UNIX;
        BENCH_CHECK(strlen(address + 6) < sizeof path->sun_path);
        strcpy(path->sun_path, address + 6);
        target.address_bytes = sizeof *path;
    } else {
        struct sockaddr_in *port = (struct sockaddr_in *)&target.address;
        port->sin_family = AF_INET;
        port->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        port->sin_port = htons((uint16_t)atoi(strrchr(address, ':') + 1));
        target.address_bytes = sizeof *port;
    }
    return target;
}

static void set_prompt(int fd)
{
    int yes = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes); /* refused by ipc, which is prompt */
}

static int accept_one(const char *address)
{
    struct target target = parse(address);
    int listener = socket(target.address.ss_family, SOCK_STREAM, 0);
    int yes = 1;

    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    BENCH_CHECK(bind(listener, (struct sockaddr *)&target.address, target.address_bytes) == 0);
    BENCH_CHECK(listen(listener, 1) == 0);
    bench_listens(address);
    int fd = accept(listener, NULL, NULL);
    BENCH_CHECK(fd >= 0);
    set_prompt(fd);
    return fd;
}

static int connect_to(const char *address)
{
    struct target target = parse(address);
    int fd = socket(target.address.ss_family, SOCK_STREAM, 0);

    BENCH_CHECK(connect(fd, (struct sockaddr *)&target.address, target.address_bytes) == 0);
    set_prompt(fd);
    return fd;
}

static void write_all(int fd, struct iovec *parts, int count)
{
    while (count > 0) {
        ssize_t taken = writev(fd, parts, count);
        BENCH_CHECK(taken > 0 || errno == EINTR);
        while (taken > 0 && (size_t)taken >= parts->iov_len) {
            taken -= (ssize_t)parts->iov_len;
            parts++;
            if (--count == 0)
                return;
        }
        if (taken > 0) {
            parts->iov_base = (uint8_t *)parts->iov_base + taken;
            parts->iov_len -= (size_t)taken;
        }
    }
}

static void read_all(int fd, uint8_t *to, size_t count)
{
    while (count > 0) {
        ssize_t taken = read(fd, to, count);
        BENCH_CHECK(taken > 0 || (taken < 0 && errno == EINTR));
        if (taken > 0) {
            to += taken;
            count -= (size_t)taken;
        }
    }
}

static void put_length(uint8_t *to, uint64_t length)
{
    for (int i = 7; i >= 0; i--, length >>= 8)
        to[i] = (uint8_t)length;
}

static uint64_t length_at(const uint8_t *from)
{
    uint64_t length = 0;

    for (int i = 0; i < 8; i++)
        length = length << 8 | from[i];
    return length;
}

static void write_frame(int fd, const uint8_t *body, size_t body_bytes)
{
    uint8_t length[LENGTH_BYTES];
    struct iovec parts[2] = {{length, sizeof length}, {(void *)body, body_bytes}};

    put_length(length, body_bytes);
    write_all(fd, parts, 2);
}

static size_t read_frame(int fd, uint8_t *body)
{
    uint8_t length[LENGTH_BYTES];

    read_all(fd, length, sizeof length);
    BENCH_CHECK(length_at(length) == bench_body_bytes);
    read_all(fd, body, bench_body_bytes);
    return bench_body_bytes;
}

/* Frames are joined anew for each call, as a program has to whose messages differ. */
static void push(const char *address)
{
    static uint8_t burst[BURST_BYTES];
    int fd = connect_to(address);
    size_t frame_bytes = LENGTH_BYTES + bench_body_bytes;

    while (frame_bytes > sizeof burst / 2)
        write_frame(fd, bench_body, bench_body_bytes);
    for (;;) {
        struct iovec part = {burst, 0};
        for (; part.iov_len + frame_bytes <= sizeof burst; part.iov_len += frame_bytes) {
            put_length(burst + part.iov_len, bench_body_bytes);
            memcpy(burst + part.iov_len + LENGTH_BYTES, bench_body, bench_body_bytes);
        }
        write_all(fd, &part, 1);
    }
}

static void pull_bursts(int fd)
{
    static uint8_t burst[BURST_BYTES];
    size_t filled = 0;

    for (;;) {
        ssize_t taken = read(fd, burst + filled, sizeof burst - filled);
        BENCH_CHECK(taken > 0 || (taken < 0 && errno == EINTR));
        size_t at = 0;
        filled += taken > 0 ? (size_t)taken : 0;
        while (filled - at >= LENGTH_BYTES && filled - at - LENGTH_BYTES >= length_at(burst + at)) {
            size_t length = length_at(burst + at);
            bench_received(burst + at + LENGTH_BYTES, length);
            at += LENGTH_BYTES + length;
        }
        memmove(burst, burst + at, filled - at);
        filled -= at;
    }
}

static void pull(const char *address)
{
    int fd = accept_one(address);

    if (LENGTH_BYTES + bench_body_bytes <= BURST_BYTES / 2)
        pull_bursts(fd);
    uint8_t *body = malloc(bench_body_bytes);
    BENCH_CHECK(body != NULL);
    for (;;)
        bench_received(body, read_frame(fd, body));
}

static void req(const char *address)
{
    int fd = connect_to(address);
    uint8_t *body = malloc(bench_body_bytes);

    BENCH_CHECK(body != NULL);
    for (;;) {
        write_frame(fd, bench_body, bench_body_bytes);
        bench_replied(body, read_frame(fd, body));
    }
}

static void rep(const char *address)
{
    int fd = accept_one(address);
    uint8_t *body = malloc(bench_body_bytes);

    BENCH_CHECK(body != NULL);
    for (;;)
        write_frame(fd, body, read_frame(fd, body));
}

static const char *version(void)
{
    return "";
}

int main(int argc, char **argv)
{
    static const struct bench_peer peer = {.version = version, .push = push, .pull = pull, .req = req, .rep = rep};

    return bench_main(argc, argv, &peer);
}
