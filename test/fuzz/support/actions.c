/* The actions, by number: appending keeps the meaning of the inputs that are kept. */
#include "actions.h"
#include "actions_list.h"

#include "check.h"
#include "virtual_system.h"

#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/survey.h>
#include <nanomsg/tcp.h>
#include <nanomsg/tls.h>
#include <nanomsg/ws.h>

#include "util/memory.h"

#include <openssl/ssl.h>

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SMALL_LIMIT_BYTES 100
#define LARGE_BYTES ((size_t)1 << 20)

/* ---- Opening ---- */

static int peer_tls_version(uint8_t choice)
{
    return choice & 1 ? TLS1_2_VERSION : TLS1_3_VERSION;
}

void actions_add_peer(struct run_socket *socket, unsigned number, struct input *input)
{
    struct peer_tls *tls = NULL;

    if (socket->link->is_secure) {
        uint8_t choice = input_u8(input);
        bool is_server = !socket->link->is_bound;
        tls = peer_tls_open(is_server, is_server || (choice & 2), peer_tls_version(choice));
    }
    run_add_peer(socket, number, tls);
    if (tls != NULL)
        peer_send(&socket->run->peers[number % RUN_PEERS], NULL, 0);
}

static void set_options(struct run_socket *self, uint8_t choice)
{
    if (choice & 1) {
        run_set_int(self, NN_SOL_SOCKET, NN_RCVMAXSIZE, SMALL_LIMIT_BYTES);
        self->receive_limit_bytes = SMALL_LIMIT_BYTES; /* no message has come yet */
    }
    if (choice & 2)
        run_set_int(self, NN_SOL_SOCKET, NN_MAXTTL, 2);
    if (choice & 4)
        nn_socket_monitor(self->s, true);
    if (choice & 8)
        run_set_int(self, NN_SOL_SOCKET, NN_LINGER, 0);
    if (choice & 16)
        run_set_int(self, NN_WS, NN_WS_PEER_HEADERS, 1);
    if (choice & 32)
        run_set_int(self, NN_TLS, NN_TLS_REQUIRE_CLIENT_CERT, 1);
    if (choice & 64)
        run_set_int(self, NN_TLS, NN_TLS_PEER_CERTIFICATE, 1);
    if (choice & 128)
        run_set_int(self, NN_WS, NN_WS_MSG_TYPE, NN_WS_MSG_TYPE_TEXT);
    if (self->type->protocol == NN_SUB)
        nn_setsockopt(self->s, NN_SUB, NN_SUB_SUBSCRIBE, "a", choice & 2 ? 0 : 1);
}

struct run_socket *actions_open_socket(struct run *run, struct input *input, const struct link *link)
{
    uint8_t kind = input_u8(input);
    struct run_socket *socket = run_open_socket(run, run_socket_type(kind), kind & 0x40, link);

    if (kind & 0x80)
        virtual_set_send_buffer(4096);
    set_options(socket, input_u8(input));
    run_open_endpoint(socket);
    return socket;
}

/* ---- What peers do ---- */

static struct run_socket *socket_of_peer(struct run *run, uint8_t byte)
{
    struct run_socket *socket = run->peer_sockets[(byte & ACTION_PEER_MASK) % RUN_PEERS];

    return socket != NULL ? socket : &run->sockets[0];
}

static void add_peer(struct run *run, struct input *input)
{
    uint8_t byte = input_u8(input);
    struct run_socket *socket = &run->sockets[byte & 0x20 && run->sockets[1].s >= 0 ? 1 : 0];

    if (socket->s < 0)
        return;
    actions_add_peer(socket, byte & ACTION_PEER_MASK, input);
    if (byte & 0x10) {
        run_settle(run);
        peer_read(action_peer(run, byte), LARGE_BYTES); /* the handshake of TLS */
        run_settle(run);
    }
    if (byte & 0x08)
        peer_open(action_peer(run, byte), socket->type->peer_protocol, socket->type->name);
    run_settle(run);
}

static void open_peer(struct run *run, struct input *input)
{
    uint8_t byte = input_u8(input);
    const struct run_socket *socket = socket_of_peer(run, byte);
    const struct socket_type *type = byte & 0x80 ? run_socket_type(byte >> 3) : socket->type;

    if (type != NULL)
        peer_open(action_peer(run, byte), type->peer_protocol, type->name);
}

static void send_bytes(struct run *run, struct input *input)
{
    struct peer *peer = action_peer(run, input_u8(input));
    size_t count;
    const uint8_t *bytes = input_take(input, input_u8(input), &count);

    peer_send(peer, bytes, count);
}

static void send_wire_bytes(struct run *run, struct input *input)
{
    struct peer *peer = action_peer(run, input_u8(input));
    size_t count;
    const uint8_t *bytes = input_take(input, input_u8(input), &count);

    peer_send_wire(peer, bytes, count);
}

static void send_frame(struct run *run, struct input *input)
{
    struct peer *peer = action_peer(run, input_u8(input));
    uint8_t start = input_u8(input);
    size_t count;
    const uint8_t *bytes = input_take(input, input_u8(input), &count);

    peer_send_frame(peer, start, bytes, count);
}

/* A payload that is too long for an input: some bytes, again and again. */
static void send_large_frame(struct run *run, struct input *input)
{
    struct peer *peer = action_peer(run, input_u8(input));
    uint8_t start = input_u8(input);
    size_t count = ((size_t)input_u16(input) << 5) % (LARGE_BYTES + 64);
    uint32_t pattern = input_u32(input);
    uint8_t *payload = malloc(count + sizeof pattern);

    CHECK(payload != NULL);
    for (size_t i = 0; i < count; i += sizeof pattern)
        memcpy(payload + i, &pattern, sizeof pattern);
    peer_send_frame(peer, start, payload, count);
    free(payload);
}

static void send_many_frames(struct run *run, struct input *input)
{
    struct peer *peer = action_peer(run, input_u8(input));
    uint8_t start = input_u8(input);
    uint8_t times = input_u8(input);
    size_t count;
    const uint8_t *bytes = input_take(input, input_u8(input) & 31, &count);

    for (int i = 0; i <= times; i++)
        peer_send_frame(peer, start, bytes, count);
}

static void echo(struct run *run, struct input *input)
{
    struct peer *peer = action_peer(run, input_u8(input));
    size_t count;
    const uint8_t *bytes = input_take(input, input_u8(input) & 15, &count);

    peer_read(peer, LARGE_BYTES);
    peer_echo(peer, bytes, count);
}

static void read_peer(struct run *run, struct input *input)
{
    uint8_t byte = input_u8(input);

    peer_read(action_peer(run, byte), byte & 0x80 ? 1 : LARGE_BYTES);
}

static void finish_peer(struct run *run, struct input *input)
{
    uint8_t byte = input_u8(input);

    peer_finish(action_peer(run, byte), (enum peer_end)((byte >> 4) % 3));
}

static void end_peer(struct run *run, struct input *input)
{
    peer_end(action_peer(run, input_u8(input)));
}

static void close_stream(struct run *run, struct input *input)
{
    uint8_t byte = input_u8(input);
    const struct peer *peer = action_peer(run, byte);

    if (peer->stream == NULL)
        return;
    if (byte & 0x80)
        nn_stream_close_write(peer->stream);
    else
        nn_stream_close(peer->stream);
}

static void renew_keys(struct run *run, struct input *input)
{
    uint8_t byte = input_u8(input);
    struct peer *peer = action_peer(run, byte);

    if (peer->tls == NULL)
        return;
    peer_tls_renew(peer->tls, byte & 0x80);
    peer_send(peer, NULL, 0);
}

/* ---- What the program does ---- */

static void settle(struct run *run, struct input *input)
{
    (void)input;
    run_settle(run);
}

static void turn(struct run *run, struct input *input)
{
    nn_loop_run(run->loop, 1 + input_u8(input) % 8);
}

static void advance(struct run *run, struct input *input)
{
    uint8_t byte = input_u8(input);

    run_advance_ms(run, byte < 128 ? byte : (byte - 127u) * 50);
}

static void receive_batch(struct run *run, struct input *input)
{
    uint8_t byte = input_u8(input);

    run_receive_batch(action_socket(run, byte), byte & 15, byte & 0x40, input_u8(input));
}

static void receive(struct run *run, struct input *input)
{
    uint8_t byte = input_u8(input);

    run_receive(action_socket(run, byte), byte & 0x7f);
}

static void receive_described(struct run *run, struct input *input)
{
    uint8_t byte = input_u8(input);

    run_receive_described(action_socket(run, byte), input_u16(input), byte & 0x7f);
}

static void count_requests(struct run_socket *socket, int sent)
{
    if (sent > 0)
        socket->requests += (unsigned)sent;
}

static void send_message(struct run *run, struct input *input)
{
    uint8_t byte = input_u8(input);
    struct run_socket *socket = action_socket(run, byte);
    size_t count;
    const uint8_t *bytes = input_take(input, byte & 31, &count);

    count_requests(socket, nn_send(socket->s, count > 0 ? (const void *)bytes : "", count, NN_DONTWAIT) >= 0);
}

static void send_large(struct run *run, struct input *input)
{
    uint8_t byte = input_u8(input);
    struct run_socket *socket = action_socket(run, byte);
    size_t count = (size_t)input_u16(input) << 5;
    void *message = nn_allocmsg(count, 0);

    if (message == NULL)
        return;
    memset(message, byte, count);
    int rc = nn_send(socket->s, &message, NN_MSG, NN_DONTWAIT);
    if (rc < 0)
        CHECK(nn_freemsg(message) == 0);
    count_requests(socket, rc >= 0);
}

static void send_described(struct run *run, struct input *input)
{
    _Alignas(16) uint8_t control[NN_CMSG_SPACE(sizeof(size_t) + 64)] = {0};
    struct run_socket *socket = action_socket(run, input_u8(input));
    size_t count;
    const uint8_t *header = input_take(input, input_u8(input) & 63, &count);
    struct nn_iovec part = {"body", input_u8(input) & 3};
    struct nn_msghdr message = {&part, 1, control, NN_CMSG_SPACE(sizeof count + count)};
    struct nn_cmsghdr record = {
        .cmsg_len = NN_CMSG_LEN(sizeof count + count), .cmsg_level = PROTO_SP, .cmsg_type = SP_HDR};

    memcpy(control, &record, sizeof record);
    memcpy(control + sizeof record, &count, sizeof count);
    if (count > 0)
        memcpy(control + sizeof record + sizeof count, header, count);
    count_requests(socket, nn_sendmsg(socket->s, &message, NN_DONTWAIT) >= 0);
}

static void send_batch(struct run *run, struct input *input)
{
    uint8_t byte = input_u8(input);
    struct run_socket *socket = action_socket(run, byte);
    struct nn_outgoing messages[8] = {0};
    int count = 1 + byte % 8;

    for (int i = 0; i < count; i++) {
        uint8_t choice = input_u8(input);
        void *own = choice & 0x80 ? nn_allocmsg(choice, 0) : NULL;
        if (own != NULL)
            memset(own, choice, choice);
        messages[i] = (struct nn_outgoing){.body = own != NULL ? own : "a batch of messages",
                                           .body_bytes = own != NULL ? choice : choice & 15,
                                           .chunk = own != NULL ? nn_chunk_of(own) : NULL,
                                           .context = choice >> 4 & 7};
    }
    int sent = nn_socket_send_batch(socket->s, messages, count, byte & 0x40 ? 4096 : 0);
    CHECK(sent <= count);
    count_requests(socket, sent);
    for (int i = sent > 0 ? sent : 0; i < count; i++) {
        if (messages[i].chunk != NULL)
            nn_chunk_release(messages[i].chunk);
    }
}

static void forget(struct run *run, struct input *input)
{
    uint8_t byte = input_u8(input);

    nn_socket_context_close(action_socket(run, byte)->s, byte & 7);
}

static void subscribe(struct run *run, struct input *input)
{
    uint8_t byte = input_u8(input);
    size_t count;
    const uint8_t *topic = input_take(input, byte & 7, &count);

    nn_setsockopt(action_socket(run, byte)->s, NN_SUB, byte & 8 ? NN_SUB_SUBSCRIBE : NN_SUB_UNSUBSCRIBE, topic, count);
}

static void set_option(struct run *run, struct input *input)
{
    static const struct {
        int level;
        int option;
        int value;
    } options[] = {
        {NN_SOL_SOCKET, NN_RCVMAXSIZE, 10},
        {NN_SOL_SOCKET, NN_RCVMAXSIZE, -1},
        {NN_SOL_SOCKET, NN_SNDBUF, 64},
        {NN_SOL_SOCKET, NN_RCVBUF, 64},
        {NN_SOL_SOCKET, NN_MAXTTL, 1},
        {NN_SOL_SOCKET, NN_SNDPRIO, 3},
        {NN_SOL_SOCKET, NN_RCVPRIO, 5},
        {NN_SOL_SOCKET, NN_LINGER, 3000},
        {NN_SOL_SOCKET, NN_RECONNECT_IVL, 1},
        {NN_SOL_SOCKET, NN_RECONNECT_IVL_MAX, 1000},
        {NN_REQ, NN_REQ_RESEND_IVL, 10},
        {NN_SURVEYOR, NN_SURVEYOR_DEADLINE, 20},
        {NN_TCP, NN_TCP_NODELAY, 1},
        {NN_SOL_SOCKET, NN_RCVMAXSIZE, 2000000},
        {NN_SURVEYOR, NN_SURVEYOR_DEADLINE, -1},
    };
    uint8_t byte = input_u8(input);
    size_t which = (byte & 0x7f) % COUNT(options);

    run_set_int(action_socket(run, byte), options[which].level, options[which].option, options[which].value);
}

static void next_event(struct run *run, struct input *input)
{
    uint8_t byte = input_u8(input);
    int s = action_socket(run, byte)->s;
    struct nn_event event;
    uint8_t value[64];
    size_t size = byte & 63;

    if (byte & 0x40) {
        nn_socket_monitor(s, byte & 1);
        return;
    }
    if (nn_socket_next_event(s, &event) == 1)
        nn_socket_peer(s, event.pipe, &event);
    nn_socket_event_peer(s, byte & 3, value, &size);
}

static void statistics(struct run *run, struct input *input)
{
    uint8_t byte = input_u8(input);
    int s = action_socket(run, byte)->s;
    char address[NN_EVENT_ADDRESS_BYTES];

    nn_get_statistic(s, NN_STAT_ESTABLISHED_CONNECTIONS + byte % 64);
    nn_socket_queued_bytes(s);
    nn_endpoint_address(s, byte & 15, address, sizeof address);
}

static void open_endpoint(struct run *run, struct input *input)
{
    static const char *const more[] = {"ws://127.0.0.1:5555/b", "ws://127.0.0.1:5555/a", "tcp://127.0.0.1:5555",
                                       "inproc://a"};
    uint8_t byte = input_u8(input);
    struct run_socket *socket = action_socket(run, byte);

    if (byte & 0x40)
        nn_bind(socket->s, more[byte % COUNT(more)]);
    else
        run_open_endpoint(socket);
}

static void close_endpoint(struct run *run, struct input *input)
{
    uint8_t byte = input_u8(input);
    const struct run_socket *socket = action_socket(run, byte);

    nn_shutdown(socket->s, byte & 0x40 ? byte & 7 : socket->endpoint);
}

static void close_socket(struct run *run, struct input *input)
{
    run_close_socket(action_socket(run, input_u8(input)));
}

static void set_network(struct run *run, struct input *input)
{
    uint8_t byte = input_u8(input);

    run->may_fill_slabs = !(byte & 0x80);
    virtual_set_connect((enum virtual_connect)((byte & 0x7f) % VIRTUAL_CONNECTS));
}

/* One of the allocations to come fails. */
static void fail_allocation(struct run *run, struct input *input)
{
    (void)run;
    sp_memory_fail_after(input_u8(input));
}

static void (*const actions[])(struct run *, struct input *) = {
    add_peer,
    open_peer,
    send_bytes,
    send_wire_bytes,
    send_frame,
    send_large_frame,
    send_many_frames,
    echo,
    read_peer,
    finish_peer,
    end_peer,
    close_stream,
    renew_keys,
    settle,
    turn,
    advance,
    receive_batch,
    receive,
    receive_described,
    send_message,
    send_large,
    send_described,
    send_batch,
    forget,
    subscribe,
    set_option,
    next_event,
    statistics,
    open_endpoint,
    close_endpoint,
    close_socket,
    set_network,
    fail_allocation,
    action_send_packet,
    action_open_many_peers,
    action_receive_allocated,
    action_send_borrowed,
    action_set_rare_option,
    action_ask_statistic,
    action_open_second_endpoint,
    action_fail_call,
    action_use_addresses,
    action_advance_long,
};

void actions_take(struct run *run, struct input *input)
{
    uint8_t byte = input_u8(input);

    size_t number = byte & 0x3f;
    if (number < COUNT(actions))
        actions[number](run, input);
    if (!(byte & 0x80))
        run_settle(run);
}
