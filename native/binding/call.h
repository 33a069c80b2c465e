// A call from JavaScript in terms of plain Node-API, for functions that are not on the hot path.
//
// A Worker may be terminated while a function of the addon runs. From then on every function of Node-API may fail, also
// those that throw, and the C++ wrappers of node-addon-api end the process in that case. So the binding uses none of
// them, looks at each status, and returns nothing when a result cannot be made.
#pragma once

#include "functions.h"

#include <cerrno>
#include <cstdint>
#include <initializer_list>
#include <string>

namespace nanomsg_native
{

class Call
{
  public:
    Call(napi_env env, napi_callback_info info) : env_(env)
    {
        size_t count = kMostArguments;
        void *host = nullptr;
        if (napi_get_cb_info(env, info, &count, arguments_, nullptr, &host) == napi_ok)
            host_ = static_cast<Host *>(host);
    }

    napi_env env() const
    {
        return env_;
    }
    // NULL only where the arguments could not be read.
    Host *host() const
    {
        return host_;
    }

    // JavaScript's undefined when it was not given.
    napi_value operator[](size_t index) const
    {
        return arguments_[index];
    }

    bool Is(size_t index, napi_valuetype expected) const
    {
        napi_valuetype type;
        return napi_typeof(env_, arguments_[index], &type) == napi_ok && type == expected;
    }

    // -1, which is no descriptor, endpoint or option, when it is no number.
    int32_t IntegerAt(size_t index) const
    {
        int32_t value;
        return napi_get_value_int32(env_, arguments_[index], &value) == napi_ok ? value : -1;
    }

    // -1 when it is no number.
    int64_t LongAt(size_t index) const
    {
        int64_t value;
        return napi_get_value_int64(env_, arguments_[index], &value) == napi_ok ? value : -1;
    }

    bool FlagAt(size_t index) const
    {
        bool value;
        return napi_get_value_bool(env_, arguments_[index], &value) == napi_ok && value;
    }

    // Empty when it is no string.
    std::string TextAt(size_t index) const;

    // The results of functions. Each is NULL when it cannot be made.
    napi_value Undefined() const;
    napi_value Number(double number) const;
    napi_value Text(const char *text, size_t length = NAPI_AUTO_LENGTH) const;
    napi_value Failure(int error) const
    {
        return Number(-error);
    }
    // What was made, or -ENOMEM.
    napi_value Made(napi_value made) const
    {
        return made != nullptr ? made : Failure(ENOMEM);
    }

  private:
    static constexpr size_t kMostArguments = 4;

    napi_env env_;
    napi_value arguments_[kMostArguments] = {};
    Host *host_ = nullptr;
};

// The properties of an object that is made for JavaScript. They are defined, not set: setters that a program may have
// put on Object.prototype do not see them.
class ObjectMaker
{
  public:
    explicit ObjectMaker(const Call &call) : call_(call) {}

    void Add(const char *name, napi_value value)
    {
        is_complete_ = is_complete_ && value != nullptr;
        properties_.push_back({name, nullptr, nullptr, nullptr, nullptr, value, napi_default_jsproperty, nullptr});
    }
    void AddNumber(const char *name, double number)
    {
        Add(name, call_.Number(number));
    }
    void AddFlag(const char *name, bool flag);
    void AddText(const char *name, const char *text, size_t length = NAPI_AUTO_LENGTH)
    {
        Add(name, call_.Text(text, length));
    }
    // A Buffer with a copy of the bytes.
    void AddBytes(const char *name, const std::string &bytes);

    // NULL when it cannot be made.
    napi_value Make() const;

  private:
    const Call &call_;
    Properties properties_;
    bool is_complete_ = true;
};

// A Uint8Array's memory. An array whose memory is gone has no bytes.
struct Bytes {
    uint8_t *begin = nullptr;
    size_t count = 0;
};

bool ReadBytes(napi_env env, napi_value value, Bytes *bytes);

template <napi_value (*function)(const Call &)> void Add(Properties *properties, const char *name, Host *host)
{
    const napi_callback callback = [](napi_env env, napi_callback_info info) -> napi_value {
        const Call call(env, info);
        return call.host() != nullptr ? function(call) : nullptr;
    };
    AddFunction(properties, name, callback, host);
}

} // namespace nanomsg_native
