/* Programs that end by exit() while a connection with TLS still holds what they have sent: the record that the kernel
 * has not taken whole, and what waits behind it. */
#include "exit_tests.h"
#include "tls_peer.h"

#include <nanomsg/tls.h>

static void prepare(int s, bool is_bound)
{
    if (is_bound)
        tls_use(s, tls_server());
    else
        SET_TLS(s, NN_TLS_CA, tls_ca()->cert);
}

/* The certificates are made before programs begin, so that all have the same ones. */
static const char *address_of_tls(void)
{
    tls_server();
    return tls_address();
}

static const char *address_of_wss(void)
{
    tls_server();
    return tls_wss_address();
}

static const struct exit_way tls_way = {address_of_tls, prepare};
static const struct exit_way wss_way = {address_of_wss, prepare};

TEST_EXITS_OVER(tls, tls_way)
TEST_EXITS_OVER(wss, wss_way)
