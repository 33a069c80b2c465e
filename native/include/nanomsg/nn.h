/* The nanomsg C API: scalability protocols behind small-integer sockets.
 *
 * Names, values and layouts are those of libnanomsg, so that its programs compile and run unchanged. All functions are
 * safe to call from any thread. A call that fails returns -1 (or NULL) and sets errno, which nn_errno() returns too. */
#ifndef NN_H_INCLUDED
#define NN_H_INCLUDED

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* On Windows only what makes the DLL marks its functions: programs link to the DLL and to the static library alike. */
#if defined _WIN32 && defined NN_SHARED_LIB
#define NN_EXPORT __declspec(dllexport)
#elif defined _WIN32
#define NN_EXPORT
#else
#define NN_EXPORT __attribute__((visibility("default")))
#endif

/* ---- Version of the interface (libtool's current, revision, age) ------------------------------ */

#define NN_VERSION_CURRENT 5
#define NN_VERSION_REVISION 1
#define NN_VERSION_AGE 0

/* ---- Errors: those of errno.h, with values of our own where a platform lacks one --------------- */

#define NN_HAUSNUMERO 156384712

#ifndef ENOTSUP
#define ENOTSUP (NN_HAUSNUMERO + 1)
#endif
#ifndef EPROTONOSUPPORT
#define EPROTONOSUPPORT (NN_HAUSNUMERO + 2)
#endif
#ifndef ENOBUFS
#define ENOBUFS (NN_HAUSNUMERO + 3)
#endif
#ifndef ENETDOWN
#define ENETDOWN (NN_HAUSNUMERO + 4)
#endif
#ifndef EADDRINUSE
#define EADDRINUSE (NN_HAUSNUMERO + 5)
#endif
#ifndef EADDRNOTAVAIL
#define EADDRNOTAVAIL (NN_HAUSNUMERO + 6)
#endif
#ifndef ECONNREFUSED
#define ECONNREFUSED (NN_HAUSNUMERO + 7)
#endif
#ifndef EINPROGRESS
#define EINPROGRESS (NN_HAUSNUMERO + 8)
#endif
#ifndef ENOTSOCK
#define ENOTSOCK (NN_HAUSNUMERO + 9)
#endif
#ifndef EAFNOSUPPORT
#define EAFNOSUPPORT (NN_HAUSNUMERO + 10)
#endif
#ifndef EPROTO
#define EPROTO (NN_HAUSNUMERO + 11)
#endif
#ifndef EAGAIN
#define EAGAIN (NN_HAUSNUMERO + 12)
#endif
#ifndef EBADF
#define EBADF (NN_HAUSNUMERO + 13)
#endif
#ifndef EINVAL
#define EINVAL (NN_HAUSNUMERO + 14)
#endif
#ifndef EMFILE
#define EMFILE (NN_HAUSNUMERO + 15)
#endif
#ifndef EFAULT
#define EFAULT (NN_HAUSNUMERO + 16)
#endif
#ifndef EACCES
#define EACCES (NN_HAUSNUMERO + 17)
#endif
#ifndef ENETRESET
#define ENETRESET (NN_HAUSNUMERO + 18)
#endif
#ifndef ENETUNREACH
#define ENETUNREACH (NN_HAUSNUMERO + 19)
#endif
#ifndef EHOSTUNREACH
#define EHOSTUNREACH (NN_HAUSNUMERO + 20)
#endif
#ifndef ENOTCONN
#define ENOTCONN (NN_HAUSNUMERO + 21)
#endif
#ifndef EMSGSIZE
#define EMSGSIZE (NN_HAUSNUMERO + 22)
#endif
#ifndef ETIMEDOUT
#define ETIMEDOUT (NN_HAUSNUMERO + 23)
#endif
#ifndef ECONNABORTED
#define ECONNABORTED (NN_HAUSNUMERO + 24)
#endif
#ifndef ECONNRESET
#define ECONNRESET (NN_HAUSNUMERO + 25)
#endif
#ifndef ENOPROTOOPT
#define ENOPROTOOPT (NN_HAUSNUMERO + 26)
#endif
#ifndef EISCONN
#define EISCONN (NN_HAUSNUMERO + 27)
#endif
#ifndef ESOCKTNOSUPPORT
#define ESOCKTNOSUPPORT (NN_HAUSNUMERO + 28)
#endif

#ifndef EACCESS
#define EACCESS EACCES
#endif

#ifndef ESHUTDOWN
#define ESHUTDOWN (NN_HAUSNUMERO + 55)
#endif

/** nn_term() has been called. */
#define ETERM (NN_HAUSNUMERO + 53)
/** The protocol's state does not allow the operation, such as a reply without a request. */
#define EFSM (NN_HAUSNUMERO + 54)

/** Returns errno of the calling thread, also to programs that are linked to another C library. */
NN_EXPORT int nn_errno(void);
/** Returns a text for an error number, including those of nanomsg. Never NULL; the text is static. */
NN_EXPORT const char *nn_strerror(int errnum);

/* ---- Constants at run time ---------------------------------------------------------------------- */

#define NN_NS_NAMESPACE 0
#define NN_NS_VERSION 1
#define NN_NS_DOMAIN 2
#define NN_NS_TRANSPORT 3
#define NN_NS_PROTOCOL 4
#define NN_NS_OPTION_LEVEL 5
#define NN_NS_SOCKET_OPTION 6
#define NN_NS_TRANSPORT_OPTION 7
#define NN_NS_OPTION_TYPE 8
#define NN_NS_OPTION_UNIT 9
#define NN_NS_FLAG 10
#define NN_NS_ERROR 11
#define NN_NS_LIMIT 12
#define NN_NS_EVENT 13
#define NN_NS_STATISTIC 14

#define NN_TYPE_NONE 0
#define NN_TYPE_INT 1
#define NN_TYPE_STR 2

#define NN_UNIT_NONE 0
#define NN_UNIT_BYTES 1
#define NN_UNIT_MILLISECONDS 2
#define NN_UNIT_PRIORITY 3
#define NN_UNIT_BOOLEAN 4
#define NN_UNIT_COUNTER 6
#define NN_UNIT_MESSAGES 5

struct nn_symbol_properties {
    int value;
    const char *name;
    int ns;   /* NN_NS_* */
    int type; /* NN_TYPE_* of an option's value */
    int unit; /* NN_UNIT_* of an option's value */
};

/** Returns the name of the i-th constant, and stores its value in *value unless value is NULL. Returns NULL with errno
 *  EINVAL if i is out of range. */
NN_EXPORT const char *nn_symbol(int i, int *value);
/** Describes the i-th constant in at most buflen bytes of *buf. Returns the number of bytes stored; 0 if i is out of
 *  range. */
NN_EXPORT int nn_symbol_info(int i, struct nn_symbol_properties *buf, int buflen);

/* ---- Termination --------------------------------------------------------------------------------- */

/** Closes all sockets of the process, and waits until accepted messages are delivered or NN_LINGER has expired. Pending
 *  calls fail with EBADF; afterwards nn_socket() fails with ETERM. */
NN_EXPORT void nn_term(void);

/* ---- Messages ------------------------------------------------------------------------------------ */

/** In place of a length: the buffer is a pointer to memory of nn_allocmsg(), whose ownership is transferred. */
#define NN_MSG ((size_t)-1)

/**
 * Allocates a message that can be sent without a copy.
 *
 * @param size  in bytes; may be 0. The content is undefined.
 * @param type  must be 0
 * @return the memory, or NULL and sets errno: EINVAL (type), ENOMEM
 */
NN_EXPORT void *nn_allocmsg(size_t size, int type);
/** Changes the length of a message and keeps its content, as realloc(3). Returns NULL and sets errno: ENOMEM (the
 *  message is unchanged), EFAULT (the pointer is not a message). */
NN_EXPORT void *nn_reallocmsg(void *msg, size_t size);
/** Frees a message. Returns 0, or -1 with errno EFAULT if the pointer is recognised as not being a message. */
NN_EXPORT int nn_freemsg(void *msg);

struct nn_iovec {
    void *iov_base;
    size_t iov_len;
};

struct nn_msghdr {
    struct nn_iovec *msg_iov;
    int msg_iovlen;
    void *msg_control;
    size_t msg_controllen;
};

struct nn_cmsghdr {
    size_t cmsg_len;
    int cmsg_level;
    int cmsg_type;
};

/* Control data: level and type of the protocol header of raw sockets. */
#define PROTO_SP 1
#define SP_HDR 1

/** Returns the control record after cmsg, or the first one if cmsg is NULL; NULL if there is none. */
NN_EXPORT struct nn_cmsghdr *nn_cmsg_nxthdr_(const struct nn_msghdr *mhdr, const struct nn_cmsghdr *cmsg);

#define NN_CMSG_ALIGN_(len) (((len) + sizeof(size_t) - 1) & (size_t) ~(sizeof(size_t) - 1))
#define NN_CMSG_FIRSTHDR(mhdr) nn_cmsg_nxthdr_((const struct nn_msghdr *)(mhdr), NULL)
#define NN_CMSG_NXTHDR(mhdr, cmsg) nn_cmsg_nxthdr_((const struct nn_msghdr *)(mhdr), (const struct nn_cmsghdr *)(cmsg))
#define NN_CMSG_DATA(cmsg) ((unsigned char *)(((struct nn_cmsghdr *)(cmsg)) + 1))
#define NN_CMSG_SPACE(len) (NN_CMSG_ALIGN_(len) + NN_CMSG_ALIGN_(sizeof(struct nn_cmsghdr)))
#define NN_CMSG_LEN(len) (NN_CMSG_ALIGN_(sizeof(struct nn_cmsghdr)) + (len))

/* ---- Sockets ------------------------------------------------------------------------------------- */

#define AF_SP 1
#define AF_SP_RAW 2

/** One more than the greatest length of an address, which includes its scheme and excludes the final NUL. */
#define NN_SOCKADDR_MAX 128

/* Levels and numbers of options; see nn_setsockopt(). */
#define NN_SOL_SOCKET 0

#define NN_LINGER 1
#define NN_SNDBUF 2
#define NN_RCVBUF 3
#define NN_SNDTIMEO 4
#define NN_RCVTIMEO 5
#define NN_RECONNECT_IVL 6
#define NN_RECONNECT_IVL_MAX 7
#define NN_SNDPRIO 8
#define NN_RCVPRIO 9
#define NN_SNDFD 10
#define NN_RCVFD 11
#define NN_DOMAIN 12
#define NN_PROTOCOL 13
#define NN_IPV4ONLY 14
#define NN_SOCKET_NAME 15
#define NN_RCVMAXSIZE 16
#define NN_MAXTTL 17

/** Flag of nn_send() and nn_recv(): fail with EAGAIN instead of waiting. */
#define NN_DONTWAIT 1

/**
 * Opens a socket.
 *
 * @param domain    AF_SP, or AF_SP_RAW for a socket that leaves protocol headers to the program (devices)
 * @param protocol  a socket type such as NN_REQ
 * @return the socket's number (>= 0; not a file descriptor), or -1 and sets errno: EAFNOSUPPORT (domain), EINVAL
 *         (protocol), EMFILE, ENOMEM, ETERM (after nn_term)
 */
NN_EXPORT int nn_socket(int domain, int protocol);

/**
 * Closes a socket without waiting; the engine goes on delivering accepted messages for up to NN_LINGER ms. Pending
 * calls on the socket fail with EBADF.
 *
 * @return 0, or -1 and sets errno: EBADF
 */
NN_EXPORT int nn_close(int s);

/**
 * Sets an option of the socket (level NN_SOL_SOCKET), of its type (level NN_SUB, ...) or of a transport (level NN_TCP,
 * ...). Existing endpoints keep the options that they were made with.
 *
 * @return 0, or -1 and sets errno: EBADF, ENOPROTOOPT (unknown or read-only), EINVAL (size or value), EFAULT (optval
 *         NULL)
 */
NN_EXPORT int nn_setsockopt(int s, int level, int option, const void *optval, size_t optvallen);
/** Copies at most *optvallen bytes of an option's value and sets *optvallen to its full length. Errors as
 *  nn_setsockopt(). */
NN_EXPORT int nn_getsockopt(int s, int level, int option, void *optval, size_t *optvallen);

/**
 * Listens at an address, such as "tcp://127.0.0.1:5555", "ipc:///run/a.sock" or "inproc://a". Peers can connect as soon
 * as it has returned. With port 0 the system chooses a port.
 *
 * @return an endpoint id (>= 1) for nn_shutdown(), or -1 and sets errno: EBADF, EINVAL (syntax), ENAMETOOLONG,
 *         EPROTONOSUPPORT (scheme), ENODEV (no such interface or host, or none of the address family in use),
 *         EADDRINUSE, EADDRNOTAVAIL, EACCES, ...
 */
NN_EXPORT int nn_bind(int s, const char *addr);
/** Connects to an address in the background, and reconnects whenever the connection is lost. Returns an endpoint id, or
 *  -1 and sets errno as nn_bind(). */
NN_EXPORT int nn_connect(int s, const char *addr);
/** Closes an endpoint and its connections. Returns 0, or -1 and sets errno: EBADF, EINVAL (no such endpoint). */
NN_EXPORT int nn_shutdown(int s, int how);

/**
 * Sends one message. Blocks until the socket accepts it, for at most NN_SNDTIMEO ms (-1: no limit).
 *
 * @param buf    the body, which the caller may reuse after the call; or, with len NN_MSG, a pointer to memory of
 *               nn_allocmsg(), which belongs to the library on success and to the caller on failure
 * @param len    in bytes, or NN_MSG
 * @param flags  0 or NN_DONTWAIT; other bits are ignored
 * @return the body's length, or -1 and sets errno: EAGAIN (NN_DONTWAIT), ETIMEDOUT, EFSM (REP without a request, ...),
 *         ENOTSUP (PULL, SUB), EINTR, EBADF, EFAULT (buf), ENOMEM
 */
NN_EXPORT int nn_send(int s, const void *buf, size_t len, int flags);
/**
 * Receives one message. Blocks for at most NN_RCVTIMEO ms (-1: no limit).
 *
 * @param buf  memory for the body, which is truncated if it is longer; or, with len NN_MSG, a pointer to a pointer that
 *             is set to the message, which the caller frees with nn_freemsg()
 * @return the message's full length, or -1 and sets errno as nn_send()
 */
NN_EXPORT int nn_recv(int s, void *buf, size_t len, int flags);
/**
 * As nn_send(), gathering the body from msg_iov, with control data. Further errors: EINVAL, EMSGSIZE.
 *
 * Control data in memory of nn_allocmsg() (msg_controllen NN_MSG) is freed on success and on EAGAIN, ETIMEDOUT, EINTR,
 * EFSM and ENOTSUP; on any other error it still belongs to the caller.
 */
NN_EXPORT int nn_sendmsg(int s, const struct nn_msghdr *msghdr, int flags);
/** As nn_recv(), scattering the body over msg_iov, with control data. Further errors: EINVAL, EMSGSIZE. */
NN_EXPORT int nn_recvmsg(int s, struct nn_msghdr *msghdr, int flags);

/* ---- Waiting for several sockets ------------------------------------------------------------------ */

#define NN_POLLIN 1
#define NN_POLLOUT 2

struct nn_pollfd {
    int fd;
    short events;
    short revents;
};

/** Blocks until one of the sockets is ready, for at most timeout ms (-1: no limit). Returns the number of ready sockets
 *  (0: timeout), or -1 and sets errno: EBADF, ENOPROTOOPT (NN_POLLIN of a type that cannot receive, ...), EINTR. */
NN_EXPORT int nn_poll(struct nn_pollfd *fds, int nfds, int timeout);

/** Forwards messages between two raw sockets, in both directions if their types allow it, or from a socket to itself if
 *  the other is -1. Returns only on failure: -1 with errno EBADF (a socket was closed), EINVAL (not raw, or types that
 *  do not match), ... */
NN_EXPORT int nn_device(int s1, int s2);

/* ---- Statistics ------------------------------------------------------------------------------------ */

#define NN_STAT_ESTABLISHED_CONNECTIONS 101
#define NN_STAT_ACCEPTED_CONNECTIONS 102
#define NN_STAT_DROPPED_CONNECTIONS 103
#define NN_STAT_BROKEN_CONNECTIONS 104
#define NN_STAT_CONNECT_ERRORS 105
#define NN_STAT_BIND_ERRORS 106
#define NN_STAT_ACCEPT_ERRORS 107
#define NN_STAT_MESSAGES_SENT 301
#define NN_STAT_MESSAGES_RECEIVED 302
#define NN_STAT_BYTES_SENT 303
#define NN_STAT_BYTES_RECEIVED 304
#define NN_STAT_CURRENT_CONNECTIONS 201
#define NN_STAT_INPROGRESS_CONNECTIONS 202
#define NN_STAT_CURRENT_SND_PRIORITY 401
#define NN_STAT_CURRENT_EP_ERRORS 203

/** Returns a statistic of the socket (NN_STAT_*), or (uint64_t)-1 and sets errno: EBADF, EINVAL (no such statistic). */
NN_EXPORT uint64_t nn_get_statistic(int s, int stat);

#ifdef __cplusplus
}
#endif

#endif
