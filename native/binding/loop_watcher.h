// Watches an engine loop for an environment, and calls the environment's thread when the loop has work.
#pragma once

#include <nanomsg/loop.h>

#include <node_api.h>

namespace nanomsg_native
{

class LoopWatcher
{
  public:
    // Runs the loop. Called on the environment's thread, in no handle scope.
    using Callback = void (*)(void *owner);

    enum class Kind {
        kPoll,  // libuv polls the loop's descriptor: no other thread takes part
        kThread // a thread waits for the loop, where the runtime has no libuv or cannot poll with it
    };

    // Returns NULL and a negative errno.
    static LoopWatcher *Start(Kind kind, napi_env env, nn_loop *loop, Callback callback, void *owner, int *error);

    LoopWatcher(const LoopWatcher &) = delete;
    LoopWatcher &operator=(const LoopWatcher &) = delete;

    // While referenced, the watcher keeps the process alive.
    virtual void SetReferenced(bool is_referenced) = 0;

    // Ends the watcher: it names neither loop nor owner any more. `closed` is called with `data` when the runtime has
    // let go of it, which is after this call or within it; NULL: not at all.
    using Closed = void (*)(void *data);
    virtual void Close(Closed closed, void *data) = 0;

  protected:
    LoopWatcher() = default;
    virtual ~LoopWatcher() = default;
};

} // namespace nanomsg_native
