// Memory of the engine that an object of JavaScript shows, and which is released exactly once.
#pragma once

#include "worker_memory.h"

#include <node_api.h>

#include <cstddef>

namespace nanomsg_native
{

// What has become of memory that JavaScript is to see.
enum class Made {
    kNothing,
    kCopy,
    kView,
};

// What the finalizer of an external Buffer or ArrayBuffer owns; its destructor releases it. Used on one thread only.
// Memory that another thread may have when its Worker ends is never released: no event says when that thread is done.
class Given
{
  public:
    Given(const Given &) = delete;
    Given &operator=(const Given &) = delete;

    // These make an object that shows `size_bytes` from `bytes` on. They take `given` in any case. No exception is
    // pending when they fail.

    // Where memory is short, or the runtime allows no foreign memory, a copy is made instead, if that can be had.
    static Made MakeBuffer(napi_env env, Given *given, void *bytes, size_t size_bytes, napi_value *buffer);
    // Returns false when there is no object.
    static bool MakeArrayBuffer(napi_env env, Given *given, void *bytes, size_t size_bytes, napi_value *buffer);

  protected:
    Given() = default;
    virtual ~Given() = default;

  private:
    static void Finalize(napi_env env, void *bytes, void *given);
    static void Settle(napi_env env, Given *given, napi_status status, napi_value buffer);
    static void Release(napi_env env, Given *given);
    void KeepForGood();

    WorkerMemory::Piece piece_;
    Given *next_kept_ = nullptr;
    bool is_being_made_ = true;
    bool is_finalized_ = false;
};

// After a call that has failed: as long as an exception is pending, others fail as well.
void ClearException(napi_env env);

// Makes a Buffer with a copy of the bytes. Returns false when memory is short; no exception is pending then.
bool CopyToBuffer(napi_env env, const void *bytes, size_t size_bytes, napi_value *buffer);

} // namespace nanomsg_native
