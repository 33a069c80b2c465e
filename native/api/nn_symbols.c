/* nn_symbol and nn_symbol_info: the constants of the C API, for languages that cannot read its headers. The order is
 * that of libnanomsg: programs have been seen to know it. */
#include <nanomsg/bus.h>
#include <nanomsg/inproc.h>
#include <nanomsg/ipc.h>
#include <nanomsg/nn.h>
#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/survey.h>
#include <nanomsg/tcp.h>
#include <nanomsg/ws.h>

#include <string.h>

/* A constant of its namespace; an option with the type and unit of its values. Both spell the name out themselves: an
 * argument that is passed on is expanded first. */
#define SYMBOL(space, symbol)                                                                                          \
    {                                                                                                                  \
        .value = (symbol), .name = #symbol, .ns = NN_NS_##space, .type = NN_TYPE_NONE, .unit = NN_UNIT_NONE            \
    }
#define OPTION(space, symbol, value_type, value_unit)                                                                  \
    {                                                                                                                  \
        .value = (symbol), .name = #symbol, .ns = NN_NS_##space, .type = NN_TYPE_##value_type,                         \
        .unit = NN_UNIT_##value_unit                                                                                   \
    }

static const struct nn_symbol_properties symbols[] = {
    SYMBOL(NAMESPACE, NN_NS_NAMESPACE),
    SYMBOL(NAMESPACE, NN_NS_VERSION),
    SYMBOL(NAMESPACE, NN_NS_DOMAIN),
    SYMBOL(NAMESPACE, NN_NS_TRANSPORT),
    SYMBOL(NAMESPACE, NN_NS_PROTOCOL),
    SYMBOL(NAMESPACE, NN_NS_OPTION_LEVEL),
    SYMBOL(NAMESPACE, NN_NS_SOCKET_OPTION),
    SYMBOL(NAMESPACE, NN_NS_TRANSPORT_OPTION),
    SYMBOL(NAMESPACE, NN_NS_OPTION_TYPE),
    SYMBOL(NAMESPACE, NN_NS_OPTION_UNIT),
    SYMBOL(NAMESPACE, NN_NS_FLAG),
    SYMBOL(NAMESPACE, NN_NS_ERROR),
    SYMBOL(NAMESPACE, NN_NS_LIMIT),
    SYMBOL(NAMESPACE, NN_NS_EVENT),
    SYMBOL(NAMESPACE, NN_NS_STATISTIC),
    SYMBOL(OPTION_TYPE, NN_TYPE_NONE),
    SYMBOL(OPTION_TYPE, NN_TYPE_INT),
    SYMBOL(OPTION_TYPE, NN_TYPE_STR),
    SYMBOL(OPTION_UNIT, NN_UNIT_NONE),
    SYMBOL(OPTION_UNIT, NN_UNIT_BYTES),
    SYMBOL(OPTION_UNIT, NN_UNIT_MILLISECONDS),
    SYMBOL(OPTION_UNIT, NN_UNIT_PRIORITY),
    SYMBOL(OPTION_UNIT, NN_UNIT_BOOLEAN),
    SYMBOL(OPTION_UNIT, NN_UNIT_COUNTER),
    SYMBOL(OPTION_UNIT, NN_UNIT_MESSAGES),
    SYMBOL(VERSION, NN_VERSION_CURRENT),
    SYMBOL(VERSION, NN_VERSION_REVISION),
    SYMBOL(VERSION, NN_VERSION_AGE),
    SYMBOL(DOMAIN, AF_SP),
    SYMBOL(DOMAIN, AF_SP_RAW),
    SYMBOL(TRANSPORT, NN_INPROC),
    SYMBOL(TRANSPORT, NN_IPC),
    SYMBOL(TRANSPORT, NN_TCP),
    SYMBOL(TRANSPORT, NN_WS),
    SYMBOL(PROTOCOL, NN_PAIR),
    SYMBOL(PROTOCOL, NN_PUB),
    SYMBOL(PROTOCOL, NN_SUB),
    SYMBOL(PROTOCOL, NN_REP),
    SYMBOL(PROTOCOL, NN_REQ),
    SYMBOL(PROTOCOL, NN_PUSH),
    SYMBOL(PROTOCOL, NN_PULL),
    SYMBOL(PROTOCOL, NN_SURVEYOR),
    SYMBOL(PROTOCOL, NN_RESPONDENT),
    SYMBOL(PROTOCOL, NN_BUS),
    SYMBOL(LIMIT, NN_SOCKADDR_MAX),
    SYMBOL(OPTION_LEVEL, NN_SOL_SOCKET),
    OPTION(SOCKET_OPTION, NN_LINGER, INT, MILLISECONDS),
    OPTION(SOCKET_OPTION, NN_SNDBUF, INT, BYTES),
    OPTION(SOCKET_OPTION, NN_RCVBUF, INT, BYTES),
    OPTION(SOCKET_OPTION, NN_RCVMAXSIZE, INT, BYTES),
    OPTION(SOCKET_OPTION, NN_SNDTIMEO, INT, MILLISECONDS),
    OPTION(SOCKET_OPTION, NN_RCVTIMEO, INT, MILLISECONDS),
    OPTION(SOCKET_OPTION, NN_RECONNECT_IVL, INT, MILLISECONDS),
    OPTION(SOCKET_OPTION, NN_RECONNECT_IVL_MAX, INT, MILLISECONDS),
    OPTION(SOCKET_OPTION, NN_SNDPRIO, INT, PRIORITY),
    OPTION(SOCKET_OPTION, NN_RCVPRIO, INT, PRIORITY),
    OPTION(SOCKET_OPTION, NN_SNDFD, INT, NONE),
    OPTION(SOCKET_OPTION, NN_RCVFD, INT, NONE),
    OPTION(SOCKET_OPTION, NN_DOMAIN, INT, NONE),
    OPTION(SOCKET_OPTION, NN_PROTOCOL, INT, NONE),
    OPTION(SOCKET_OPTION, NN_IPV4ONLY, INT, BOOLEAN),
    OPTION(SOCKET_OPTION, NN_SOCKET_NAME, STR, NONE),
    OPTION(SOCKET_OPTION, NN_MAXTTL, INT, NONE),
    OPTION(TRANSPORT_OPTION, NN_SUB_SUBSCRIBE, STR, NONE),
    OPTION(TRANSPORT_OPTION, NN_SUB_UNSUBSCRIBE, STR, NONE),
    OPTION(TRANSPORT_OPTION, NN_REQ_RESEND_IVL, INT, MILLISECONDS),
    OPTION(TRANSPORT_OPTION, NN_SURVEYOR_DEADLINE, INT, MILLISECONDS),
    OPTION(TRANSPORT_OPTION, NN_TCP_NODELAY, INT, BOOLEAN),
    OPTION(TRANSPORT_OPTION, NN_WS_MSG_TYPE, INT, NONE),
    SYMBOL(FLAG, NN_DONTWAIT),
    SYMBOL(FLAG, NN_WS_MSG_TYPE_TEXT),
    SYMBOL(FLAG, NN_WS_MSG_TYPE_BINARY),
    SYMBOL(EVENT, NN_POLLIN),
    SYMBOL(EVENT, NN_POLLOUT),
    SYMBOL(ERROR, EADDRINUSE),
    SYMBOL(ERROR, EADDRNOTAVAIL),
    SYMBOL(ERROR, EAFNOSUPPORT),
    SYMBOL(ERROR, EAGAIN),
    SYMBOL(ERROR, EBADF),
    SYMBOL(ERROR, ECONNREFUSED),
    SYMBOL(ERROR, EFAULT),
    SYMBOL(ERROR, EFSM),
    SYMBOL(ERROR, EINPROGRESS),
    SYMBOL(ERROR, EINTR),
    SYMBOL(ERROR, EINVAL),
    SYMBOL(ERROR, EMFILE),
    SYMBOL(ERROR, ENAMETOOLONG),
    SYMBOL(ERROR, ENETDOWN),
    SYMBOL(ERROR, ENOBUFS),
    SYMBOL(ERROR, ENODEV),
    SYMBOL(ERROR, ENOMEM),
    SYMBOL(ERROR, ENOPROTOOPT),
    SYMBOL(ERROR, ENOTSOCK),
    SYMBOL(ERROR, ENOTSUP),
    SYMBOL(ERROR, EPROTO),
    SYMBOL(ERROR, EPROTONOSUPPORT),
    SYMBOL(ERROR, ETERM),
    SYMBOL(ERROR, ETIMEDOUT),
    SYMBOL(ERROR, EACCES),
    SYMBOL(ERROR, ECONNABORTED),
    SYMBOL(ERROR, ECONNRESET),
    SYMBOL(ERROR, EHOSTUNREACH),
    SYMBOL(ERROR, EMSGSIZE),
    SYMBOL(ERROR, ENETRESET),
    SYMBOL(ERROR, ENETUNREACH),
    SYMBOL(ERROR, ENOTCONN),
    OPTION(STATISTIC, NN_STAT_ESTABLISHED_CONNECTIONS, INT, COUNTER),
    OPTION(STATISTIC, NN_STAT_ACCEPTED_CONNECTIONS, INT, COUNTER),
    OPTION(STATISTIC, NN_STAT_DROPPED_CONNECTIONS, INT, COUNTER),
    OPTION(STATISTIC, NN_STAT_BROKEN_CONNECTIONS, INT, COUNTER),
    OPTION(STATISTIC, NN_STAT_CONNECT_ERRORS, INT, COUNTER),
    OPTION(STATISTIC, NN_STAT_BIND_ERRORS, INT, COUNTER),
    OPTION(STATISTIC, NN_STAT_ACCEPT_ERRORS, INT, COUNTER),
    OPTION(STATISTIC, NN_STAT_MESSAGES_SENT, INT, MESSAGES),
    OPTION(STATISTIC, NN_STAT_MESSAGES_RECEIVED, INT, MESSAGES),
    OPTION(STATISTIC, NN_STAT_BYTES_SENT, INT, BYTES),
    OPTION(STATISTIC, NN_STAT_BYTES_RECEIVED, INT, BYTES),
    OPTION(STATISTIC, NN_STAT_CURRENT_CONNECTIONS, INT, NONE),
    OPTION(STATISTIC, NN_STAT_INPROGRESS_CONNECTIONS, INT, NONE),
    OPTION(STATISTIC, NN_STAT_CURRENT_SND_PRIORITY, INT, PRIORITY),
    OPTION(STATISTIC, NN_STAT_CURRENT_EP_ERRORS, INT, NONE),
};

#define SYMBOLS ((int)(sizeof symbols / sizeof symbols[0]))

const char *nn_symbol(int i, int *value)
{
    if (i < 0 || i >= SYMBOLS) {
        errno = EINVAL;
        return NULL;
    }
    if (value != NULL)
        *value = symbols[i].value;
    return symbols[i].name;
}

int nn_symbol_info(int i, struct nn_symbol_properties *buf, int buflen)
{
    if (i < 0 || i >= SYMBOLS || buf == NULL || buflen <= 0)
        return 0;
    /* A caller with older headers knows the first members only. */
    int bytes = buflen < (int)sizeof symbols[i] ? buflen : (int)sizeof symbols[i];
    memcpy(buf, &symbols[i], (size_t)bytes);
    return bytes;
}
