// Pairs of connected local sockets, by which a stream of JavaScript reaches the engine: see lib/transports/.
#include "functions.h"

#include <sys/socket.h>

#include <cerrno>

namespace nanomsg_native
{

namespace
{

// streamPair(): two descriptors, which the caller must close or hand on, or -errno.
napi_value StreamPair(napi_env env, napi_callback_info /*info*/)
{
    int descriptors[2];
    napi_value result = nullptr;
    napi_value descriptor;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, descriptors) < 0) {
        napi_create_int32(env, -errno, &result);
        return result;
    }
    napi_create_array_with_length(env, 2, &result);
    for (uint32_t i = 0; i < 2; i++) {
        napi_create_int32(env, descriptors[i], &descriptor);
        napi_set_element(env, result, i, descriptor);
    }
    return result;
}

} // namespace

void AddStreamFunctions(Properties *properties, Host *host)
{
    AddFunction(properties, "streamPair", StreamPair, host);
}

} // namespace nanomsg_native
