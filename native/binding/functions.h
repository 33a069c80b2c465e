// The functions that JavaScript calls, by group. Each has its Host as callback data, and answers a failure of the
// engine by a negative errno: lib/engine/errors.ts makes the Error.
#pragma once

#include <node_api.h>

#include <cstddef>
#include <vector>

namespace nanomsg_native
{

class Host;

using Properties = std::vector<napi_property_descriptor>;

inline void AddFunction(Properties *properties, const char *name, napi_callback callback, Host *host)
{
    properties->push_back({name, nullptr, callback, nullptr, nullptr, nullptr, napi_enumerable, host});
}

// Opening, closing, endpoints, options.
void AddSocketFunctions(Properties *properties, Host *host);
// Sending and receiving.
void AddMessageFunctions(Properties *properties, Host *host);
// What only the C API in JavaScript needs.
void AddCFunctions(Properties *properties, Host *host);
// Forwarding between two raw sockets.
void AddDeviceFunctions(Properties *properties, Host *host);
// Streams of JavaScript as connections.
void AddStreamFunctions(Properties *properties, Host *host);

} // namespace nanomsg_native
