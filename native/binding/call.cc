#include "call.h"

namespace nanomsg_native
{

std::string Call::TextAt(size_t index) const
{
    size_t size = 0;
    if (napi_get_value_string_utf8(env_, arguments_[index], nullptr, 0, &size) != napi_ok)
        return std::string();
    std::string text(size + 1, '\0');
    if (napi_get_value_string_utf8(env_, arguments_[index], &text[0], text.size(), &size) != napi_ok)
        return std::string();
    text.resize(size);
    return text;
}

napi_value Call::Undefined() const
{
    napi_value value;
    return napi_get_undefined(env_, &value) == napi_ok ? value : nullptr;
}

napi_value Call::Number(double number) const
{
    napi_value value;
    return napi_create_double(env_, number, &value) == napi_ok ? value : nullptr;
}

napi_value Call::Text(const char *text, size_t length) const
{
    napi_value value;
    return napi_create_string_utf8(env_, text, length, &value) == napi_ok ? value : nullptr;
}

void ObjectMaker::AddFlag(const char *name, bool flag)
{
    napi_value value;
    Add(name, napi_get_boolean(call_.env(), flag, &value) == napi_ok ? value : nullptr);
}

void ObjectMaker::AddBytes(const char *name, const std::string &bytes)
{
    napi_value value;
    const bool is_made = napi_create_buffer_copy(call_.env(), bytes.size(), bytes.data(), nullptr, &value) == napi_ok;
    Add(name, is_made ? value : nullptr);
}

napi_value ObjectMaker::Make() const
{
    napi_value object;
    if (!is_complete_ || napi_create_object(call_.env(), &object) != napi_ok ||
        napi_define_properties(call_.env(), object, properties_.size(), properties_.data()) != napi_ok)
        return nullptr;
    return object;
}

bool ReadBytes(napi_env env, napi_value value, Bytes *bytes)
{
    napi_typedarray_type type;
    void *begin;
    if (napi_get_typedarray_info(env, value, &type, &bytes->count, &begin, nullptr, nullptr) != napi_ok ||
        type != napi_uint8_array)
        return false;
    bytes->begin = static_cast<uint8_t *>(begin);
    if (bytes->begin == nullptr)
        bytes->count = 0;
    return true;
}

} // namespace nanomsg_native
