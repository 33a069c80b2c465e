// The functions of libuv that the addon calls where the runtime has them.
#pragma once

#include "platform/host_function.h"

#include <uv.h>

// Runtimes without libuv lack these; there the addon loads all the same, and does not call them.
#define UV_FUNCTIONS(X)                                                                                                \
    X(uv_default_loop)                                                                                                 \
    X(uv_poll_init)                                                                                                    \
    X(uv_poll_start)                                                                                                   \
    X(uv_poll_stop)                                                                                                    \
    X(uv_prepare_init)                                                                                                 \
    X(uv_prepare_start)                                                                                                \
    X(uv_prepare_stop)                                                                                                 \
    X(uv_timer_init)                                                                                                   \
    X(uv_timer_start)                                                                                                  \
    X(uv_timer_stop)                                                                                                   \
    X(uv_is_active)                                                                                                    \
    X(uv_now)                                                                                                          \
    X(uv_close)                                                                                                        \
    X(uv_ref)                                                                                                          \
    X(uv_unref)
UV_FUNCTIONS(SP_HOST_DECLARE)

namespace nanomsg_native
{

bool HasLibuv();

} // namespace nanomsg_native
