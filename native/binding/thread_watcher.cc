#include "thread_watcher.h"

#include <cerrno>

namespace nanomsg_native
{

bool ThreadWatcher::MakeFunction()
{
    napi_value name;
    return napi_create_string_utf8(env_, "nanomsg", NAPI_AUTO_LENGTH, &name) == napi_ok &&
           napi_create_threadsafe_function(env_, nullptr, nullptr, name, 0, 1, this, OnFunctionEnded, this, OnCall,
                                           &function_) == napi_ok;
}

int ThreadWatcher::Open()
{
    if (!MakeFunction()) {
        delete this;
        return -ENOMEM;
    }
    const int rc = thread_.Start([](void *self) { static_cast<ThreadWatcher *>(self)->Wait(); }, this);
    if (rc < 0) {
        is_closed_ = true;
        is_stopped_ = true;
        napi_release_threadsafe_function(function_, napi_tsfn_abort);
        return rc;
    }
    // After the function's own hook, and so called before it: the thread is gone when the function goes.
    napi_add_env_cleanup_hook(env_, OnEnvironmentEnd, this);
    return 0;
}

// The thread. While the environment's thread runs the loop, it does not wait: what is ready then is being taken.
void ThreadWatcher::Wait()
{
    do {
        while (nn_loop_wait(loop_, -1) == 0) {
        }
    } while (Call());
}

// Has the loop run, and waits until it is. Returns false when the watcher ends.
bool ThreadWatcher::Call()
{
    std::unique_lock<std::mutex> guard(lock_);
    if (is_stopping_)
        return false;
    is_called_ = true;
    if (const napi_status status = napi_call_threadsafe_function(function_, nullptr, napi_tsfn_nonblocking);
        status != napi_ok) {
        is_released_ = status == napi_closing;
        return false;
    }
    changed_.wait(guard, [this] { return !is_called_ || is_stopping_; });
    return !is_stopping_;
}

void ThreadWatcher::OnCall(napi_env env, napi_value /*function*/, void *context, void * /*data*/)
{
    auto *const self = static_cast<ThreadWatcher *>(context);
    if (env == nullptr || self->is_stopped_)
        return;
    self->callback_(self->owner_);
    const std::lock_guard<std::mutex> guard(self->lock_);
    self->is_called_ = false;
    self->changed_.notify_one();
}

void ThreadWatcher::SetReferenced(bool is_referenced)
{
    if (is_stopped_)
        return;
    if (is_referenced)
        napi_ref_threadsafe_function(env_, function_);
    else
        napi_unref_threadsafe_function(env_, function_);
}

void ThreadWatcher::Stop()
{
    if (is_stopped_)
        return;
    is_stopped_ = true;
    {
        const std::lock_guard<std::mutex> guard(lock_);
        is_stopping_ = true;
        changed_.notify_one();
    }
    nn_loop_wake(loop_);
    thread_.Join();
    if (!is_released_)
        napi_release_threadsafe_function(function_, napi_tsfn_abort);
}

void ThreadWatcher::OnEnvironmentEnd(void *self)
{
    static_cast<ThreadWatcher *>(self)->Stop();
}

void ThreadWatcher::Close(Closed closed, void *data)
{
    if (!is_stopped_)
        napi_remove_env_cleanup_hook(env_, OnEnvironmentEnd, this);
    Stop();
    if (closed != nullptr)
        closed(data);
    is_closed_ = true;
    DeleteWhenUnused();
}

// The runtime may still call us for what was called before the function was released.
void ThreadWatcher::OnFunctionEnded(napi_env /*env*/, void *data, void * /*hint*/)
{
    auto *const self = static_cast<ThreadWatcher *>(data);
    self->has_function_ended_ = true;
    self->DeleteWhenUnused();
}

void ThreadWatcher::DeleteWhenUnused()
{
    if (is_closed_ && has_function_ended_)
        delete this;
}

} // namespace nanomsg_native
