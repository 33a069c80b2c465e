// The memory that the engine receives into, as JavaScript views it. It belongs to the engine; an ArrayBuffer that shows
// it only keeps a reference: JavaScript may detach the ArrayBuffer, or give its memory to others, at any time.
#pragma once

#include "young_memory.h"

#include <nanomsg/loop.h>

#include <node_api.h>

#include <atomic>
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
    // What JavaScript reads in `slabState`.
    enum State : size_t {
        kAliveKib, // the memory of slabs that JavaScript still holds
        kMustCopy, // 1: messages must have memory of their own
        kStateNumbers,
    };

    // `slabs` is the JavaScript array in which a slab's ArrayBuffer stands at the index of its token. At that index of
    // `pins`, JavaScript counts the messages of the slab that it will still view.
    SlabStore(napi_env env, napi_ref slabs, int32_t *state, const int32_t *pins, size_t pins_count,
              YoungMemory *young_memory)
        : env_(env), slabs_(slabs), state_(state), pins_(pins), pins_count_(pins_count),
          thread_(std::this_thread::get_id()), young_memory_(young_memory)
    {
    }

    nn_slab_source Source();

    // Makes a slab for the caller. Returns NULL when memory is short, on a thread that is not the environment's, and
    // where JavaScript could not view it.
    uint8_t *Acquire(size_t size_bytes, uint32_t *token);
    // The same in memory of V8 where foreign memory is forbidden. JavaScript copies messages out of it, and never
    // hands it out, so that it cannot be detached.
    uint8_t *AcquirePrivate(size_t size_bytes, uint32_t *token);
    // No new messages lie in the slab any more.
    void Release(uint32_t token);
    // False when other code has the slab's ArrayBuffer: later messages must not appear there.
    bool MayFill(uint32_t token) const;

    // The first byte of the slab that the message lies in. Makes sure that JavaScript can view the slab, unless it has
    // detached the ArrayBuffer. Returns NULL when the message lies in no slab of ours, or JavaScript cannot view it.
    const uint8_t *Show(const nn_received &message)
    {
        if (!message.is_in_slab || message.slab_context != this)
            return nullptr;
        // Most messages lie in the slab of the one before.
        return message.slab_token == last_shown_ ? last_shown_begin_ : Show(message.slab_token);
    }
    const uint8_t *Show(uint32_t token);
    // Copies bytes of a slab of which the ArrayBuffer has been detached.
    bool Copy(uint32_t token, size_t offset, size_t size_bytes, napi_value *buffer) const;

    // The runtime allows no foreign memory: JavaScript gets copies only.
    void Forbid()
    {
        is_allowed_ = false;
        state_[kMustCopy] = 1;
    }

    // Lets go of the slabs that were released. Not between taking messages out of a slab and viewing or pinning them.
    void Recycle();
    // The same before messages are taken: while there are always more of them, the loop may have no event.
    void RecycleReleased()
    {
        if (has_released_.load(std::memory_order_relaxed))
            Recycle();
    }
    // The environment runs no JavaScript any more: no slabs from here on.
    void Detach();
    // After Detach, when the engine's loop is gone.
    void Close();

  private:
    struct Slab {
        nn_chunk *memory = nullptr; // a reference until the slab is released; NULL: private memory of V8
        uint8_t *begin = nullptr;   // NULL: there is no such slab now
        size_t size_bytes = 0;
        napi_ref shown = nullptr; // its ArrayBuffer, when messages in it have been shown
        bool cannot_be_shown = false;
    };
    class ShownSlab;

    uint32_t Add(const Slab &slab);

    ~SlabStore() = default;

    bool IsDetached(const Slab &slab) const;
    bool MakeArrayBuffer(const Slab &slab, napi_value *buffer);
    bool Place(Slab *slab, uint32_t token, napi_value buffer);
    void Forget(Slab *slab);

    napi_env env_; // null once detached
    napi_ref slabs_;
    int32_t *state_;
    const int32_t *const pins_;
    const size_t pins_count_;
    bool is_allowed_ = true;
    // Of the slabs that V8 has not collected, which it may do after our end.
    const std::shared_ptr<int32_t> alive_kib_ = std::make_shared<int32_t>(0);
    const std::thread::id thread_;
    uint32_t last_shown_ = UINT32_MAX; // until slabs are recycled
    const uint8_t *last_shown_begin_ = nullptr;
    YoungMemory *const young_memory_; // of the host; not used after Detach
    std::vector<Slab> slabs_by_token_;
    std::vector<uint32_t> free_tokens_;
    std::vector<uint32_t> pinned_; // released, but JavaScript will still view messages there

    std::mutex lock_; // guards what follows
    std::vector<uint32_t> released_;
    std::atomic<bool> has_released_ = false; // read without the lock: a slab more or less can wait
    size_t outstanding_ = 0;
    bool is_closed_ = false;
};

} // namespace nanomsg_native
