// Memory of the engine that an object of JavaScript shows, and which is released exactly once.
#pragma once

#include <node_api.h>

#include <cstddef>

namespace nanomsg_native
{

// What the finalizer of an external Buffer or ArrayBuffer owns; its destructor releases it. Used on one thread only.
class Given
{
  public:
    Given(const Given &) = delete;
    Given &operator=(const Given &) = delete;

    // Makes an object that shows `size_bytes` from `bytes` on. Takes `given` in any case. Returns false when the object
    // cannot be made, because memory is short or the runtime allows no foreign memory; no exception is pending then.
    static bool MakeBuffer(napi_env env, Given *given, void *bytes, size_t size_bytes, napi_value *made);
    static bool MakeArrayBuffer(napi_env env, Given *given, void *bytes, size_t size_bytes, napi_value *made);

  protected:
    Given() = default;
    virtual ~Given() = default;

  private:
    static void Finalize(napi_env env, void *bytes, void *given);
    static bool Settle(napi_env env, Given *given, napi_status status);

    bool is_being_made_ = true;
    bool is_finalized_ = false;
};

// Makes a Buffer with a copy of the bytes. Returns false when memory is short; no exception is pending then.
bool CopyToBuffer(napi_env env, const void *bytes, size_t size_bytes, napi_value *buffer);

} // namespace nanomsg_native
