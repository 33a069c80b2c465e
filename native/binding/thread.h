// A thread of the engine's kind: signals are blocked in it, and what fails is told, not thrown.
#pragma once

extern "C" {
#include "platform/thread.h"
}

namespace nanomsg_native
{

class Thread
{
  public:
    Thread() = default;
    Thread(const Thread &) = delete;
    Thread &operator=(const Thread &) = delete;

    using Main = void (*)(void *argument);

    // Returns 0 or a negative errno. The object must stay where it is until Join.
    int Start(Main main, void *argument)
    {
        main_ = main;
        argument_ = argument;
        return sp_thread_start(&thread_, Run, this);
    }

    void Join()
    {
        sp_thread_join(&thread_);
    }

  private:
    static void *Run(void *thread)
    {
        const auto *const self = static_cast<const Thread *>(thread);
        self->main_(self->argument_);
        return nullptr;
    }

    sp_thread thread_ = {};
    Main main_ = nullptr;
    void *argument_ = nullptr;
};

} // namespace nanomsg_native
