/* Stand-ins that pass on to the C library what does not fail. */
#include "failing_system.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum call {
    CALL_accept,
    CALL_connect,
    CALL_socket,
    CALL_sendmsg,
    CALL_readv,
    CALL_recv,
    CALL_epoll_ctl,
    CALL_getsockopt,
    CALL_setsockopt,
    CALL_fcntl,
    CALL_link,
    CALL_lstat,
    CALL_getifaddrs,
    CALLS
};

static const int errors[] = {EMFILE,  ENOMEM, EINTR, EAGAIN, ECONNRESET, EPIPE,      EINVAL,    ECONNABORTED,
                             ENOBUFS, EACCES, EPERM, ENOENT, EEXIST,     EADDRINUSE, ETIMEDOUT, ENFILE};

static struct {
    enum call call; /* CALLS: none fails */
    unsigned left;  /* calls of its kind before it */
    int error;
} plan = {.call = CALLS};

void failing_system_end(void)
{
    plan.call = CALLS;
}

void failing_system_arm(unsigned call, unsigned index, unsigned error)
{
    plan.call = (enum call)(call % CALLS);
    plan.left = index;
    plan.error = errors[error % COUNT(errors)];
}

static int fails(enum call call)
{
    if (plan.call != call || plan.left-- > 0)
        return 0;
    plan.call = CALLS;
    errno = plan.error;
    return 1;
}

int failing_system_accept_fails(void)
{
    return fails(CALL_accept);
}

int failing_system_connect_fails(void)
{
    return fails(CALL_connect);
}

#define REPLACE(type, name, parameters, arguments)                                                                     \
    type __real_##name parameters;                                                                                     \
    type __wrap_##name parameters;                                                                                     \
    type __wrap_##name parameters                                                                                      \
    {                                                                                                                  \
        return fails(CALL_##name) ? -1 : __real_##name arguments;                                                      \
    }

REPLACE(int, socket, (int domain, int type, int protocol), (domain, type, protocol))
REPLACE(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags))
REPLACE(ssize_t, readv, (int fd, const struct iovec *vectors, int count), (fd, vectors, count))
REPLACE(ssize_t, recv, (int fd, void *bytes, size_t count, int flags), (fd, bytes, count, flags))
REPLACE(int, epoll_ctl, (int epoll, int operation, int fd, struct epoll_event *event), (epoll, operation, fd, event))
REPLACE(int, getsockopt, (int fd, int level, int name, void *value, socklen_t *length),
        (fd, level, name, value, length))
REPLACE(int, setsockopt, (int fd, int level, int name, const void *value, socklen_t length),
        (fd, level, name, value, length))
REPLACE(int, link, (const char *from, const char *to), (from, to))
REPLACE(int, lstat, (const char *path, struct stat *status), (path, status))
REPLACE(int, getifaddrs, (struct ifaddrs * *list), (list))

int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...);

int __wrap_fcntl(int fd, int command, ...)
{
    va_list arguments;

    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    return fails(CALL_fcntl) ? -1 : __real_fcntl(fd, command, argument);
}
