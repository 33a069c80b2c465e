/* The engine without OpenSSL: streams/tls_none.c takes the place of TLS. */
#include "sockets.h"

#include <nanomsg/pair.h>
#include <nanomsg/tls.h>

TEST(without_openssl_the_schemes_of_tls_are_not_supported)
{
    int pair = SOCKET(NN_PAIR);

    CHECK_ERRNO(nn_bind(pair, "tls+tcp://127.0.0.1:5555"), EPROTONOSUPPORT);
    CHECK_ERRNO(nn_connect(pair, "tls+tcp://127.0.0.1:5555"), EPROTONOSUPPORT);
    CHECK_ERRNO(nn_bind(pair, "wss://127.0.0.1:5555/path"), EPROTONOSUPPORT);
    CHECK_ERRNO(nn_connect(pair, "wss://127.0.0.1:5555/path"), EPROTONOSUPPORT);
}

TEST(without_openssl_a_malformed_address_is_reported_first)
{
    CHECK_ERRNO(nn_connect(SOCKET(NN_PAIR), "tls+tcp://127.0.0.1"), EINVAL);
}

TEST(without_openssl_the_options_of_tls_can_be_set)
{
    int pair = SOCKET(NN_PAIR);

    CHECK_OK(nn_setsockopt(pair, NN_TLS, NN_TLS_CERT, "a file", 6));
    SET_INT(pair, NN_TLS, NN_TLS_VERIFY, 0);
}
