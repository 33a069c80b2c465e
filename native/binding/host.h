// One environment (the main thread or a Worker) as the host of an engine loop: JavaScript hears once per wake-up of
// what has changed.
#pragma once

#include "functions.h"
#include "loop_watcher.h"
#include "message_memory.h"
#include "numbered.h"
#include "slab_store.h"
#include "young_memory.h"

#include <nanomsg/stream.h>
#include <nanomsg/loop.h>

#include <node_api.h>

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace nanomsg_native
{

// A typed array that both sides use. Host::shared_ keeps it.
template <typename Element> struct SharedArray {
    Element *elements = nullptr;
    size_t count = 0;
};

// Each load of the JavaScript has a host of its own, so that its version and ours always go together.
class Host
{
  public:
    // The properties of `shared` are what lib/engine/binding.ts calls Shared. Returns NULL with a JavaScript exception.
    static Host *Open(napi_env env, napi_value shared);

    // The host ends when V8 has collected its functions, which are those properties of `functions`.
    void EndWith(napi_value functions, const Properties &properties);

    Host(const Host &) = delete;
    Host &operator=(const Host &) = delete;

    // Makes the loop, which the first socket does. Returns 0 or a negative errno; then the next call tries again.
    int OpenLoop();
    nn_loop *loop() const
    {
        return loop_;
    }
    SlabStore *slabs() const
    {
        return slabs_;
    }

    YoungMemory *young_memory()
    {
        return &*young_memory_;
    }

    // While referenced, the loop keeps the process alive.
    void SetReferenced(bool is_referenced);

    // As long as JavaScript listens to events, V8 collects neither the listeners nor the functions.
    void SetListening(bool is_listening);

    // Descriptors of sockets that JavaScript has open; they are closed, with their linger, when the environment ends.
    void AddSocket(int handle)
    {
        sockets_[NumberOf(handle)] = handle;
    }
    // Takes a number or a handle; another socket that has the number of a handle by now stays.
    void RemoveSocket(int s)
    {
        const auto found = sockets_.find(NumberOf(s));
        refusals_.erase(s);
        if (found != sockets_.end() && (s == found->first || s == found->second))
            sockets_.erase(found);
    }

    // Places a small body in memory that JavaScript can view. Returns false when V8 has no memory.
    bool CopyToSlab(const uint8_t *body, size_t size_bytes, uint32_t *token, size_t *offset);
    // JavaScript has run since bodies were copied: it may have detached the memory.
    void RenewCopies();

    // A message was lost while others of the same call were received: the errno that the socket's next call fails with.
    void KeepRefusal(int s, int error)
    {
        refusals_[s] = error;
    }
    int TakeRefusal(int s)
    {
        if (refusals_.empty())
            return 0;
        const auto found = refusals_.find(s);
        if (found == refusals_.end())
            return 0;
        const int error = found->second;
        refusals_.erase(found);
        return error;
    }

    // The messages that JavaScript holds; NULL where the runtime allows no foreign memory.
    MessageMemory *messages(napi_env env)
    {
        if (!messages_.has_value() && MessageMemory::IsAllowed(env))
            messages_.emplace();
        return messages_.has_value() ? &*messages_ : nullptr;
    }

    // These end with the environment at the latest.
    Numbered<nn_forwarder, nn_forwarder_destroy> forwarders; // of devices
    Numbered<nn_stream, nn_stream_release> streams;          // connections over streams of JavaScript

    SharedArray<int32_t> events;     // pairs: socket's id, NN_POLLIN | NN_POLLOUT | NN_LOOP_...
    SharedArray<int32_t> received;   // triples: slab's token or a mark, offset, length
    SharedArray<int32_t> contexts;   // pairs, of the messages in `received`: context, pipe
    SharedArray<int32_t> records;    // quadruples: descriptor, offset and length in `outgoing`, context
    SharedArray<int32_t> gathered;   // how many records JavaScript has gathered and not sent yet
    SharedArray<uint8_t> outgoing;   // bodies that JavaScript has gathered
    SharedArray<int32_t> slab_state; // SlabStore::State
    SharedArray<int32_t> slab_pins;  // by token: how many messages in the slab JavaScript will still view
    napi_ref bodies = nullptr;       // array of Buffers that are too long for a slab
    double max_buffer_bytes = 0;     // of a Buffer of this runtime
    double counts_young_memory = 0;  // 1: see YoungMemory
    double watcher_kind = 0;         // 0: libuv polls the loop's descriptor; 1: a thread waits for it
    std::vector<nn_received> received_batch;
    std::vector<nn_outgoing> outgoing_batch;
    std::vector<uint32_t> outgoing_order;

  private:
    explicit Host(napi_env env) : env_(env) {}
    ~Host() = default;

    bool ReadShared(napi_value shared);
    bool Prepare();
    bool has_libuv() const
    {
        return watcher_kind == 0;
    }
    bool HookEnvironmentEnd();
    void UnhookEnvironmentEnd();
    void CloseLoop(napi_async_cleanup_hook_handle awaited);
    void Run();
    void Dispatch();
    void CallDispatch(int32_t count);
    struct Functions;
    void Keep(napi_value keeper, napi_value kept) const;
    bool IsCollected() const;
    static void OnFunctionsCollected(napi_env env, void *functions, void *hint);
    static void OnEnvironmentEnd(void *self);
    enum class Reason { kCollected, kEnvironmentEnds };
    void End(Reason reason);
    void Linger();
    void DeleteReferences();

    static int NumberOf(int handle)
    {
        return handle & 0xffff;
    }

    napi_env env_;
    nn_loop *loop_ = nullptr;
    std::optional<YoungMemory> young_memory_;
    SlabStore *slabs_ = nullptr;
    LoopWatcher *watcher_ = nullptr;
    napi_async_context context_ = nullptr;
    napi_async_cleanup_hook_handle environment_end_ = nullptr; // with libuv
    Functions *functions_ = nullptr;
    napi_ref shared_ = nullptr; // keeps what follows, and all memory in it; weak while no socket listens to events
    napi_ref dispatch_ = nullptr;
    bool is_listening_ = false;
    bool is_pinned_ = false; // shared_ is strong from the first socket on
    bool is_referenced_ = false;
    napi_ref slab_array_ = nullptr;
    std::unordered_map<int, int> sockets_;  // handles by number
    std::unordered_map<int, int> refusals_; // errno by handle or number, as the call named the socket
    std::optional<MessageMemory> messages_;

    // The slab into which small bodies are copied that the engine holds elsewhere.
    uint8_t *copies_ = nullptr;
    uint32_t copies_token_ = 0;
    size_t copies_used_bytes_ = 0;
};

} // namespace nanomsg_native
