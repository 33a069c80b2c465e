/* Stand-ins for functions of the C library, and of the engine where it asks for random numbers. */
#include "virtual_system.h"

#include "check.h"
#include "failing_system.h"
#include "virtual_authorities.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define START_NS ((uint64_t)1000000000000)
#define NS_PER_MS 1000000u
#define TIMERS 16
#define WAITING 16
#define THREADS 16
#define SEED 0x9e3779b97f4a7c15u
#define LISTENING_PORT 5555
#define FIRST_CLIENT_PORT 40000
#define UNKNOWN_INTERFACE 54321

int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __real_connect(int fd, const struct sockaddr *address, socklen_t length);
int __real_bind(int fd, const struct sockaddr *address, socklen_t length);
int __real_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **found);
int __real_listen(int fd, int backlog);
int __real_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags);
int __real_getsockname(int fd, struct sockaddr *address, socklen_t *length);
int __real_getpeername(int fd, struct sockaddr *address, socklen_t *length);

int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_timerfd_create(int clock, int flags);
int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *when, struct itimerspec *before);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t length);
int __wrap_bind(int fd, const struct sockaddr *address, socklen_t length);
int __wrap_listen(int fd, int backlog);
int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags);
int __wrap_getsockname(int fd, struct sockaddr *address, socklen_t *length);
int __wrap_getpeername(int fd, struct sockaddr *address, socklen_t *length);
uint32_t __wrap_sp_random_u32(void);
uint32_t __wrap_sp_random_unpredictable_u32(void);
void __wrap_sp_random_fill(void *bytes, size_t count);
int __wrap_malloc_trim(size_t pad);
int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **found);
int __wrap_sp_thread_start_detached(void *(*main)(void *), void *context);

struct waiting {
    int fds[WAITING];
    int count;
};

struct thread {
    void *(*main)(void *);
    void *context;
};

struct timer {
    int fd;
    uint64_t due_ns; /* UINT64_MAX: not armed */
};

static struct {
    uint64_t now_ns;
    uint64_t random;
    struct timer timers[TIMERS];
    int timer_count;
    struct thread threads[THREADS];
    int thread_count;
    bool is_network_off;
    enum virtual_addresses addresses;
    enum virtual_connect connect;
    int send_buffer_bytes;
    int arrivals;           /* an eventfd: how many wait to be accepted; all that listen share it */
    struct waiting arrived; /* the engine's ends of connections to it */
    struct waiting dialed;  /* the fuzzer's ends of connections that the engine has made */
} virtual_state = {.arrivals = -1};

/* ---- Time ---- */

static void timer_look(struct timer *self)
{
    uint64_t one = 1;

    if (self->due_ns > virtual_state.now_ns)
        return;
    self->due_ns = UINT64_MAX;
    CHECK(write(self->fd, &one, sizeof one) == sizeof one);
}

void virtual_advance_ms(uint64_t count)
{
    virtual_state.now_ns += count * NS_PER_MS;
    for (int i = 0; i < virtual_state.timer_count; i++)
        timer_look(&virtual_state.timers[i]);
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    if (clock != CLOCK_MONOTONIC)
        return __real_clock_gettime(clock, now);
    now->tv_sec = (time_t)(virtual_state.now_ns / 1000000000u);
    now->tv_nsec = (long)(virtual_state.now_ns % 1000000000u);
    return 0;
}

int __wrap_timerfd_create(int clock, int flags)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    (void)clock;
    (void)flags;
    CHECK(virtual_state.timer_count < TIMERS);
    if (fd >= 0)
        virtual_state.timers[virtual_state.timer_count++] = (struct timer){.fd = fd, .due_ns = UINT64_MAX};
    return fd;
}

int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *when, struct itimerspec *before)
{
    uint64_t due_ns = (uint64_t)when->it_value.tv_sec * 1000000000u + (uint64_t)when->it_value.tv_nsec;

    (void)flags;
    (void)before;
    for (int i = 0; i < virtual_state.timer_count; i++) {
        struct timer *timer = &virtual_state.timers[i];
        if (timer->fd != fd)
            continue;
        timer->due_ns = due_ns == 0 ? UINT64_MAX : due_ns;
        timer_look(timer);
    }
    return 0;
}

/* ---- Random numbers ---- */

uint32_t __wrap_sp_random_u32(void)
{
    uint64_t state = virtual_state.random;

    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    virtual_state.random = state;
    return (uint32_t)(state * 0x2545f4914f6cdd1du >> 32);
}

uint32_t __wrap_sp_random_unpredictable_u32(void)
{
    return __wrap_sp_random_u32();
}

void __wrap_sp_random_fill(void *bytes, size_t count)
{
    uint8_t *to = bytes;

    for (size_t i = 0; i < count; i++)
        to[i] = (uint8_t)__wrap_sp_random_u32();
}

/* ---- What takes long and does nothing that could be seen ---- */

int __wrap_malloc_trim(size_t pad)
{
    (void)pad;
    return 0;
}

/* ---- Names and threads ---- */

/* Names that begin with an "l" are this machine's; others are not known. */
int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    struct addrinfo numeric = *hints;

    numeric.ai_flags |= AI_NUMERICHOST;
    *found = NULL;
    if (host[0] != 'l')
        return host[0] == 'm' ? EAI_MEMORY : host[0] == 'a' ? EAI_AGAIN : EAI_NONAME;
    return __real_getaddrinfo(hints->ai_family == AF_INET6 ? "::1" : "127.0.0.1", service, &numeric, found);
}

int __wrap_sp_thread_start_detached(void *(*main)(void *), void *context)
{
    if (virtual_state.thread_count == THREADS)
        return -EAGAIN;
    virtual_state.threads[virtual_state.thread_count++] = (struct thread){main, context};
    return 0;
}

void virtual_run_threads(void)
{
    while (virtual_state.thread_count > 0) {
        struct thread thread = virtual_state.threads[--virtual_state.thread_count];
        thread.main(thread.context);
    }
}

/* ---- The network ---- */

static bool waiting_put(struct waiting *self, int fd)
{
    if (self->count == WAITING)
        return false;
    self->fds[self->count++] = fd;
    return true;
}

static int waiting_take(struct waiting *self)
{
    if (self->count == 0)
        return -1;
    int fd = self->fds[0];
    memmove(self->fds, self->fds + 1, (size_t)--self->count * sizeof self->fds[0]);
    return fd;
}

static void waiting_close(struct waiting *self)
{
    int fd;

    while ((fd = waiting_take(self)) >= 0)
        close(fd);
}

/* ends[0] is the engine's. */
static bool make_connection(int ends[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0)
        return false;
    if (virtual_state.send_buffer_bytes > 0)
        setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &virtual_state.send_buffer_bytes, sizeof(int));
    return true;
}

int virtual_dial(void)
{
    uint64_t one = 1;
    int ends[2];

    if (virtual_state.arrived.count == WAITING || !make_connection(ends))
        return -1;
    waiting_put(&virtual_state.arrived, ends[0]);
    CHECK(write(virtual_state.arrivals, &one, sizeof one) == sizeof one);
    return ends[1];
}

int virtual_accept(void)
{
    return waiting_take(&virtual_state.dialed);
}

static int fail(int error)
{
    errno = error;
    return -1;
}

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t length)
{
    int ends[2];

    if (failing_system_connect_fails())
        return -1;
    if (virtual_state.is_network_off)
        return __real_connect(fd, address, length);
    if (virtual_state.connect == CONNECT_REFUSED || virtual_state.dialed.count == WAITING || !make_connection(ends))
        return fail(ECONNREFUSED);
    CHECK(dup3(ends[0], fd, O_CLOEXEC) == fd);
    close(ends[0]);
    waiting_put(&virtual_state.dialed, ends[1]);
    return virtual_state.connect == CONNECT_LATER ? fail(EINPROGRESS) : 0;
}

int __wrap_bind(int fd, const struct sockaddr *address, socklen_t length)
{
    return virtual_state.is_network_off ? __real_bind(fd, address, length) : 0;
}

int __wrap_listen(int fd, int backlog)
{
    if (virtual_state.is_network_off)
        return __real_listen(fd, backlog);
    CHECK(dup3(virtual_state.arrivals, fd, O_CLOEXEC) == fd);
    return 0;
}

static int tell(const void *from, socklen_t count, struct sockaddr *address, socklen_t *length)
{
    memcpy(address, from, count < *length ? count : *length);
    *length = count;
    return 0;
}

static int tell_address(int port, struct sockaddr *address, socklen_t *length)
{
    const sa_family_t local = AF_UNIX;
    const struct sockaddr_in internet = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 internet6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};

    switch (virtual_state.addresses) {
    case ADDRESSES_LOCAL:
        return tell(&local, sizeof local, address, length);
    case ADDRESSES_IPV4:
        return tell(&internet, sizeof internet, address, length);
    case ADDRESSES_IPV6:
        internet6.sin6_addr = in6addr_loopback;
        break;
    case ADDRESSES_MAPPED:
        internet6.sin6_addr.s6_addr[10] = internet6.sin6_addr.s6_addr[11] = 0xff;
        internet6.sin6_addr.s6_addr[15] = 1;
        break;
    default:
        internet6.sin6_addr.s6_addr[0] = 0xfe;
        internet6.sin6_addr.s6_addr[1] = 0x80;
        internet6.sin6_scope_id = virtual_state.addresses == ADDRESSES_LINK_LOCAL ? 1 : UNKNOWN_INTERFACE;
        break;
    }
    return tell(&internet6, sizeof internet6, address, length);
}

int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
    uint64_t count;

    if (failing_system_accept_fails())
        return -1;
    if (virtual_state.is_network_off)
        return __real_accept4(fd, address, length, flags);
    int arrived = waiting_take(&virtual_state.arrived);
    if (arrived < 0) { /* the kernel's, where the network was off when it began to listen */
        int fd_of_kernel = __real_accept4(fd, address, length, flags);
        return fd_of_kernel < 0 && errno == ENOTSOCK ? fail(EAGAIN) : fd_of_kernel;
    }
    CHECK(read(virtual_state.arrivals, &count, sizeof count) == sizeof count);
    tell_address(FIRST_CLIENT_PORT + arrived, address, length);
    return arrived;
}

int __wrap_getsockname(int fd, struct sockaddr *address, socklen_t *length)
{
    return virtual_state.is_network_off ? __real_getsockname(fd, address, length)
                                        : tell_address(LISTENING_PORT, address, length);
}

int __wrap_getpeername(int fd, struct sockaddr *address, socklen_t *length)
{
    return virtual_state.is_network_off ? __real_getpeername(fd, address, length)
                                        : tell_address(FIRST_CLIENT_PORT + fd, address, length);
}

/* ---- Runs ---- */

void virtual_begin(void)
{
    int arrivals = virtual_state.arrivals;

    if (arrivals < 0)
        arrivals = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
    CHECK(arrivals >= 0);
    memset(&virtual_state, 0, sizeof virtual_state);
    virtual_state.arrivals = arrivals;
    virtual_state.now_ns = START_NS;
    virtual_state.random = SEED;
    virtual_name_authorities(false);
    failing_system_end();
}

void virtual_end(void)
{
    uint64_t count;

    waiting_close(&virtual_state.arrived);
    waiting_close(&virtual_state.dialed);
    while (read(virtual_state.arrivals, &count, sizeof count) > 0) {
    }
}

void virtual_network(bool is_on)
{
    virtual_state.is_network_off = !is_on;
}

void virtual_use_addresses(enum virtual_addresses addresses)
{
    virtual_state.addresses = addresses;
}

void virtual_set_connect(enum virtual_connect outcome)
{
    virtual_state.connect = outcome;
}

void virtual_set_send_buffer(int size_bytes)
{
    virtual_state.send_buffer_bytes = size_bytes;
}
