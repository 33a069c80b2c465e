#include "slab_store.h"

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

// What a slab adds to the sum of those that are alive, which its end may outlive.
struct Share {
    std::shared_ptr<int32_t> alive_kib;
    int32_t kib;
};

void OnCollected(napi_env /*env*/, void *data, void * /*hint*/)
{
    auto *const share = static_cast<Share *>(data);
    *share->alive_kib -= share->kib;
    delete share;
}

} // namespace

nn_slab_source SlabStore::Source()
{
    return {AcquireForEngine, ReleaseForEngine, this};
}

bool SlabStore::Make(size_t size_bytes, napi_value *buffer, void **begin) const
{
    napi_value make;
    napi_value receiver;
    napi_value size;
    size_t made_bytes;
    return napi_get_reference_value(env_, make_, &make) == napi_ok && napi_get_undefined(env_, &receiver) == napi_ok &&
           napi_create_uint32(env_, static_cast<uint32_t>(size_bytes), &size) == napi_ok &&
           napi_call_function(env_, receiver, make, 1, &size, buffer) == napi_ok &&
           napi_get_arraybuffer_info(env_, *buffer, begin, &made_bytes) == napi_ok && made_bytes == size_bytes;
}

// A finalizer, and no FinalizationRegistry: what that watches outlives each collection of young objects, so that the
// memory of messages that nobody keeps would stay until V8 collects all garbage.
void SlabStore::Count(napi_value buffer, size_t size_bytes)
{
    auto *const share = new Share{alive_kib_, static_cast<int32_t>(size_bytes / 1024)};
    if (napi_add_finalizer(env_, buffer, share, OnCollected, nullptr, nullptr) != napi_ok) {
        delete share;
        return;
    }
    *alive_kib_ += share->kib;
    *shown_kib_ = *alive_kib_;
}

uint8_t *SlabStore::Acquire(size_t size_bytes, uint32_t *token)
{
    if (env_ == nullptr || std::this_thread::get_id() != thread_)
        return nullptr;

    napi_value slabs;
    napi_value buffer;
    void *begin;
    if (napi_get_reference_value(env_, slabs_, &slabs) != napi_ok || !Make(size_bytes, &buffer, &begin)) {
        napi_value ignored;
        napi_get_and_clear_last_exception(env_, &ignored);
        return nullptr;
    }

    if (free_tokens_.empty()) {
        free_tokens_.push_back(static_cast<uint32_t>(begins_.size()));
        begins_.push_back(nullptr);
    }
    const uint32_t chosen = free_tokens_.back();
    if (napi_set_element(env_, slabs, chosen, buffer) != napi_ok)
        return nullptr;
    free_tokens_.pop_back();
    Count(buffer, size_bytes);
    begins_[chosen] = static_cast<uint8_t *>(begin);
    *token = chosen;

    const std::lock_guard<std::mutex> guard(lock_);
    outstanding_++;
    return static_cast<uint8_t *>(begin);
}

void SlabStore::Release(uint32_t token)
{
    bool is_last;
    {
        const std::lock_guard<std::mutex> guard(lock_);
        if (!is_closed_)
            released_.push_back(token);
        is_last = --outstanding_ == 0 && is_closed_;
    }
    if (is_last)
        delete this;
}

void SlabStore::Recycle()
{
    std::vector<uint32_t> released;
    *shown_kib_ = *alive_kib_;
    {
        const std::lock_guard<std::mutex> guard(lock_);
        if (released_.empty())
            return;
        released.swap(released_);
    }

    napi_value slabs;
    napi_value undefined;
    if (napi_get_reference_value(env_, slabs_, &slabs) != napi_ok || napi_get_undefined(env_, &undefined) != napi_ok)
        return;
    for (const uint32_t token : released) {
        napi_set_element(env_, slabs, token, undefined);
        free_tokens_.push_back(token);
    }
}

void SlabStore::Close()
{
    bool is_last;
    {
        const std::lock_guard<std::mutex> guard(lock_);
        is_closed_ = true;
        is_last = outstanding_ == 0;
    }
    if (is_last)
        delete this;
}

} // namespace nanomsg_native
