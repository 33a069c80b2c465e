#include "slab_store.h"

#include "given.h"

#include <nanomsg/nn.h>

namespace nanomsg_native
{

namespace
{

void *AcquireForEngine(void *context, size_t size_bytes, uint32_t *token)
{
    return static_cast<SlabStore *>(context)->Acquire(size_bytes, token);
}

void ReleaseForEngine(void *context, uint32_t token)
{
    static_cast<SlabStore *>(context)->Release(token);
}

bool MayEngineFill(void *context, uint32_t token)
{
    return static_cast<const SlabStore *>(context)->MayFill(token);
}

} // namespace

// What the ArrayBuffer of a slab owns: a reference to the memory, and a share of the sum of slabs that are alive. It
// may outlive the store. (Finalizers of Node-API, and no FinalizationRegistry: what that watches outlives each
// collection of young objects, so that the memory of unreachable messages would stay until V8 collects all
// garbage.)
class SlabStore::ShownSlab : public Given
{
  public:
    ShownSlab(nn_chunk *memory, size_t size_bytes, std::shared_ptr<int32_t> alive_kib)
        : memory_(memory), kib_(static_cast<int32_t>(size_bytes / 1024)), alive_kib_(std::move(alive_kib))
    {
        nn_chunk_retain(memory_);
        *alive_kib_ += kib_;
    }

  protected:
    ~ShownSlab() override
    {
        *alive_kib_ -= kib_;
        nn_chunk_release(memory_);
    }

  private:
    nn_chunk *const memory_;
    const int32_t kib_;
    const std::shared_ptr<int32_t> alive_kib_;
};

nn_slab_source SlabStore::Source()
{
    return {AcquireForEngine, ReleaseForEngine, this, MayEngineFill};
}

uint32_t SlabStore::Add(const Slab &slab)
{
    if (free_tokens_.empty()) {
        free_tokens_.push_back(static_cast<uint32_t>(slabs_by_token_.size()));
        slabs_by_token_.emplace_back();
    }
    const uint32_t token = free_tokens_.back();
    free_tokens_.pop_back();
    slabs_by_token_[token] = slab;
    const std::lock_guard<std::mutex> guard(lock_);
    outstanding_++;
    return token;
}

uint8_t *SlabStore::Acquire(size_t size_bytes, uint32_t *token)
{
    if (std::this_thread::get_id() != thread_ || env_ == nullptr || !is_allowed_)
        return nullptr;
    Slab slab;
    slab.begin = static_cast<uint8_t *>(nn_allocmsg(size_bytes, 0));
    if (slab.begin == nullptr)
        return nullptr;
    slab.memory = nn_chunk_of(slab.begin);
    slab.size_bytes = size_bytes;
    *token = Add(slab);
    return slab.begin;
}

uint8_t *SlabStore::AcquirePrivate(size_t size_bytes, uint32_t *token)
{
    napi_value buffer;
    void *begin;
    if (env_ == nullptr || napi_create_arraybuffer(env_, size_bytes, &begin, &buffer) != napi_ok)
        return nullptr;
    Slab slab;
    slab.begin = static_cast<uint8_t *>(begin);
    slab.size_bytes = size_bytes;
    *token = Add(slab);
    if (Place(&slabs_by_token_[*token], *token, buffer))
        return slab.begin;
    Release(*token);
    return nullptr;
}

void SlabStore::Release(uint32_t token)
{
    bool is_last;
    {
        const std::lock_guard<std::mutex> guard(lock_);
        if (!is_closed_) {
            released_.push_back(token);
            has_released_.store(true, std::memory_order_relaxed);
        } else if (slabs_by_token_[token].memory != nullptr)
            nn_chunk_release(slabs_by_token_[token].memory);
        is_last = --outstanding_ == 0 && is_closed_;
    }
    if (is_last)
        delete this;
}

bool SlabStore::IsDetached(const Slab &slab) const
{
    napi_value buffer;
    bool is_detached = true;
    return napi_get_reference_value(env_, slab.shown, &buffer) != napi_ok ||
           napi_is_detached_arraybuffer(env_, buffer, &is_detached) != napi_ok || is_detached;
}

// Other threads cannot ask V8: they leave the slab alone, since JavaScript might have detached it.
bool SlabStore::MayFill(uint32_t token) const
{
    if (std::this_thread::get_id() != thread_ || env_ == nullptr)
        return false;
    const Slab &slab = slabs_by_token_[token];
    if (slab.shown == nullptr || !IsDetached(slab))
        return true;
    state_[kMustCopy] = 1;
    return false;
}

bool SlabStore::MakeArrayBuffer(const Slab &slab, napi_value *buffer)
{
    auto *const given = new ShownSlab(slab.memory, slab.size_bytes, alive_kib_);
    if (!Given::MakeArrayBuffer(env_, given, slab.begin, slab.size_bytes, buffer))
        return false;
    state_[kAliveKib] = *alive_kib_;
    young_memory_->NoteGiven(env_, slab.size_bytes);
    return true;
}

// Puts the slab's ArrayBuffer where JavaScript finds it.
bool SlabStore::Place(Slab *slab, uint32_t token, napi_value buffer)
{
    napi_value slabs;
    return napi_get_reference_value(env_, slabs_, &slabs) == napi_ok &&
           napi_set_element(env_, slabs, token, buffer) == napi_ok &&
           napi_create_reference(env_, buffer, 1, &slab->shown) == napi_ok;
}

const uint8_t *SlabStore::Show(uint32_t token)
{
    if (token >= slabs_by_token_.size())
        return nullptr;
    Slab &slab = slabs_by_token_[token];
    if (slab.shown == nullptr) {
        napi_value buffer;
        // Not once more: no two ArrayBuffers may show the same memory.
        slab.cannot_be_shown = slab.cannot_be_shown || !MakeArrayBuffer(slab, &buffer) || !Place(&slab, token, buffer);
        if (slab.cannot_be_shown)
            return nullptr;
    }
    last_shown_ = token;
    last_shown_begin_ = slab.begin;
    return slab.begin;
}

bool SlabStore::Copy(uint32_t token, size_t offset, size_t size_bytes, napi_value *buffer) const
{
    if (token >= slabs_by_token_.size())
        return false;
    const Slab &slab = slabs_by_token_[token];
    state_[kMustCopy] = 1;
    return slab.begin != nullptr && offset <= slab.size_bytes && size_bytes <= slab.size_bytes - offset &&
           CopyToBuffer(env_, slab.begin + offset, size_bytes, buffer);
}

void SlabStore::Forget(Slab *slab)
{
    if (slab->shown != nullptr)
        napi_delete_reference(env_, slab->shown);
    if (slab->memory != nullptr)
        nn_chunk_release(slab->memory);
    *slab = Slab();
}

void SlabStore::Recycle()
{
    std::vector<uint32_t> released;
    state_[kAliveKib] = *alive_kib_;
    {
        const std::lock_guard<std::mutex> guard(lock_);
        if (released_.empty() && pinned_.empty())
            return;
        released.swap(released_);
        has_released_.store(false, std::memory_order_relaxed);
    }
    released.insert(released.end(), pinned_.begin(), pinned_.end());
    pinned_.clear();
    last_shown_ = UINT32_MAX;

    napi_value slabs;
    napi_value undefined;
    if (napi_get_reference_value(env_, slabs_, &slabs) != napi_ok || napi_get_undefined(env_, &undefined) != napi_ok) {
        pinned_.swap(released);
        return;
    }
    for (const uint32_t token : released) {
        if (token < pins_count_ && pins_[token] != 0) {
            pinned_.push_back(token);
            continue;
        }
        if (slabs_by_token_[token].shown != nullptr)
            napi_set_element(env_, slabs, token, undefined);
        Forget(&slabs_by_token_[token]);
        free_tokens_.push_back(token);
    }
}

// The environment's end frees no references to ArrayBuffers: their owner must do so.
void SlabStore::Detach()
{
    for (Slab &slab : slabs_by_token_) {
        if (slab.shown != nullptr)
            napi_delete_reference(env_, slab.shown);
        slab.shown = nullptr;
    }
    last_shown_ = UINT32_MAX;
    env_ = nullptr;
}

// ArrayBuffers that are left keep the memory that they show.
void SlabStore::Close()
{
    bool is_last;
    {
        const std::lock_guard<std::mutex> guard(lock_);
        is_closed_ = true;
        is_last = outstanding_ == 0;
        released_.insert(released_.end(), pinned_.begin(), pinned_.end());
        // Under the lock: as soon as it is left, another thread may give back the last slab and delete the store.
        for (const uint32_t token : released_) {
            if (slabs_by_token_[token].memory != nullptr)
                nn_chunk_release(slabs_by_token_[token].memory);
        }
    }
    if (is_last)
        delete this;
}

} // namespace nanomsg_native
