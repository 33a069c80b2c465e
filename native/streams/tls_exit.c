/* The end of the program: OpenSSL frees what it needs by its own atexit(), while the engine's thread goes on. From then
 * on it is not called. */
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

static void leave_openssl(void)
{
    sp_exit_deliver();
    atomic_store(&is_over, true);
    sp_exit_pass_locks();
}

static void leave_before_openssl(void)
{
    /* Twice, as sp_exit_register does. */
    atexit(leave_openssl);
    atexit(leave_openssl);
}

void sp_tls_await_exit(void)
{
    static struct sp_once once = SP_ONCE_INIT;

    sp_once_run(&once, leave_before_openssl);
}
