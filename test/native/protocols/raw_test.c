/* Raw sockets: headers are the user's business. What each type puts into them and makes of them. */
#include "sockets.h"

#include <nanomsg/bus.h>
#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/survey.h>

#include <arpa/inet.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

struct raw_message {
    size_t header_bytes;
    uint8_t header[64];
    char body[64];
};

static int raw(int protocol)
{
    return (int)CHECK_OK(test_socket(AF_SP_RAW, protocol));
}

static int raw_bound(int protocol, const char *address)
{
    int s = raw(protocol);

    CHECK_OK(nn_bind(s, address));
    return s;
}

static int raw_connected(int protocol, const char *address)
{
    int s = raw(protocol);

    CHECK_OK(nn_connect(s, address));
    return s;
}

/* Receives a message with its header. */
static struct raw_message receive_raw(int s)
{
    struct raw_message message = {0};
    _Alignas(16) uint8_t control[256];
    struct nn_iovec piece = {message.body, sizeof message.body - 1};
    struct nn_msghdr header = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};

    CHECK_OK(nn_recvmsg(s, &header, 0));
    struct nn_cmsghdr *record = NN_CMSG_FIRSTHDR(&header);
    CHECK(record != NULL);
    CHECK_EQUAL(record->cmsg_level, PROTO_SP);
    CHECK_EQUAL(record->cmsg_type, SP_HDR);
    memcpy(&message.header_bytes, NN_CMSG_DATA(record), sizeof message.header_bytes);
    CHECK(message.header_bytes <= sizeof message.header);
    CHECK_EQUAL(record->cmsg_len, NN_CMSG_SPACE(sizeof(size_t) + message.header_bytes));
    memcpy(message.header, NN_CMSG_DATA(record) + sizeof(size_t), message.header_bytes);
    return message;
}

static int send_raw(int s, const void *header_bytes, size_t count, const char *body, int flags)
{
    _Alignas(16) uint8_t control[256] = {0};
    struct nn_iovec piece = {(void *)(uintptr_t)body, strlen(body)};
    struct nn_msghdr header = {.msg_iov = &piece,
                               .msg_iovlen = 1,
                               .msg_control = control,
                               .msg_controllen = NN_CMSG_SPACE(sizeof count + count)};
    struct nn_cmsghdr *record = (struct nn_cmsghdr *)(void *)control;

    record->cmsg_len = NN_CMSG_SPACE(sizeof count + count);
    record->cmsg_level = PROTO_SP;
    record->cmsg_type = SP_HDR;
    memcpy(NN_CMSG_DATA(record), &count, sizeof count);
    memcpy(NN_CMSG_DATA(record) + sizeof count, header_bytes, count);
    return nn_sendmsg(s, &header, flags);
}

/* ---- Types without headers ---- */

TEST(types_without_headers_are_the_same_raw_and_cooked)
{
    static const struct {
        int sender;
        int receiver;
    } types[] = {{NN_PAIR, NN_PAIR}, {NN_PUSH, NN_PULL}, {NN_PUB, NN_SUB}};

    for (size_t i = 0; i < COUNT_OF(types); i++) {
        const char *address = test_inproc_address();
        int to = raw_bound(types[i].receiver, address);
        if (types[i].receiver == NN_SUB)
            CHECK_OK(nn_setsockopt(to, NN_SUB, NN_SUB_SUBSCRIBE, "a", 1));
        int from = raw_connected(types[i].sender, address);
        WAIT_PEERS(from, 1);
        WAIT_PEERS(to, 1);
        CHECK_SENDS(from, "apple");
        struct raw_message message = receive_raw(to);
        CHECK_STRING(message.body, "apple");
        CHECK_EQUAL(message.header_bytes, 0);
    }
}

TEST(a_raw_sub_filters_too)
{
    const char *address = test_inproc_address();
    int sub = raw_bound(NN_SUB, address);
    int pub = test_socket_connected(NN_PUB, address);

    CHECK_OK(nn_setsockopt(sub, NN_SUB, NN_SUB_SUBSCRIBE, "a", 1));
    WAIT_PEERS(pub, 1);
    CHECK_SENDS(pub, "banana");
    CHECK_SENDS(pub, "apple");
    CHECK_RECEIVES(sub, "apple");
}

TEST(a_header_goes_before_the_body_where_a_type_has_none)
{
    const char *address = test_inproc_address();
    int push = raw_bound(NN_PUSH, address);
    int pull = test_socket_connected(NN_PULL, address);

    WAIT_PEERS(push, 1);
    CHECK_EQUAL(CHECK_OK(send_raw(push, "head", 4, "body", 0)), 4);
    CHECK_RECEIVES(pull, "headbody");
}

/* ---- Requests and surveys ---- */

struct question_types {
    int asker;
    int replier;
};

static const struct question_types question_types[] = {{NN_REQ, NN_REP}, {NN_SURVEYOR, NN_RESPONDENT}};

TEST_OVER_TRANSPORTS(a_raw_replier_gets_the_way_back_as_header)
{
    for (size_t i = 0; i < COUNT_OF(question_types); i++) {
        const char *address = new_address();
        int replier = raw_bound(question_types[i].replier, address);
        int asker = test_socket_connected(question_types[i].asker, address);
        WAIT_PEERS(asker, 1);
        WAIT_PEERS(replier, 1);
        CHECK_SENDS(asker, "question");

        struct raw_message question = receive_raw(replier);
        CHECK_STRING(question.body, "question");
        CHECK_EQUAL(question.header_bytes, 8);
        CHECK_EQUAL(question.header[0] & 0x80, 0);    /* a pipe */
        CHECK_EQUAL(question.header[4] & 0x80, 0x80); /* the question's own id */
        CHECK_EQUAL(CHECK_OK(send_raw(replier, question.header, 8, "answer", 0)), 6);
        CHECK_RECEIVES(asker, "answer");
    }
}

/* Two raw REPs, one of which answers what the other was asked; then it goes, so that its answer has surely come. */
TEST_OVER_TRANSPORTS(a_reply_of_a_peer_that_was_not_asked_does_not_count)
{
    int req = SOCKET(NN_REQ);
    int reps[2];
    struct raw_message questions[2];

    for (int i = 0; i < 2; i++) {
        const char *address = new_address();
        reps[i] = raw_bound(NN_REP, address);
        CHECK_OK(nn_connect(req, address));
        WAIT_PEERS(reps[i], 1);
        WAIT_PEERS(req, (uint64_t)i + 1);
    }
    CHECK_SENDS(req, "first");
    questions[0] = receive_raw(reps[0]);
    CHECK_SENDS(req, "second");
    questions[1] = receive_raw(reps[1]);
    CHECK(memcmp(questions[0].header + 4, questions[1].header + 4, 4) != 0);

    memcpy(questions[0].header + 4, questions[1].header + 4, 4);
    CHECK_OK(send_raw(reps[0], questions[0].header, 8, "made up", 0));
    CHECK_OK(nn_close(reps[0]));
    WAIT_PEERS(req, 1);
    char byte;
    CHECK_ERRNO(nn_recv(req, &byte, 1, NN_DONTWAIT), EAGAIN);
    CHECK_OK(send_raw(reps[1], questions[1].header, 8, "honest", 0));
    CHECK_RECEIVES(req, "honest");
}

/* Consecutive ids, or ids at a fixed distance, tell a peer those of requests that others get. */
TEST(ids_of_requests_and_surveys_cannot_be_foretold)
{
    for (size_t i = 0; i < COUNT_OF(question_types); i++) {
        const char *address = test_inproc_address();
        int replier = raw_bound(question_types[i].replier, address);
        int asker = test_socket_connected(question_types[i].asker, address);
        uint32_t ids[4];

        WAIT_PEERS(asker, 1);
        for (size_t j = 0; j < COUNT_OF(ids); j++) {
            CHECK_SENDS(asker, "?");
            struct raw_message question = receive_raw(replier);
            CHECK_EQUAL(question.header[4] & 0x80, 0x80);
            memcpy(&ids[j], question.header + 4, sizeof ids[j]);
            ids[j] = ntohl(ids[j]);
        }
        CHECK(ids[1] - ids[0] != ids[2] - ids[1] || ids[2] - ids[1] != ids[3] - ids[2]);
    }
}

TEST(a_raw_replier_can_work_on_several_questions)
{
    const char *address = test_inproc_address();
    int replier = raw_bound(NN_REP, address);
    int first = test_socket_connected(NN_REQ, address);
    int second = test_socket_connected(NN_REQ, address);
    struct raw_message questions[2];

    WAIT_PEERS(replier, 2);
    CHECK_SENDS(first, "1");
    questions[0] = receive_raw(replier);
    CHECK_SENDS(second, "2");
    questions[1] = receive_raw(replier);
    CHECK_OK(send_raw(replier, questions[1].header, 8, "to 2", 0));
    CHECK_OK(send_raw(replier, questions[0].header, 8, "to 1", 0));
    CHECK_RECEIVES(first, "to 1");
    CHECK_RECEIVES(second, "to 2");
}

TEST(an_answer_that_leads_nowhere_is_dropped_and_counts_as_sent)
{
    const char *address = test_inproc_address();

    for (size_t i = 0; i < COUNT_OF(question_types); i++) {
        int replier = raw_bound(question_types[i].replier, address);
        int asker = test_socket_connected(question_types[i].asker, address);
        WAIT_PEERS(replier, 1);
        CHECK_SENDS(asker, "question");
        struct raw_message question = receive_raw(replier);

        CHECK_SENDS(replier, "no header");
        CHECK_EQUAL(CHECK_OK(send_raw(replier, "abc", 3, "short", 0)), 5);
        question.header[0] ^= 0x40;
        CHECK_EQUAL(CHECK_OK(send_raw(replier, question.header, 8, "stranger", 0)), 8);
        question.header[0] ^= 0x40;
        question.header[7] ^= 1;
        CHECK_OK(send_raw(replier, question.header, 8, "another question's", 0));
        question.header[7] ^= 1;
        CHECK_OK(send_raw(replier, question.header, 8, "answer", 0));
        CHECK_RECEIVES(asker, "answer");
        CHECK_OK(nn_close(asker));
        CHECK_OK(nn_close(replier));
    }
}

TEST_OVER_TRANSPORTS(a_raw_asker_sends_its_header_as_it_is_and_gets_it_back)
{
    static const uint8_t id[4] = {0x80, 0x12, 0x34, 0x56};

    for (size_t i = 0; i < COUNT_OF(question_types); i++) {
        const char *address = new_address();
        int replier = test_socket_bound(question_types[i].replier, address);
        int asker = raw_connected(question_types[i].asker, address);
        WAIT_PEERS(asker, 1);
        WAIT_PEERS(replier, 1);
        CHECK_EQUAL(CHECK_OK(send_raw(asker, id, sizeof id, "question", 0)), 8);
        CHECK_RECEIVES(replier, "question");
        CHECK_SENDS(replier, "answer");

        struct raw_message answer = receive_raw(asker);
        CHECK_STRING(answer.body, "answer");
        CHECK_BYTES(answer.header, answer.header_bytes, id, sizeof id);
    }
}

TEST(a_raw_replier_keeps_every_hop_and_NN_MAXTTL_limits_them)
{
    /* Two devices have been crossed. */
    static const uint8_t way[12] = {0, 0, 0, 1, 0, 0, 0, 2, 0x80, 0, 0, 3};

    for (size_t i = 0; i < COUNT_OF(question_types); i++) {
        const char *address = test_inproc_address();
        int replier = raw_bound(question_types[i].replier, address);
        int asker = raw_connected(question_types[i].asker, address);
        WAIT_PEERS(asker, 1);
        CHECK_OK(send_raw(asker, way, sizeof way, "far", 0));
        struct raw_message question = receive_raw(replier);
        CHECK_STRING(question.body, "far");
        CHECK_BYTES(question.header + 4, question.header_bytes - 4, way, sizeof way);

        SET_INT(replier, NN_SOL_SOCKET, NN_MAXTTL, 2);
        CHECK_OK(send_raw(asker, way, sizeof way, "too far", 0));
        CHECK_OK(send_raw(asker, way + 4, sizeof way - 4, "near", 0));
        question = receive_raw(replier);
        CHECK_STRING(question.body, "near");
        CHECK_EQUAL(question.header_bytes, 12);
    }
}

TEST(a_question_without_an_id_is_dropped)
{
    for (size_t i = 0; i < COUNT_OF(question_types); i++) {
        const char *address = test_inproc_address();
        int replier = raw_bound(question_types[i].replier, address);
        int asker = raw_connected(question_types[i].asker, address);
        WAIT_PEERS(asker, 1);
        CHECK_SENDS(asker, "abc");
        CHECK_SENDS(asker, "words without a bottom..");
        CHECK_OK(send_raw(asker, "\x80\0\0\1", 4, "good", 0));
        CHECK_RECEIVES(replier, "good");
    }
}

TEST(a_raw_asker_waits_for_a_peer_or_drops_the_message)
{
    int request = raw(NN_REQ);
    int survey = raw(NN_SURVEYOR);

    CHECK_ERRNO(send_raw(request, "\x80\0\0\1", 4, "question", NN_DONTWAIT), EAGAIN);
    CHECK_OK(send_raw(survey, "\x80\0\0\1", 4, "question", NN_DONTWAIT));
    CHECK_ERRNO(nn_recv(request, NULL, 0, NN_DONTWAIT), EAGAIN);
    CHECK_ERRNO(nn_recv(survey, NULL, 0, NN_DONTWAIT), EAGAIN);
}

/* ---- Bus ---- */

TEST_OVER_TRANSPORTS(a_raw_bus_names_the_sender_and_sends_nothing_back_to_it)
{
    const char *address = new_address();
    int hub = raw_bound(NN_BUS, address);
    int first = test_socket_connected(NN_BUS, address);
    int second = test_socket_connected(NN_BUS, address);

    WAIT_PEERS(hub, 2);
    WAIT_PEERS(first, 1);
    WAIT_PEERS(second, 1);
    CHECK_SENDS(first, "hello");
    struct raw_message message = receive_raw(hub);
    CHECK_STRING(message.body, "hello");
    CHECK_EQUAL(message.header_bytes, 8);
    CHECK_EQUAL(CHECK_OK(send_raw(hub, message.header, 8, "to the others", 0)), 13);
    CHECK_RECEIVES(second, "to the others");
    CHECK_SENDS(hub, "to all");
    CHECK_RECEIVES(first, "to all");
    CHECK_RECEIVES(second, "to all");
}

TEST(a_bus_refuses_other_headers)
{
    int bus = raw(NN_BUS);
    int cooked = SOCKET(NN_BUS);

    CHECK_ERRNO(send_raw(bus, "1234", 4, "body", 0), EINVAL);
    CHECK_ERRNO(send_raw(bus, "123456789", 9, "body", 0), EINVAL);
    CHECK_ERRNO(send_raw(cooked, "12345678", 8, "body", 0), EINVAL);
    CHECK_OK(send_raw(bus, "12345678", 8, "body", 0));
}

/* ---- Readiness ---- */

TEST(raw_sockets_can_always_send_where_their_type_drops)
{
    static const struct {
        int protocol;
        short ready;
    } idle[] = {
        {NN_PAIR, 0},
        {NN_PUSH, 0},
        {NN_REQ, 0},
        {NN_PULL, 0},
        {NN_SUB, 0},
        {NN_PUB, NN_POLLOUT},
        {NN_REP, NN_POLLOUT},
        {NN_BUS, NN_POLLOUT},
        {NN_SURVEYOR, NN_POLLOUT},
        {NN_RESPONDENT, NN_POLLOUT},
    };

    for (size_t i = 0; i < COUNT_OF(idle); i++) {
        int s = raw(idle[i].protocol);
        bool receives = idle[i].protocol != NN_PUSH && idle[i].protocol != NN_PUB;
        bool sends = idle[i].protocol != NN_PULL && idle[i].protocol != NN_SUB;
        struct nn_pollfd entry = {.fd = s, .events = (short)((receives ? NN_POLLIN : 0) | (sends ? NN_POLLOUT : 0))};
        CHECK_EQUAL(CHECK_OK(nn_poll(&entry, 1, 0)), idle[i].ready != 0 ? 1 : 0);
        CHECK_EQUAL(entry.revents, idle[i].ready);
    }
}
