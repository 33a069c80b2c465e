/* The end of the program: OpenSSL frees its memory by its own atexit(), while the engine's thread goes on. From then on
 * it is not called. */
#include "streams/tls_openssl.h"

#include "core/process_end.h"
#include "platform/thread.h"

#include <stdatomic.h>
#include <stdlib.h>

static atomic_bool is_over;

bool sp_tls_is_over(void)
{
    return atomic_load_explicit(&is_over, memory_order_acquire);
}

static void deliver_before_openssl_ends(void)
{
    sp_exit_deliver();
    atomic_store(&is_over, true);
    sp_exit_pass_locks();
}

static void register_exit_handler(void)
{
    /* Twice, as sp_exit_register does. */
    atexit(deliver_before_openssl_ends);
    atexit(deliver_before_openssl_ends);
}

void sp_tls_await_exit(void)
{
    static struct sp_once once = SP_ONCE_INIT;

    sp_once_run(&once, register_exit_handler);
}
