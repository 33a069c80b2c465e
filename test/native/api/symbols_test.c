/* nn_symbol and nn_symbol_info: the table of constants, entry by entry; nn_init. */
#include "sockets.h"

#include <nanomsg/bus.h>
#include <nanomsg/inproc.h>
#include <nanomsg/ipc.h>
#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/survey.h>
#include <nanomsg/tcp.h>
#include <nanomsg/ws.h>

#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Numbers, not names: they are what other languages were given by libnanomsg. */
static const struct nn_symbol_properties expected[] = {
    {0, "NN_NS_NAMESPACE", 0, 0, 0},
    {1, "NN_NS_VERSION", 0, 0, 0},
    {2, "NN_NS_DOMAIN", 0, 0, 0},
    {3, "NN_NS_TRANSPORT", 0, 0, 0},
    {4, "NN_NS_PROTOCOL", 0, 0, 0},
    {5, "NN_NS_OPTION_LEVEL", 0, 0, 0},
    {6, "NN_NS_SOCKET_OPTION", 0, 0, 0},
    {7, "NN_NS_TRANSPORT_OPTION", 0, 0, 0},
    {8, "NN_NS_OPTION_TYPE", 0, 0, 0},
    {9, "NN_NS_OPTION_UNIT", 0, 0, 0},
    {10, "NN_NS_FLAG", 0, 0, 0},
    {11, "NN_NS_ERROR", 0, 0, 0},
    {12, "NN_NS_LIMIT", 0, 0, 0},
    {13, "NN_NS_EVENT", 0, 0, 0},
    {14, "NN_NS_STATISTIC", 0, 0, 0},
    {0, "NN_TYPE_NONE", 8, 0, 0},
    {1, "NN_TYPE_INT", 8, 0, 0},
    {2, "NN_TYPE_STR", 8, 0, 0},
    {0, "NN_UNIT_NONE", 9, 0, 0},
    {1, "NN_UNIT_BYTES", 9, 0, 0},
    {2, "NN_UNIT_MILLISECONDS", 9, 0, 0},
    {3, "NN_UNIT_PRIORITY", 9, 0, 0},
    {4, "NN_UNIT_BOOLEAN", 9, 0, 0},
    {6, "NN_UNIT_COUNTER", 9, 0, 0},
    {5, "NN_UNIT_MESSAGES", 9, 0, 0},
    {5, "NN_VERSION_CURRENT", 1, 0, 0},
    {1, "NN_VERSION_REVISION", 1, 0, 0},
    {0, "NN_VERSION_AGE", 1, 0, 0},
    {1, "AF_SP", 2, 0, 0},
    {2, "AF_SP_RAW", 2, 0, 0},
    {-1, "NN_INPROC", 3, 0, 0},
    {-2, "NN_IPC", 3, 0, 0},
    {-3, "NN_TCP", 3, 0, 0},
    {-4, "NN_WS", 3, 0, 0},
    {16, "NN_PAIR", 4, 0, 0},
    {32, "NN_PUB", 4, 0, 0},
    {33, "NN_SUB", 4, 0, 0},
    {49, "NN_REP", 4, 0, 0},
    {48, "NN_REQ", 4, 0, 0},
    {80, "NN_PUSH", 4, 0, 0},
    {81, "NN_PULL", 4, 0, 0},
    {98, "NN_SURVEYOR", 4, 0, 0},
    {99, "NN_RESPONDENT", 4, 0, 0},
    {112, "NN_BUS", 4, 0, 0},
    {128, "NN_SOCKADDR_MAX", 12, 0, 0},
    {0, "NN_SOL_SOCKET", 5, 0, 0},
    {1, "NN_LINGER", 6, 1, 2},
    {2, "NN_SNDBUF", 6, 1, 1},
    {3, "NN_RCVBUF", 6, 1, 1},
    {16, "NN_RCVMAXSIZE", 6, 1, 1},
    {4, "NN_SNDTIMEO", 6, 1, 2},
    {5, "NN_RCVTIMEO", 6, 1, 2},
    {6, "NN_RECONNECT_IVL", 6, 1, 2},
    {7, "NN_RECONNECT_IVL_MAX", 6, 1, 2},
    {8, "NN_SNDPRIO", 6, 1, 3},
    {9, "NN_RCVPRIO", 6, 1, 3},
    {10, "NN_SNDFD", 6, 1, 0},
    {11, "NN_RCVFD", 6, 1, 0},
    {12, "NN_DOMAIN", 6, 1, 0},
    {13, "NN_PROTOCOL", 6, 1, 0},
    {14, "NN_IPV4ONLY", 6, 1, 4},
    {15, "NN_SOCKET_NAME", 6, 2, 0},
    {17, "NN_MAXTTL", 6, 1, 0},
    {1, "NN_SUB_SUBSCRIBE", 7, 2, 0},
    {2, "NN_SUB_UNSUBSCRIBE", 7, 2, 0},
    {1, "NN_REQ_RESEND_IVL", 7, 1, 2},
    {1, "NN_SURVEYOR_DEADLINE", 7, 1, 2},
    {1, "NN_TCP_NODELAY", 7, 1, 4},
    {1, "NN_WS_MSG_TYPE", 7, 1, 0},
    {1, "NN_DONTWAIT", 10, 0, 0},
    {1, "NN_WS_MSG_TYPE_TEXT", 10, 0, 0},
    {2, "NN_WS_MSG_TYPE_BINARY", 10, 0, 0},
    {1, "NN_POLLIN", 13, 0, 0},
    {2, "NN_POLLOUT", 13, 0, 0},
    {EADDRINUSE, "EADDRINUSE", 11, 0, 0},
    {EADDRNOTAVAIL, "EADDRNOTAVAIL", 11, 0, 0},
    {EAFNOSUPPORT, "EAFNOSUPPORT", 11, 0, 0},
    {EAGAIN, "EAGAIN", 11, 0, 0},
    {EBADF, "EBADF", 11, 0, 0},
    {ECONNREFUSED, "ECONNREFUSED", 11, 0, 0},
    {EFAULT, "EFAULT", 11, 0, 0},
    {156384766, "EFSM", 11, 0, 0},
    {EINPROGRESS, "EINPROGRESS", 11, 0, 0},
    {EINTR, "EINTR", 11, 0, 0},
    {EINVAL, "EINVAL", 11, 0, 0},
    {EMFILE, "EMFILE", 11, 0, 0},
    {ENAMETOOLONG, "ENAMETOOLONG", 11, 0, 0},
    {ENETDOWN, "ENETDOWN", 11, 0, 0},
    {ENOBUFS, "ENOBUFS", 11, 0, 0},
    {ENODEV, "ENODEV", 11, 0, 0},
    {ENOMEM, "ENOMEM", 11, 0, 0},
    {ENOPROTOOPT, "ENOPROTOOPT", 11, 0, 0},
    {ENOTSOCK, "ENOTSOCK", 11, 0, 0},
    {ENOTSUP, "ENOTSUP", 11, 0, 0},
    {EPROTO, "EPROTO", 11, 0, 0},
    {EPROTONOSUPPORT, "EPROTONOSUPPORT", 11, 0, 0},
    {156384765, "ETERM", 11, 0, 0},
    {ETIMEDOUT, "ETIMEDOUT", 11, 0, 0},
    {EACCES, "EACCES", 11, 0, 0},
    {ECONNABORTED, "ECONNABORTED", 11, 0, 0},
    {ECONNRESET, "ECONNRESET", 11, 0, 0},
    {EHOSTUNREACH, "EHOSTUNREACH", 11, 0, 0},
    {EMSGSIZE, "EMSGSIZE", 11, 0, 0},
    {ENETRESET, "ENETRESET", 11, 0, 0},
    {ENETUNREACH, "ENETUNREACH", 11, 0, 0},
    {ENOTCONN, "ENOTCONN", 11, 0, 0},
    {101, "NN_STAT_ESTABLISHED_CONNECTIONS", 14, 1, 6},
    {102, "NN_STAT_ACCEPTED_CONNECTIONS", 14, 1, 6},
    {103, "NN_STAT_DROPPED_CONNECTIONS", 14, 1, 6},
    {104, "NN_STAT_BROKEN_CONNECTIONS", 14, 1, 6},
    {105, "NN_STAT_CONNECT_ERRORS", 14, 1, 6},
    {106, "NN_STAT_BIND_ERRORS", 14, 1, 6},
    {107, "NN_STAT_ACCEPT_ERRORS", 14, 1, 6},
    {301, "NN_STAT_MESSAGES_SENT", 14, 1, 5},
    {302, "NN_STAT_MESSAGES_RECEIVED", 14, 1, 5},
    {303, "NN_STAT_BYTES_SENT", 14, 1, 1},
    {304, "NN_STAT_BYTES_RECEIVED", 14, 1, 1},
    {201, "NN_STAT_CURRENT_CONNECTIONS", 14, 1, 0},
    {202, "NN_STAT_INPROGRESS_CONNECTIONS", 14, 1, 0},
    {401, "NN_STAT_CURRENT_SND_PRIORITY", 14, 1, 3},
    {203, "NN_STAT_CURRENT_EP_ERRORS", 14, 1, 0},
};

TEST(the_table_is_that_of_libnanomsg_entry_by_entry)
{
    for (int i = 0; i < (int)COUNT_OF(expected); i++) {
        struct nn_symbol_properties entry;
        int value = -99;
        CHECK_EQUAL(nn_symbol_info(i, &entry, sizeof entry), sizeof entry);
        CHECK_STRING(entry.name, expected[i].name);
        CHECK_EQUAL(entry.value, expected[i].value);
        CHECK_EQUAL(entry.ns, expected[i].ns);
        CHECK_EQUAL(entry.type, expected[i].type);
        CHECK_EQUAL(entry.unit, expected[i].unit);
        CHECK_STRING(nn_symbol(i, &value), expected[i].name);
        CHECK_EQUAL(value, expected[i].value);
        CHECK_STRING(nn_symbol(i, NULL), expected[i].name);
    }
}

TEST(beyond_the_table_is_nothing)
{
    static const int indices[] = {-1, (int)COUNT_OF(expected), (int)COUNT_OF(expected) + 1, INT32_MAX, INT32_MIN};

    for (size_t i = 0; i < COUNT_OF(indices); i++) {
        struct nn_symbol_properties entry = {.value = 77};
        int value = 77;
        errno = 0;
        CHECK(nn_symbol(indices[i], &value) == NULL);
        CHECK_EQUAL(nn_errno(), EINVAL);
        CHECK_EQUAL(value, 77);
        CHECK_EQUAL(nn_symbol_info(indices[i], &entry, sizeof entry), 0);
        CHECK_EQUAL(entry.value, 77);
    }
}

/* Programs with older headers have fewer members, those with newer ones more. */
TEST(as_much_of_an_entry_is_written_as_there_is_room_for)
{
    const int index = 46; /* all its members differ from 0 */
    struct nn_symbol_properties whole;
    uint8_t room[sizeof whole + 8];
    uint8_t untouched[sizeof room];

    memset(untouched, 0xee, sizeof untouched);
    memset(&whole, 0, sizeof whole);
    CHECK_EQUAL(nn_symbol_info(index, &whole, sizeof whole), sizeof whole);
    for (size_t size = 0; size <= sizeof room; size++) {
        size_t written = size < sizeof whole ? size : sizeof whole;
        memset(room, 0xee, sizeof room);
        CHECK_EQUAL(nn_symbol_info(index, (void *)room, (int)size), written);
        CHECK_BYTES(room + written, sizeof room - written, untouched, sizeof room - written);
        CHECK(written < sizeof whole.value || memcmp(room, &whole.value, sizeof whole.value) == 0);
    }
}

/* The values that programs are compiled with. */
TEST(the_constants_of_the_headers_are_those_of_the_table)
{
    static const struct {
        const char *name;
        int value;
    } constants[] = {
        {"NN_INPROC", NN_INPROC},
        {"NN_IPC", NN_IPC},
        {"NN_TCP", NN_TCP},
        {"NN_WS", NN_WS},
        {"NN_PAIR", NN_PAIR},
        {"NN_PUB", NN_PUB},
        {"NN_SUB", NN_SUB},
        {"NN_REP", NN_REP},
        {"NN_REQ", NN_REQ},
        {"NN_PUSH", NN_PUSH},
        {"NN_PULL", NN_PULL},
        {"NN_SURVEYOR", NN_SURVEYOR},
        {"NN_RESPONDENT", NN_RESPONDENT},
        {"NN_BUS", NN_BUS},
        {"NN_SUB_SUBSCRIBE", NN_SUB_SUBSCRIBE},
        {"NN_SUB_UNSUBSCRIBE", NN_SUB_UNSUBSCRIBE},
        {"NN_REQ_RESEND_IVL", NN_REQ_RESEND_IVL},
        {"NN_SURVEYOR_DEADLINE", NN_SURVEYOR_DEADLINE},
        {"NN_TCP_NODELAY", NN_TCP_NODELAY},
        {"NN_WS_MSG_TYPE", NN_WS_MSG_TYPE},
        {"NN_WS_MSG_TYPE_TEXT", NN_WS_MSG_TYPE_TEXT},
        {"NN_WS_MSG_TYPE_BINARY", NN_WS_MSG_TYPE_BINARY},
        {"ETERM", ETERM},
        {"EFSM", EFSM},
    };

    for (size_t i = 0; i < COUNT_OF(constants); i++) {
        bool is_found = false;
        for (size_t k = 0; k < COUNT_OF(expected); k++) {
            if (strcmp(expected[k].name, constants[i].name) == 0) {
                CHECK_EQUAL(constants[i].value, expected[k].value);
                is_found = true;
            }
        }
        CHECK(is_found);
    }
}

/* Not in the headers, as in libnanomsg, and used all the same. */
void nn_init(void);

TEST(nn_init_undoes_nn_term)
{
    int before = SOCKET(NN_PAIR);

    nn_term();
    CHECK_ERRNO(nn_socket(AF_SP, NN_PAIR), ETERM);
    nn_init();
    CHECK_ERRNO(nn_close(before), EBADF);
    const char *address = test_inproc_address();
    int first = test_socket_bound(NN_PAIR, address);
    int second = test_socket_connected(NN_PAIR, address);
    CHECK_SENDS(first, "again");
    CHECK_RECEIVES(second, "again");
}
