/* Descriptors of the engine, noted so that a forked child can close its copies of them. */
#include "platform/descriptor.h"

#include "platform/fork.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

/* Descriptors from here on are not noted: a child of so large a process keeps them until it ends. */
#define NOTED_FDS 65536
#define WORD_BITS 64

/* One bit for each. Set after opening and cleared before closing, so that a child never closes a number that
 * has another owner now. */
static atomic_ullong opened[NOTED_FDS / WORD_BITS];
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* In the child. Nothing but close(2) and memory: any lock may have been held. */
static void close_inherited(void)
{
    for (int word = 0; word < NOTED_FDS / WORD_BITS; word++) {
        unsigned long long bits = atomic_load_explicit(&opened[word], memory_order_relaxed);
        for (int bit = 0; bits != 0; bit++, bits >>= 1) {
            if (bits & 1)
                close(word * WORD_BITS + bit);
        }
        atomic_store_explicit(&opened[word], 0, memory_order_relaxed);
    }
}

static void descriptors_init(void)
{
    sp_fork_at_child(close_inherited);
}

int sp_fd_opened(int fd)
{
    pthread_once(&once, descriptors_init);
    if (fd >= 0 && fd < NOTED_FDS)
        atomic_fetch_or_explicit(&opened[fd / WORD_BITS], 1ull << fd % WORD_BITS, memory_order_relaxed);
    return fd;
}

void sp_fd_close(int fd)
{
    if (fd >= 0 && fd < NOTED_FDS)
        atomic_fetch_and_explicit(&opened[fd / WORD_BITS], ~(1ull << fd % WORD_BITS), memory_order_relaxed);
    close(fd);
}

int sp_fd_socket(int family)
{
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    return fd < 0 ? -errno : sp_fd_opened(fd);
}

int sp_fd_accept(int fd, int *family)
{
    struct sockaddr_storage peer = {.ss_family = AF_UNIX}; /* whose peers may have no address */
    socklen_t length = sizeof peer;
    int accepted = accept4(fd, (struct sockaddr *)&peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (accepted < 0)
        return -errno;
    *family = peer.ss_family;
    return sp_fd_opened(accepted);
}

int sp_fd_duplicate(int fd)
{
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);

    if (own < 0)
        return -errno;
    sp_fd_opened(own);
    if (fcntl(own, F_SETFL, fcntl(own, F_GETFL) | O_NONBLOCK) < 0) {
        int error = errno;
        sp_fd_close(own);
        return -error;
    }
    return own;
}

int sp_fd_lock(int fd)
{
    return flock(fd, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
}

bool sp_fd_peer_process(int fd, struct sp_peer_process *process)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    int family = AF_UNSPEC;
    socklen_t family_size = sizeof family;

    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &family_size) < 0 || family != AF_UNIX ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
        return false;
    *process = (struct sp_peer_process){.pid = peer.pid, .uid = peer.uid, .gid = peer.gid};
    return true;
}
