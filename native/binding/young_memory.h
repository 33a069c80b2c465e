// V8 collects unreachable young objects when it allocates memory itself, but not when it is given memory of ours: then
// it has to be asked, or it collects all garbage when that memory has grown too much.
#pragma once

#include <node_api.h>

#include <cstddef>
#include <cstdint>

namespace nanomsg_native
{

class YoungMemory
{
  public:
    // counts_external: this V8 (Node.js 24 and later) counts external memory of young objects as that of old ones. It
    // then needs short-lived arrays, for which it collects young objects: without them 512 MiB in messages of 64 KiB
    // cost 9 to 17 collections of everything.
    explicit YoungMemory(bool counts_external) : counts_external_(counts_external) {}

    // Bytes of ours have been given to V8.
    void NoteGiven(napi_env env, size_t size_bytes);

  private:
    void Ask(napi_env env);
    void MakeGarbage(napi_env env);
    void NoteExternal(int64_t external_bytes);

    const bool counts_external_;
    size_t given_bytes_ = 0;      // since V8 was asked
    int64_t collected_bytes_ = 0; // external memory of V8 when it was less than before
    int64_t external_bytes_ = -1; // when V8 was asked last; negative: never
    bool is_kept_ = false;        // the arrays have freed nothing
    int pause_ = 0;               // how often V8 has to free memory by itself before there are arrays again
    int pause_left_ = 0;
};

} // namespace nanomsg_native
