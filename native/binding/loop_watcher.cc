#include "loop_watcher.h"

#include "poll_watcher.h"
#include "thread_watcher.h"

namespace nanomsg_native
{

LoopWatcher *LoopWatcher::Start(Kind kind, napi_env env, nn_loop *loop, Callback callback, void *owner, int *error)
{
    if (kind == Kind::kThread) {
        auto *const watcher = new ThreadWatcher(env, loop, callback, owner);
        *error = watcher->Open();
        return *error < 0 ? nullptr : watcher;
    }
    auto *const watcher = new PollWatcher(callback, owner);
    *error = watcher->Open(env, loop);
    if (*error == 0)
        return watcher;
    delete watcher;
    return nullptr;
}

} // namespace nanomsg_native
