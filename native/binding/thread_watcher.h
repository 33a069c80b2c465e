// A thread waits for the loop's work, and a function of Node-API calls the environment's thread.
#pragma once

#include "loop_watcher.h"

#include "thread.h"

#include <condition_variable>
#include <mutex>

namespace nanomsg_native
{

class ThreadWatcher : public LoopWatcher
{
  public:
    ThreadWatcher(napi_env env, nn_loop *loop, Callback callback, void *owner)
        : env_(env), loop_(loop), callback_(callback), owner_(owner)
    {
    }

    // Returns 0, or a negative errno; then the watcher deletes itself.
    int Open();

    void SetReferenced(bool is_referenced) override;
    void Close(Closed closed, void *data) override;

  private:
    ~ThreadWatcher() override = default;
    bool MakeFunction();
    void Wait();
    bool Call();
    void Stop();
    static void OnCall(napi_env env, napi_value function, void *self, void *data);
    static void OnEnvironmentEnd(void *self);
    static void OnFunctionEnded(napi_env env, void *self, void *hint);
    void DeleteWhenUnused();

    napi_env const env_;
    nn_loop *const loop_;
    const Callback callback_;
    void *const owner_;
    napi_threadsafe_function function_ = nullptr;
    Thread thread_;
    bool is_stopped_ = false;
    bool is_closed_ = false;
    bool has_function_ended_ = false; // the runtime calls us no more

    std::mutex lock_; // guards what follows
    std::condition_variable changed_;
    bool is_called_ = false; // the environment's thread has not run the loop since it was called
    bool is_stopping_ = false;
    bool is_released_ = false; // the runtime has taken the function back
};

} // namespace nanomsg_native
