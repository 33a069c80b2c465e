// Arguments and functions in terms of node-addon-api, for calls that are not on the hot path.
#pragma once

#include "functions.h"

#include <napi.h>

#include <cstdint>

namespace nanomsg_native
{

inline Host *HostOf(const Napi::CallbackInfo &info)
{
    return static_cast<Host *>(info.Data());
}

// -1, which is no descriptor, endpoint or option, when it is no number.
inline int32_t IntegerAt(const Napi::CallbackInfo &info, size_t index)
{
    const Napi::Value value = info[index];
    return value.IsNumber() ? value.As<Napi::Number>().Int32Value() : -1;
}

template <Napi::Value (*function)(const Napi::CallbackInfo &)>
void Add(Properties *properties, const char *name, Host *host)
{
    const napi_callback callback = [](napi_env env, napi_callback_info info) -> napi_value {
        return function(Napi::CallbackInfo(env, info));
    };
    AddFunction(properties, name, callback, host);
}

} // namespace nanomsg_native
