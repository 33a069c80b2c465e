// Memory of the engine as a Buffer.
#pragma once

#include "given.h"

#include <nanomsg/loop.h>

#include <node_api.h>

namespace nanomsg_native
{

// A reference to a chunk, which a Buffer or ArrayBuffer keeps.
class GivenChunk : public Given
{
  public:
    explicit GivenChunk(nn_chunk *chunk) : chunk_(chunk) {}

  protected:
    ~GivenChunk() override
    {
        nn_chunk_release(chunk_);
    }

  private:
    nn_chunk *const chunk_;
};

// Makes a Buffer of a part of the chunk's memory; or a copy, where the runtime forbids foreign memory. Consumes a
// reference to the chunk. Returns false when V8 has no memory.
inline bool MakeBuffer(napi_env env, nn_chunk *chunk, const uint8_t *bytes, size_t size_bytes, napi_value *buffer)
{
    void *const start = const_cast<uint8_t *>(bytes);
    return Given::MakeBuffer(env, new GivenChunk(chunk), start, size_bytes, buffer) != Made::kNothing;
}

} // namespace nanomsg_native
