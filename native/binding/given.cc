#include "given.h"

#include <cassert>

namespace nanomsg_native
{

namespace
{

void ClearException(napi_env env)
{
    napi_value exception;
    bool is_pending = false;
    if (napi_is_exception_pending(env, &is_pending) == napi_ok && is_pending)
        napi_get_and_clear_last_exception(env, &exception);
}

} // namespace

// Runs when the object is collected, when the environment ends, or inside the call that fails to make the object.
void Given::Finalize(napi_env /*env*/, void * /*bytes*/, void *data)
{
    auto *const given = static_cast<Given *>(data);
    assert(!given->is_finalized_);
    given->is_finalized_ = true;
    if (!given->is_being_made_)
        delete given;
}

// Node.js reports a generic failure when it has taken the memory and could not make the object: the finalizer then has
// run, or runs later. With any other failure it never runs.
bool Given::Settle(napi_env env, Given *given, napi_status status)
{
    given->is_being_made_ = false;
    if (status == napi_ok)
        return true;

    ClearException(env);
    if (given->is_finalized_ || status != napi_generic_failure)
        delete given;
    return false;
}

bool Given::MakeBuffer(napi_env env, Given *given, void *bytes, size_t size_bytes, napi_value *made)
{
    return Settle(env, given, napi_create_external_buffer(env, size_bytes, bytes, Finalize, given, made));
}

bool Given::MakeArrayBuffer(napi_env env, Given *given, void *bytes, size_t size_bytes, napi_value *made)
{
    return Settle(env, given, napi_create_external_arraybuffer(env, bytes, size_bytes, Finalize, given, made));
}

bool CopyToBuffer(napi_env env, const void *bytes, size_t size_bytes, napi_value *buffer)
{
    if (napi_create_buffer_copy(env, size_bytes, bytes, nullptr, buffer) == napi_ok)
        return true;
    ClearException(env);
    return false;
}

} // namespace nanomsg_native
