/* Endpoints whose certificates are renewed while they are used. */
#include "sockets.h"
#include "tls_peer.h"

#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/tls.h>

#define TEST_OVER_TLS(case_name)                                                                                       \
    static void test_over_##case_name(const char *address);                                                            \
    TEST(case_name##_over_tls_tcp)                                                                                     \
    {                                                                                                                  \
        test_over_##case_name(tls_address());                                                                          \
    }                                                                                                                  \
    TEST(case_name##_over_wss)                                                                                         \
    {                                                                                                                  \
        test_over_##case_name(tls_wss_address());                                                                      \
    }                                                                                                                  \
    static void test_over_##case_name(const char *address)

/* Whether a socket that trusts only this authority is admitted, and its message arrives. */
static void check_trusted(int pull, const char *address, const struct tls_identity *authority)
{
    int push = SOCKET(NN_PUSH);

    SET_TLS(push, NN_TLS_CA, authority->cert);
    CHECK_OK(nn_connect(push, address));
    CHECK_SENDS(push, "trusted");
    CHECK_RECEIVES(pull, "trusted");
    CHECK_OK(nn_close(push));
}

TEST_OVER_TLS(later_peers_see_the_new_certificate_and_earlier_ones_stay)
{
    const struct tls_identity *authority = tls_authority("the next authority");
    int pull = SOCKET(NN_PULL);

    tls_use(pull, tls_server());
    int endpoint = CHECK_OK(nn_bind(pull, address));
    int early = tls_connected(NN_PUSH, address);
    CHECK_SENDS(early, "before");
    CHECK_RECEIVES(pull, "before");

    tls_use(pull, tls_certified(authority, "DNS:localhost,IP:127.0.0.1"));
    check_trusted(pull, address, tls_ca());
    CHECK_OK(nn_endpoint_renew_tls(pull, endpoint));
    check_trusted(pull, address, authority);
    CHECK_SENDS(early, "still here");
    CHECK_RECEIVES(pull, "still here");
}

TEST_OVER_TLS(a_renewal_that_fails_changes_nothing)
{
    int pull = SOCKET(NN_PULL);

    tls_use(pull, tls_server());
    int endpoint = CHECK_OK(nn_bind(pull, address));
    SET_TLS(pull, NN_TLS_KEY, tls_ca()->key);
    CHECK_ERRNO(nn_endpoint_renew_tls(pull, endpoint), EINVAL);
    SET_TLS(pull, NN_TLS_KEY, "/nowhere/key.pem");
    CHECK_ERRNO(nn_endpoint_renew_tls(pull, endpoint), ENOENT);
    check_trusted(pull, address, tls_ca());
}

TEST(what_has_no_tls_cannot_be_renewed)
{
    int pair = SOCKET(NN_PAIR);
    int plain = CHECK_OK(nn_bind(pair, test_tcp_address()));
    int inproc = CHECK_OK(nn_bind(pair, test_inproc_address()));

    CHECK_ERRNO(nn_endpoint_renew_tls(pair, plain), ENOTSUP);
    CHECK_ERRNO(nn_endpoint_renew_tls(pair, inproc), ENOTSUP);
    CHECK_ERRNO(nn_endpoint_renew_tls(pair, inproc + 100), EINVAL);
    CHECK_OK(nn_close(pair));
    CHECK_ERRNO(nn_endpoint_renew_tls(pair, plain), EBADF);
}
