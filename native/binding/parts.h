// The parts of a message in an array of JavaScript.
#pragma once

#include <nanomsg/nn.h>

#include <node_api.h>

#include <cstdint>
#include <cstdlib>
#include <memory>

namespace nanomsg_native
{

// Where Uint8Arrays have their bytes. It is valid until JavaScript runs again.
class Parts
{
  public:
    // Returns 0 or an errno: EFAULT (no array of Uint8Arrays), ENOMEM, EMSGSIZE (together they exceed all memory).
    int Read(napi_env env, napi_value array);

    const nn_iovec *begin() const
    {
        return parts_.get();
    }
    const nn_iovec *end() const
    {
        return parts_.get() + count_;
    }
    nn_iovec *data()
    {
        return parts_.get();
    }
    uint32_t count() const
    {
        return count_;
    }
    size_t size_bytes() const
    {
        return size_bytes_;
    }

  private:
    struct Free {
        void operator()(void *memory) const
        {
            std::free(memory);
        }
    };

    std::unique_ptr<nn_iovec[], Free> parts_;
    uint32_t count_ = 0;
    size_t size_bytes_ = 0;
};

} // namespace nanomsg_native
