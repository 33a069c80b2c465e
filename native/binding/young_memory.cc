#include "young_memory.h"

namespace nanomsg_native
{

namespace
{

constexpr size_t kAskAfterBytes = 1024 * 1024;
// With two words more an array is among the large objects, which are not collected with the young ones.
constexpr size_t kArrayElements = 64 * 1024 / 8 - 2;
// When the arrays for so much have freed nothing, the program keeps it.
constexpr int64_t kKeptMib = 48;

} // namespace

void YoungMemory::NoteGiven(napi_env env, size_t size_bytes)
{
    given_bytes_ += size_bytes;
    if (given_bytes_ < kAskAfterBytes)
        return;
    given_bytes_ = 0;
    Ask(env);
}

// The more V8 has got since memory was freed last, the more arrays: a young generation of 1 MiB is full after some
// 16 MiB, one of 16 MiB after 40. At 64 MiB V8 would collect everything. (64 KiB messages from another process, Node.js
// 24: 1.1 -> 1.5 GB/s, 28 -> 1 such collections in 1.5 GiB. Twice as many arrays cost more than they free.)
void YoungMemory::Ask(napi_env env)
{
    napi_value ignored;
    void *bytes;
    napi_create_arraybuffer(env, 1, &bytes, &ignored);

    int64_t external_bytes;
    if (!counts_external_ || napi_adjust_external_memory(env, 0, &external_bytes) != napi_ok)
        return;
    const int64_t grown_mib = (external_bytes - collected_bytes_) / (1024 * 1024);
    if (external_bytes < external_bytes_ || grown_mib > kKeptMib)
        collected_bytes_ = external_bytes;
    external_bytes_ = external_bytes;
    const int64_t mib = (external_bytes - collected_bytes_) / (1024 * 1024);
    for (int64_t i = 0; i < mib * mib / 80; i++)
        napi_create_array_with_length(env, kArrayElements, &ignored);
}

} // namespace nanomsg_native
