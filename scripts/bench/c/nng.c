/* NNG, with messages that change hands where it offers that. */
#include "bench.h"

#include <nng/nng.h>
#include <nng/protocol/pipeline0/pull.h>
#include <nng/protocol/pipeline0/push.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>

static nng_socket open_socket(int (*open_protocol)(nng_socket *))
{
    nng_socket s;

    BENCH_CHECK(open_protocol(&s) == 0);
    BENCH_CHECK(nng_socket_set_size(s, NNG_OPT_RECVMAXSZ, 0) == 0);
    return s;
}

static nng_socket open_bound(int (*open_protocol)(nng_socket *), const char *address)
{
    nng_socket s = open_socket(open_protocol);

    BENCH_CHECK(nng_listen(s, address, NULL, 0) == 0);
    bench_listens(address);
    return s;
}

static nng_socket open_connected(int (*open_protocol)(nng_socket *), const char *address)
{
    nng_socket s = open_socket(open_protocol);

    BENCH_CHECK(nng_dial(s, address, NULL, NNG_FLAG_NONBLOCK) == 0);
    return s;
}

static void send_body(nng_socket s)
{
    BENCH_CHECK(nng_send(s, bench_body, bench_body_bytes, 0) == 0);
}

static void receive(nng_socket s, void (*use)(const void *, size_t))
{
    nng_msg *message;

    BENCH_CHECK(nng_recvmsg(s, &message, 0) == 0);
    use(nng_msg_body(message), nng_msg_len(message));
    nng_msg_free(message);
}

static void push(const char *address)
{
    nng_socket s = open_connected(nng_push0_open, address);

    for (;;)
        send_body(s);
}

static void pull(const char *address)
{
    nng_socket s = open_bound(nng_pull0_open, address);

    for (;;)
        receive(s, bench_received);
}

static void req(const char *address)
{
    nng_socket s = open_connected(nng_req0_open, address);

    for (;;) {
        send_body(s);
        receive(s, bench_replied);
    }
}

static void rep(const char *address)
{
    nng_socket s = open_bound(nng_rep0_open, address);
    nng_msg *message;

    for (;;) {
        BENCH_CHECK(nng_recvmsg(s, &message, 0) == 0);
        BENCH_CHECK(nng_sendmsg(s, message, 0) == 0);
    }
}

int main(int argc, char **argv)
{
    static const struct bench_peer peer = {.version = nng_version, .push = push, .pull = pull, .req = req, .rep = rep};

    return bench_main(argc, argv, &peer);
}
