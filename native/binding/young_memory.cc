#include "young_memory.h"

#include <algorithm>

namespace nanomsg_native
{

namespace
{

constexpr size_t kAskAfterBytes = 1024 * 1024;
// With two words more an array is among the large objects, which are not collected with the young ones.
constexpr size_t kArrayElements = 64 * 1024 / 8 - 2;
// If V8 has freed nothing when its external memory has grown by this, the program keeps what it receives.
constexpr int64_t kKeptBytes = 48 * 1024 * 1024;
constexpr int kPauseLimit = 32;

} // namespace

void YoungMemory::NoteGiven(napi_env env, size_t size_bytes)
{
    given_bytes_ += size_bytes;
    if (given_bytes_ < kAskAfterBytes)
        return;
    given_bytes_ = 0;
    Ask(env);
}

void YoungMemory::Ask(napi_env env)
{
    napi_handle_scope scope;
    if (napi_open_handle_scope(env, &scope) != napi_ok)
        return;
    MakeGarbage(env);
    napi_close_handle_scope(env, scope);
}

// The more V8 has got since memory was freed last, the more arrays: a young generation of 1 MiB is full after some
// 16 MiB, one of 16 MiB after 40. At 64 MiB V8 would collect everything. (64 KiB messages from another process, Node.js
// 24: 1.1 -> 1.5 GB/s, 28 -> 1 such collections in 1.5 GiB. Twice as many arrays cost more than they free.)
void YoungMemory::MakeGarbage(napi_env env)
{
    napi_value ignored;
    void *bytes;
    napi_create_arraybuffer(env, 1, &bytes, &ignored);

    int64_t external_bytes;
    if (!counts_external_ || napi_adjust_external_memory(env, 0, &external_bytes) != napi_ok)
        return;
    NoteExternal(external_bytes);
    const int64_t mib = is_kept_ ? 0 : (external_bytes - collected_bytes_) / (1024 * 1024);
    for (int64_t i = 0; i < mib * mib / 80; i++)
        napi_create_array_with_length(env, kArrayElements, &ignored);
}

// A program that keeps what it receives would pay for arrays that free nothing: there are none then, until V8 has freed
// memory by itself; the more often, the less the last arrays have freed.
void YoungMemory::NoteExternal(int64_t external_bytes)
{
    if (external_bytes_ < 0) {
        collected_bytes_ = external_bytes;
    } else if (external_bytes < external_bytes_) {
        collected_bytes_ = external_bytes;
        if (!is_kept_)
            pause_ = 0;
        else if (--pause_left_ <= 0)
            is_kept_ = false;
    } else if (!is_kept_ && external_bytes - collected_bytes_ > kKeptBytes) {
        is_kept_ = true;
        pause_ = pause_ == 0 ? 1 : std::min(2 * pause_, kPauseLimit);
        pause_left_ = pause_;
    }
    external_bytes_ = external_bytes;
}

} // namespace nanomsg_native
