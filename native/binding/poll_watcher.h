// libuv polls the loop's descriptor.
#pragma once

#include "loop_watcher.h"

#include <uv.h>

namespace nanomsg_native
{

class PollWatcher : public LoopWatcher
{
  public:
    PollWatcher(Callback callback, void *owner) : callback_(callback), owner_(owner) {}

    // Returns 0, or a negative errno and the watcher is to be deleted.
    int Open(napi_env env, nn_loop *loop);

    void SetReferenced(bool is_referenced) override;
    void Close(Closed closed, void *data) override;
    ~PollWatcher() override = default;

  private:
    static void OnReadable(uv_poll_t *poll, int status, int ready);
    static void OnClosed(uv_handle_t *poll);

    uv_handle_t *handle()
    {
        return reinterpret_cast<uv_handle_t *>(&poll_);
    }

    uv_poll_t poll_ = {};
    const Callback callback_;
    void *const owner_;
    Closed closed_ = nullptr;
    void *closed_data_ = nullptr;
};

} // namespace nanomsg_native
