/* Functions in place of the C library's. */
#include "failing_calls.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <link.h>
#include <net/if.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define MAX_VECTOR 64

/* The sanitizers bring a malloc of their own. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_MALLOC 0
#else
#define HAS_MALLOC 1
#endif

/* ---- What can fail ---- */

enum call {
    CALL_socket,
    CALL_bind,
    CALL_listen,
    CALL_accept4,
    CALL_connect,
    CALL_shutdown,
    CALL_getsockopt,
    CALL_setsockopt,
    CALL_getsockname,
    CALL_getpeername,
    CALL_recv,
    CALL_read,
    CALL_readv,
    CALL_sendmsg,
    CALL_write,
    CALL_close,
    CALL_fcntl,
    CALL_ioctl,
    CALL_poll,
    CALL_epoll_create1,
    CALL_epoll_ctl,
    CALL_epoll_wait,
    CALL_eventfd,
    CALL_timerfd_create,
    CALL_timerfd_settime,
    CALL_open,
    CALL_fstat,
    CALL_lstat,
    CALL_access,
    CALL_link,
    CALL_unlink,
    CALL_flock,
    CALL_getrandom,
    CALL_pthread_create,
    CALL_getaddrinfo,
    CALL_getifaddrs,
    CALL_if_nametoindex,
    CALL_malloc,
    CALL_calloc,
    CALL_realloc
};

#define READ_ERRORS                                                                                                    \
    {                                                                                                                  \
        EAGAIN, EBADF, ECONNREFUSED, ECONNRESET, EFAULT, EINTR, EINVAL, EIO, ENOMEM, ENOTCONN, ETIMEDOUT               \
    }
#define WRITE_ERRORS                                                                                                   \
    {                                                                                                                  \
        EAGAIN, EACCES, EBADF, ECONNRESET, EDESTADDRREQ, EFAULT, EINTR, EINVAL, EISCONN, EMSGSIZE, ENOBUFS, ENOMEM,    \
            ENOTCONN, EOPNOTSUPP, EPIPE                                                                                \
    }
#define NAME_ERRORS                                                                                                    \
    {                                                                                                                  \
        EBADF, EFAULT, EINVAL, ENOBUFS, ENOTCONN, ENOTSOCK                                                             \
    }
#define PATH_ERRORS                                                                                                    \
    {                                                                                                                  \
        EACCES, EIO, ELOOP, EMFILE, ENAMETOOLONG, ENFILE, ENOENT, ENOMEM, ENOTDIR, EPERM, EROFS                        \
    }

EXPORT const struct failing_call failing_calls[] = {
    [CALL_socket] = {"socket", {EACCES, EAFNOSUPPORT, EINVAL, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPROTONOSUPPORT}},
    [CALL_bind] = {"bind",
                   {EACCES, EADDRINUSE, EADDRNOTAVAIL, EBADF, EFAULT, EINVAL, ELOOP, ENAMETOOLONG, ENOENT, ENOMEM,
                    ENOTDIR, ENOTSOCK, EROFS}},
    [CALL_listen] = {"listen", {EADDRINUSE, EBADF, ENOTSOCK, EOPNOTSUPP}},
    [CALL_accept4] = {"accept4",
                      {EAGAIN, EBADF, ECONNABORTED, EFAULT, EINTR, EINVAL, EMFILE, ENFILE, ENOBUFS, ENOMEM, ENOTSOCK,
                       EOPNOTSUPP, EPERM, EPROTO, ENETDOWN, EHOSTUNREACH}},
    [CALL_connect] = {"connect",
                      {EACCES, EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EAGAIN, EALREADY, EBADF, ECONNREFUSED, EFAULT,
                       EINTR, EISCONN, ENETUNREACH, ENOTSOCK, EPERM, EPROTOTYPE, ETIMEDOUT}},
    [CALL_shutdown] = {"shutdown", {EBADF, EINVAL, ENOTCONN, ENOTSOCK}},
    [CALL_getsockopt] = {"getsockopt", {EBADF, EFAULT, EINVAL, ENOPROTOOPT, ENOTSOCK}},
    [CALL_setsockopt] = {"setsockopt", {EBADF, EDOM, EFAULT, EINVAL, ENOMEM, ENOPROTOOPT, ENOTSOCK}},
    [CALL_getsockname] = {"getsockname", NAME_ERRORS},
    [CALL_getpeername] = {"getpeername", NAME_ERRORS},
    [CALL_recv] = {"recv", READ_ERRORS},
    [CALL_read] = {"read", READ_ERRORS},
    [CALL_readv] = {"readv", READ_ERRORS},
    [CALL_sendmsg] = {"sendmsg", WRITE_ERRORS},
    [CALL_write] = {"write", WRITE_ERRORS},
    [CALL_close] = {"close", {EINTR, EIO, ENOSPC}},
    [CALL_fcntl] = {"fcntl", {EAGAIN, EBADF, EINVAL, EMFILE}},
    [CALL_ioctl] = {"ioctl", {EBADF, EFAULT, EINVAL, ENOTTY}},
    [CALL_poll] = {"poll", {EFAULT, EINTR, EINVAL, ENOMEM}},
    [CALL_epoll_create1] = {"epoll_create1", {EINVAL, EMFILE, ENFILE, ENOMEM}},
    [CALL_epoll_ctl] = {"epoll_ctl", {EBADF, EEXIST, EINVAL, ELOOP, ENOENT, ENOMEM, ENOSPC, EPERM}},
    [CALL_epoll_wait] = {"epoll_wait", {EBADF, EFAULT, EINTR, EINVAL}},
    [CALL_eventfd] = {"eventfd", {EINVAL, EMFILE, ENFILE, ENODEV, ENOMEM}},
    [CALL_timerfd_create] = {"timerfd_create", {EINVAL, EMFILE, ENFILE, ENODEV, ENOMEM, EPERM}},
    [CALL_timerfd_settime] = {"timerfd_settime", {EBADF, ECANCELED, EFAULT, EINVAL}},
    [CALL_open] = {"open", PATH_ERRORS},
    [CALL_fstat] = {"fstat", {EBADF, EFAULT, ENOMEM, EOVERFLOW}},
    [CALL_lstat] = {"lstat", PATH_ERRORS},
    [CALL_access] = {"access", PATH_ERRORS},
    [CALL_link] = {"link",
                   {EACCES, EDQUOT, EEXIST, EIO, ELOOP, EMLINK, ENOENT, ENOMEM, ENOSPC, ENOTDIR, EPERM, EROFS, EXDEV}},
    [CALL_unlink] = {"unlink", {EACCES, EBUSY, EIO, ELOOP, ENOENT, ENOMEM, ENOTDIR, EPERM, EROFS}},
    [CALL_flock] = {"flock", {EBADF, EINTR, EINVAL, ENOLCK, EWOULDBLOCK}},
    [CALL_getrandom] = {"getrandom", {EAGAIN, EFAULT, EINTR, EINVAL, ENOSYS}},
    [CALL_pthread_create] = {"pthread_create", {EAGAIN, EINVAL, EPERM}},
    [CALL_getaddrinfo] = {"getaddrinfo", {EAI_AGAIN, EAI_FAIL, EAI_MEMORY, EAI_NONAME, EAI_SYSTEM}},
    [CALL_getifaddrs] = {"getifaddrs", {ENOMEM, EMFILE, ENOBUFS}},
    [CALL_if_nametoindex] = {"if_nametoindex", {ENODEV, EMFILE}},
#if HAS_MALLOC
    [CALL_malloc] = {"malloc", {ENOMEM}},
    [CALL_calloc] = {"calloc", {ENOMEM}},
    [CALL_realloc] = {"realloc", {ENOMEM}},
#endif
    {0},
};

/* ---- The plan ---- */

static struct {
    _Atomic(uintptr_t) begin, end; /* the object's code */
    atomic_int call;               /* which fails; -1: none */
    atomic_long left;              /* calls of that kind before it */
    atomic_int error;
    atomic_size_t cut_bytes;
    atomic_long cuts_left;
    atomic_bool is_cutting_writes;
    atomic_bool has_happened;
} plan = {.call = -1};

static int note_object(struct dl_phdr_info *info, size_t size, void *object)
{
    (void)size;
    if (info->dlpi_name == NULL || strstr(info->dlpi_name, object) == NULL)
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type == PT_LOAD && (part->p_flags & PF_X) != 0) {
            atomic_store(&plan.begin, info->dlpi_addr + part->p_vaddr);
            atomic_store(&plan.end, info->dlpi_addr + part->p_vaddr + part->p_memsz);
            return 1;
        }
    }
    return 0;
}

EXPORT bool failing_calls_of(const char *object)
{
    return dl_iterate_phdr(note_object, (void *)object) != 0;
}

EXPORT void failing_calls_arm(int call, long index, int error)
{
    atomic_store(&plan.has_happened, false);
    atomic_store(&plan.error, error);
    atomic_store(&plan.left, index);
    atomic_store(&plan.call, call);
}

EXPORT void failing_calls_cut(bool is_write, size_t bytes, long count)
{
    atomic_store(&plan.has_happened, false);
    atomic_store(&plan.is_cutting_writes, is_write);
    atomic_store(&plan.cut_bytes, bytes);
    atomic_store(&plan.cuts_left, count);
}

EXPORT bool failing_calls_disarm(void)
{
    atomic_store(&plan.call, -1);
    atomic_store(&plan.cuts_left, 0);
    return atomic_load(&plan.has_happened);
}

static bool is_of_object(const void *caller)
{
    return (uintptr_t)caller >= atomic_load(&plan.begin) && (uintptr_t)caller < atomic_load(&plan.end);
}

/* The error that this call fails with, or 0. */
static int due(enum call call, const void *caller)
{
    if (atomic_load(&plan.call) != (int)call || !is_of_object(caller) || atomic_fetch_sub(&plan.left, 1) != 0)
        return 0;
    atomic_store(&plan.call, -1);
    atomic_store(&plan.has_happened, true);
    return atomic_load(&plan.error);
}

/* How many of these bytes a call may take. */
static size_t cut(int fd, bool is_write, size_t count, const void *caller)
{
    struct stat what;

    if (atomic_load(&plan.cuts_left) <= 0 || is_write != atomic_load(&plan.is_cutting_writes) ||
        count <= atomic_load(&plan.cut_bytes) || !is_of_object(caller))
        return count;
    static int (*next_fstat)(int, struct stat *);
    if (next_fstat == NULL)
        *(void **)&next_fstat = dlsym(RTLD_NEXT, "fstat");
    if (next_fstat(fd, &what) < 0 || !S_ISSOCK(what.st_mode) || atomic_fetch_sub(&plan.cuts_left, 1) <= 0)
        return count;
    atomic_store(&plan.has_happened, true);
    return atomic_load(&plan.cut_bytes);
}

/* The first `bytes` of a vector. Returns how many parts are left. */
static int shorten(struct iovec *to, const struct iovec *from, int count, size_t bytes)
{
    int parts = 0;

    for (; parts < count && parts < MAX_VECTOR && bytes > 0; parts++) {
        to[parts] = from[parts];
        if (to[parts].iov_len > bytes)
            to[parts].iov_len = bytes;
        bytes -= to[parts].iov_len;
    }
    return parts;
}

static size_t sum(const struct iovec *vector, size_t count)
{
    size_t bytes = 0;

    for (size_t i = 0; i < count; i++)
        bytes += vector[i].iov_len;
    return bytes;
}

/* ---- The functions ---- */

/* Declares `next`, the C library's function. */
#define NEXT(name)                                                                                                     \
    static __typeof__(&name) next;                                                                                     \
    if (next == NULL)                                                                                                  \
    *(void **)&next = dlsym(RTLD_NEXT, #name)

#define FAIL_IF_DUE(name, failure)                                                                                     \
    do {                                                                                                               \
        int due_error = due(CALL_##name, __builtin_return_address(0));                                                 \
        if (due_error != 0) {                                                                                          \
            errno = due_error;                                                                                         \
            return (failure);                                                                                          \
        }                                                                                                              \
    } while (0)

#define REPLACE(type, name, parameters, arguments, failure)                                                            \
    EXPORT type name parameters                                                                                        \
    {                                                                                                                  \
        NEXT(name);                                                                                                    \
        FAIL_IF_DUE(name, failure);                                                                                    \
        return next arguments;                                                                                         \
    }

REPLACE(int, socket, (int domain, int type, int protocol), (domain, type, protocol), -1)
REPLACE(int, bind, (int fd, const struct sockaddr *address, socklen_t length), (fd, address, length), -1)
REPLACE(int, listen, (int fd, int backlog), (fd, backlog), -1)
REPLACE(int, accept4, (int fd, struct sockaddr *address, socklen_t *length, int flags), (fd, address, length, flags),
        -1)
REPLACE(int, connect, (int fd, const struct sockaddr *address, socklen_t length), (fd, address, length), -1)
REPLACE(int, shutdown, (int fd, int how), (fd, how), -1)
REPLACE(int, getsockopt, (int fd, int level, int name, void *value, socklen_t *length),
        (fd, level, name, value, length), -1)
REPLACE(int, setsockopt, (int fd, int level, int name, const void *value, socklen_t length),
        (fd, level, name, value, length), -1)
REPLACE(int, getsockname, (int fd, struct sockaddr *address, socklen_t *length), (fd, address, length), -1)
REPLACE(int, getpeername, (int fd, struct sockaddr *address, socklen_t *length), (fd, address, length), -1)
REPLACE(int, poll, (struct pollfd * entries, nfds_t count, int timeout), (entries, count, timeout), -1)
REPLACE(int, epoll_create1, (int flags), (flags), -1)
REPLACE(int, epoll_ctl, (int epoll, int operation, int fd, struct epoll_event *event), (epoll, operation, fd, event),
        -1)
REPLACE(int, epoll_wait, (int epoll, struct epoll_event *events, int count, int timeout),
        (epoll, events, count, timeout), -1)
REPLACE(int, eventfd, (unsigned value, int flags), (value, flags), -1)
REPLACE(int, timerfd_create, (int clock, int flags), (clock, flags), -1)
REPLACE(int, timerfd_settime, (int fd, int flags, const struct itimerspec *value, struct itimerspec *before),
        (fd, flags, value, before), -1)
REPLACE(int, fstat, (int fd, struct stat *what), (fd, what), -1)
REPLACE(int, lstat, (const char *path, struct stat *what), (path, what), -1)
REPLACE(int, access, (const char *path, int mode), (path, mode), -1)
REPLACE(int, link, (const char *from, const char *to), (from, to), -1)
REPLACE(int, unlink, (const char *path), (path), -1)
int flock(int fd, int operation);
REPLACE(int, flock, (int fd, int operation), (fd, operation), -1)
REPLACE(ssize_t, getrandom, (void *bytes, size_t count, unsigned flags), (bytes, count, flags), -1)
REPLACE(int, getifaddrs, (struct ifaddrs * *list), (list), -1)
REPLACE(unsigned, if_nametoindex, (const char *name), (name), 0)
REPLACE(int, pthread_create,
        (pthread_t * thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument),
        (thread, attributes, run, argument), due_error)
REPLACE(int, getaddrinfo,
        (const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found),
        (node, service, hints, found), due_error)

/* The descriptor is closed all the same, as Linux does it. */
EXPORT int close(int fd)
{
    NEXT(close);
    int error = due(CALL_close, __builtin_return_address(0));
    int rc = next(fd);

    if (error == 0)
        return rc;
    errno = error;
    return -1;
}

EXPORT int fcntl(int fd, int command, ...)
{
    NEXT(fcntl);
    va_list arguments;

    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    FAIL_IF_DUE(fcntl, -1);
    return next(fd, command, argument);
}

EXPORT int ioctl(int fd, unsigned long command, ...)
{
    NEXT(ioctl);
    va_list arguments;

    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    FAIL_IF_DUE(ioctl, -1);
    return next(fd, command, argument);
}

EXPORT int open(const char *path, int flags, ...)
{
    NEXT(open);
    va_list arguments;

    va_start(arguments, flags);
    mode_t mode = va_arg(arguments, mode_t);
    va_end(arguments);
    FAIL_IF_DUE(open, -1);
    return next(path, flags, mode);
}

EXPORT ssize_t recv(int fd, void *bytes, size_t count, int flags)
{
    NEXT(recv);
    FAIL_IF_DUE(recv, -1);
    return next(fd, bytes, cut(fd, false, count, __builtin_return_address(0)), flags);
}

EXPORT ssize_t read(int fd, void *bytes, size_t count)
{
    NEXT(read);
    FAIL_IF_DUE(read, -1);
    return next(fd, bytes, cut(fd, false, count, __builtin_return_address(0)));
}

EXPORT ssize_t write(int fd, const void *bytes, size_t count)
{
    NEXT(write);
    FAIL_IF_DUE(write, -1);
    return next(fd, bytes, cut(fd, true, count, __builtin_return_address(0)));
}

EXPORT ssize_t readv(int fd, const struct iovec *vector, int count)
{
    NEXT(readv);
    struct iovec shorter[MAX_VECTOR];

    FAIL_IF_DUE(readv, -1);
    size_t bytes = sum(vector, (size_t)count);
    size_t allowed = cut(fd, false, bytes, __builtin_return_address(0));
    if (allowed == bytes)
        return next(fd, vector, count);
    return next(fd, shorter, shorten(shorter, vector, count, allowed));
}

EXPORT ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    NEXT(sendmsg);
    struct iovec shorter[MAX_VECTOR];
    struct msghdr changed = *message;

    FAIL_IF_DUE(sendmsg, -1);
    size_t bytes = sum(message->msg_iov, message->msg_iovlen);
    size_t allowed = cut(fd, true, bytes, __builtin_return_address(0));
    if (allowed == bytes)
        return next(fd, message, flags);
    changed.msg_iov = shorter;
    changed.msg_iovlen = (size_t)shorten(shorter, message->msg_iov, (int)message->msg_iovlen, allowed);
    return next(fd, &changed, flags);
}

#if HAS_MALLOC
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *memory, size_t bytes);

EXPORT void *malloc(size_t bytes)
{
    FAIL_IF_DUE(malloc, NULL);
    return __libc_malloc(bytes);
}

EXPORT void *calloc(size_t count, size_t bytes)
{
    FAIL_IF_DUE(calloc, NULL);
    return __libc_calloc(count, bytes);
}

EXPORT void *realloc(void *memory, size_t bytes)
{
    FAIL_IF_DUE(realloc, NULL);
    return __libc_realloc(memory, bytes);
}
#endif

/* ---- For programs in other languages ---- */

/* A preloaded copy does what the environment is set to: "NN_FAILING_CALL" to "object name index error" arms, and to ""
 * disarms; afterwards its value is "1" when the call has failed. */
EXPORT int setenv(const char *name, const char *value, int overwrite)
{
    NEXT(setenv);
    char object[64], call[32];
    long index;
    int error;

    if (strcmp(name, "NN_FAILING_CALL") != 0)
        return next(name, value, overwrite);
    if (*value == '\0')
        return next(name, failing_calls_disarm() ? "1" : "0", 1);
    if (sscanf(value, "%63s %31s %ld %d", object, call, &index, &error) != 4 || !failing_calls_of(object))
        abort();
    for (int i = 0; failing_calls[i].name != NULL; i++) {
        if (strcmp(failing_calls[i].name, call) == 0)
            failing_calls_arm(i, index, error);
    }
    return 0;
}
