// The memory that the engine receives into: ArrayBuffers made by V8, so that JavaScript views messages where
// the kernel has put them.
#pragma once

#include <nanomsg/loop.h>

#include <node_api.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace nanomsg_native
{

// Belongs to one environment. The engine may give slabs back from other threads and after the environment is
// gone, so it deletes itself when it is closed and no slab is out.
class SlabStore
{
  public:
    // `slabs` is the JavaScript array in which a slab's ArrayBuffer stands at the index of its token, `make` the
    // function that makes one. What Node-API itself makes is cleared first, which costs more than filling it.
    // JavaScript reads in `shown_kib` how much memory those have that are alive.
    SlabStore(napi_env env, napi_ref slabs, napi_ref make, int32_t *shown_kib)
        : env_(env), slabs_(slabs), make_(make), shown_kib_(shown_kib), thread_(std::this_thread::get_id())
    {
    }

    nn_slab_source Source();

    // Makes a slab for the caller. Returns NULL when V8 has no memory, or on a thread that is not the environment's.
    uint8_t *Acquire(size_t size_bytes, uint32_t *token);
    // The slab's memory goes when JavaScript views it no more.
    void Release(uint32_t token);

    uint8_t *Begin(uint32_t token) const
    {
        return begins_[token];
    }

    // Lets go of the slabs that were released. Not between taking messages out of a slab and viewing them.
    void Recycle();
    // The environment runs no JavaScript any more: no slabs from here on.
    void Detach()
    {
        env_ = nullptr;
    }
    // After Detach, when the engine's loop is gone.
    void Close();

  private:
    ~SlabStore() = default;

    bool Make(size_t size_bytes, napi_value *buffer, void **begin) const;
    void Count(napi_value buffer, size_t size_bytes);

    napi_env env_; // null once detached
    napi_ref slabs_;
    napi_ref make_;
    int32_t *shown_kib_;
    // Of the slabs that V8 has not collected, which it may do after our end.
    const std::shared_ptr<int32_t> alive_kib_ = std::make_shared<int32_t>(0);
    const std::thread::id thread_;
    std::vector<uint8_t *> begins_; // by token
    std::vector<uint32_t> free_tokens_;

    std::mutex lock_; // guards what follows
    std::vector<uint32_t> released_;
    size_t outstanding_ = 0;
    bool is_closed_ = false;
};

} // namespace nanomsg_native
