// Memory of the engine as a Buffer.
#pragma once

#include <nanomsg/loop.h>

#include <node_api.h>

namespace nanomsg_native
{

// Makes a Buffer of a part of the chunk's memory; or a copy, where the runtime forbids foreign memory. Consumes a
// reference to the chunk. Returns false when V8 has no memory.
inline bool MakeBuffer(napi_env env, nn_chunk *chunk, const uint8_t *bytes, size_t size_bytes, napi_value *buffer)
{
    const auto release = [](napi_env, void *, void *released) { nn_chunk_release(static_cast<nn_chunk *>(released)); };
    void *const start = const_cast<uint8_t *>(bytes);
    if (napi_create_external_buffer(env, size_bytes, start, release, chunk, buffer) == napi_ok)
        return true;
    const bool is_copied = napi_create_buffer_copy(env, size_bytes, start, nullptr, buffer) == napi_ok;
    nn_chunk_release(chunk);
    return is_copied;
}

} // namespace nanomsg_native
