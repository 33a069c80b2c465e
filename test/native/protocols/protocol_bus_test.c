/* BUS on mock pipes. */
#include "harness.h"
#include "mock_pipes.h"

#include <errno.h>
#include <string.h>

extern const struct nn_protocol sp_bus_protocol;
extern const struct nn_protocol sp_bus_raw_protocol;

TEST(bus_sends_to_all_peers_and_succeeds_without_any)
{
    struct sp_socket *bus = mock_open(&sp_bus_protocol);

    CHECK_EQUAL(mock_events(bus), NN_POLLOUT);
    CHECK_OK(MOCK_SEND(bus, "nobody"));
    struct nn_pipe *a = mock_attach(bus, 1);
    struct nn_pipe *b = mock_attach(bus, 1);
    CHECK_OK(MOCK_SEND(bus, "both"));
    CHECK_OK(MOCK_SEND(bus, "full"));
    CHECK(MOCK_IS(mock_sent(a), "", "both"));
    CHECK(MOCK_IS(mock_sent(b), "", "both"));
    CHECK_EQUAL(mock_sent_count(a) + mock_sent_count(b), 0);
    mock_close(bus);
}

TEST(bus_receives_from_all_peers_in_turn)
{
    struct sp_socket *bus = mock_open(&sp_bus_protocol);
    struct nn_pipe *a = mock_attach(bus, 1);
    struct nn_pipe *b = mock_attach(bus, 1);

    MOCK_DELIVER(a, "a1");
    MOCK_DELIVER(a, "a2");
    MOCK_DELIVER(b, "b1");
    CHECK_EQUAL(mock_events(bus), NN_POLLIN | NN_POLLOUT);
    CHECK(MOCK_IS(mock_receive(bus), "", "a1"));
    CHECK(MOCK_IS(mock_receive(bus), "", "b1"));
    CHECK(MOCK_IS(mock_receive(bus), "", "a2"));
    CHECK_EQUAL(mock_receive_rc(bus), -EAGAIN);
    CHECK_EQUAL(mock_sent_count(a) + mock_sent_count(b), 0);
    mock_close(bus);
}

TEST(bus_refuses_a_header_on_a_cooked_socket)
{
    struct sp_socket *bus = mock_open(&sp_bus_protocol);
    struct nn_pipe *peer = mock_attach(bus, 1);

    CHECK_EQUAL(MOCK_SEND_RAW(bus, "12345678", "x"), -EINVAL);
    CHECK_EQUAL(mock_sent_count(peer), 0);
    mock_close(bus);
}

TEST(raw_bus_takes_headers_of_no_or_eight_bytes_only)
{
    static const struct {
        size_t header_bytes;
        int rc;
    } cases[] = {{0, 0}, {1, -EINVAL}, {4, -EINVAL}, {7, -EINVAL}, {8, 0}, {9, -EINVAL}, {64, -EINVAL}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t header[64] = {0xff, 0xff, 0xff, 0xff, 0xff};
        struct sp_socket *bus = mock_open(&sp_bus_raw_protocol);
        struct nn_pipe *peer = mock_attach(bus, 1);

        CHECK_EQUAL(mock_send_bytes(bus, header, cases[i].header_bytes, "x", 1), cases[i].rc);
        CHECK_EQUAL(mock_sent_count(peer), cases[i].rc == 0 ? 1 : 0);
        mock_close(bus);
    }
}

TEST(raw_bus_sends_a_received_message_to_all_but_where_it_came_from)
{
    for (int peers = 1; peers <= 4; peers++) {
        for (int sender = 0; sender < peers; sender++) {
            struct sp_socket *bus = mock_open(&sp_bus_raw_protocol);
            struct nn_pipe *pipes[4];

            for (int i = 0; i < peers; i++)
                pipes[i] = mock_attach(bus, 2);
            MOCK_DELIVER(pipes[sender], "hello");
            struct mock_bytes received = mock_receive(bus);
            CHECK_EQUAL(received.header_bytes, 8);
            CHECK(memcmp(received.bytes + 8, "hello", 5) == 0);

            CHECK_OK(mock_send_bytes(bus, received.bytes, 8, "hello", 5));
            CHECK_OK(MOCK_SEND(bus, "to all"));
            for (int i = 0; i < peers; i++) {
                if (i != sender)
                    CHECK(MOCK_IS(mock_sent(pipes[i]), "", "hello"));
                CHECK(MOCK_IS(mock_sent(pipes[i]), "", "to all"));
                CHECK_EQUAL(mock_sent_count(pipes[i]), 0);
            }
            mock_close(bus);
        }
    }
}

TEST(raw_bus_excepts_no_peer_when_the_sender_has_gone)
{
    struct sp_socket *bus = mock_open(&sp_bus_raw_protocol);
    struct nn_pipe *stays = mock_attach(bus, 1);
    struct nn_pipe *goes = mock_attach(bus, 1);

    MOCK_DELIVER(goes, "x");
    struct mock_bytes received = mock_receive(bus);
    mock_break(goes);
    struct nn_pipe *comes = mock_attach(bus, 1);
    CHECK_EQUAL(mock_receive_rc(bus), -EAGAIN);
    CHECK_OK(mock_send_bytes(bus, received.bytes, 8, "x", 1));
    CHECK_EQUAL(mock_sent_count(stays), 1);
    CHECK_EQUAL(mock_sent_count(comes), 1);
    mock_close(bus);
}

TEST(raw_bus_excepts_no_peer_when_the_id_is_no_pipe_but_its_low_half_is)
{
    struct sp_socket *bus = mock_open(&sp_bus_raw_protocol);
    struct nn_pipe *peer = mock_attach(bus, 1);
    uint64_t id = (uint64_t)1 << 32 | nn_pipe_id(peer);

    CHECK_OK(mock_send_bytes(bus, &id, sizeof id, "x", 1));
    CHECK_EQUAL(mock_sent_count(peer), 1);
    mock_close(bus);
}

TEST(raw_bus_leaves_a_message_as_it_was_when_memory_is_short)
{
    struct sp_socket *bus = mock_open(&sp_bus_raw_protocol);
    struct nn_pipe *from = mock_attach(bus, 1);
    struct nn_pipe *a = mock_attach(bus, 1);
    struct nn_pipe *b = mock_attach(bus, 1);
    uint64_t id = nn_pipe_id(from);

    mock_starve(1);
    CHECK_EQUAL(mock_send_bytes(bus, &id, sizeof id, "x", 1), -ENOMEM);
    CHECK_EQUAL(mock_sent_count(a) + mock_sent_count(b), 0);
    CHECK_OK(mock_send_bytes(bus, &id, sizeof id, "x", 1));
    CHECK_EQUAL(mock_sent_count(a) + mock_sent_count(b), 2);
    CHECK_EQUAL(mock_sent_count(from), 0);
    mock_close(bus);
}
