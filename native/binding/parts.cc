#include "parts.h"

#include "util/sizes.h"

#include <cerrno>

namespace nanomsg_native
{

namespace
{

bool ReadPart(napi_env env, napi_value value, nn_iovec *part)
{
    napi_typedarray_type type;
    if (napi_get_typedarray_info(env, value, &type, &part->iov_len, &part->iov_base, nullptr, nullptr) != napi_ok ||
        type != napi_uint8_array)
        return false;
    if (part->iov_base == nullptr)
        part->iov_len = 0;
    return true;
}

} // namespace

// Elements may have getters, which could take memory away again: all are read before the first pointer is asked for.
int Parts::Read(napi_env env, napi_value array)
{
    bool is_array;
    uint32_t count;
    if (napi_is_array(env, array, &is_array) != napi_ok || !is_array ||
        napi_get_array_length(env, array, &count) != napi_ok)
        return EFAULT;
    const std::unique_ptr<napi_value[], Free> elements(
        static_cast<napi_value *>(std::calloc(size_t{count} + 1, sizeof(napi_value))));
    parts_.reset(static_cast<nn_iovec *>(std::calloc(size_t{count} + 1, sizeof(nn_iovec))));
    if (elements == nullptr || parts_ == nullptr)
        return ENOMEM;
    for (uint32_t i = 0; i < count; i++) {
        if (napi_get_element(env, array, i, &elements[i]) != napi_ok)
            return EFAULT;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!ReadPart(env, elements[i], &parts_[i]))
            return EFAULT;
        if (!sp_size_add(&size_bytes_, parts_[i].iov_len))
            return EMSGSIZE;
    }
    count_ = count;
    return 0;
}

} // namespace nanomsg_native
