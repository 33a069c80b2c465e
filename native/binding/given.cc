#include "given.h"

#include <atomic>
#include <cassert>

namespace nanomsg_native
{

void ClearException(napi_env env)
{
    napi_value exception;
    bool is_pending = false;
    if (napi_is_exception_pending(env, &is_pending) == napi_ok && is_pending)
        napi_get_and_clear_last_exception(env, &exception);
}

// Runs when the object is collected, when the environment ends, or inside the call that fails to make the object.
void Given::Finalize(napi_env env, void * /*bytes*/, void *data)
{
    auto *const given = static_cast<Given *>(data);
    assert(!given->is_finalized_);
    given->is_finalized_ = true;
    if (!given->is_being_made_)
        Release(env, given);
}

void Given::Release(napi_env env, Given *given)
{
    if (given->piece_.Finalize(env))
        given->KeepForGood();
    else
        delete given;
}

// In a list, so that tools that look for leaks find it.
void Given::KeepForGood()
{
    static std::atomic<Given *> kept = nullptr;
    next_kept_ = kept.load();
    while (!kept.compare_exchange_weak(next_kept_, this)) {
    }
}

// Node.js reports a generic failure when it has taken the memory and could not make the object: the finalizer then has
// run, or runs later. With any other failure it never runs.
void Given::Settle(napi_env env, Given *given, napi_status status, napi_value buffer)
{
    given->is_being_made_ = false;
    if (given->is_finalized_ || (status != napi_ok && status != napi_generic_failure)) {
        delete given;
        return;
    }
    WorkerMemory *const worker = status == napi_ok ? WorkerMemory::Of(env) : nullptr;
    if (worker != nullptr)
        worker->Add(&given->piece_, buffer);
}

Made Given::MakeBuffer(napi_env env, Given *given, void *bytes, size_t size_bytes, napi_value *buffer)
{
    Made made = Made::kView;
    const napi_status status = napi_create_external_buffer(env, size_bytes, bytes, Finalize, given, buffer);
    if (status != napi_ok) {
        // The memory is there until we settle, whether the finalizer has run or not.
        ClearException(env);
        made = CopyToBuffer(env, bytes, size_bytes, buffer) ? Made::kCopy : Made::kNothing;
    }
    Settle(env, given, status, *buffer);
    return made;
}

bool Given::MakeArrayBuffer(napi_env env, Given *given, void *bytes, size_t size_bytes, napi_value *buffer)
{
    const napi_status status = napi_create_external_arraybuffer(env, bytes, size_bytes, Finalize, given, buffer);
    if (status != napi_ok)
        ClearException(env);
    Settle(env, given, status, *buffer);
    return status == napi_ok;
}

bool CopyToBuffer(napi_env env, const void *bytes, size_t size_bytes, napi_value *buffer)
{
    if (napi_create_buffer_copy(env, size_bytes, bytes, nullptr, buffer) == napi_ok)
        return true;
    ClearException(env);
    return false;
}

} // namespace nanomsg_native
