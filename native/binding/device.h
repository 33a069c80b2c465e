// A device of the engine: two raw sockets on a loop of their own, and the threads that serve it and forward between
// them. Messages pass by without JavaScript, and without the event loop of Node.js.
#pragma once

#include "thread.h"

#include <nanomsg/loop.h>

#include <node_api.h>

namespace nanomsg_native
{

class Device
{
  public:
    // Opens raw sockets of two protocols and forwards between them, until one is closed. `ended` is then called with
    // the errno for which it ended, when what was accepted is delivered. Returns NULL and an errno.
    static Device *Start(napi_env env, int first_protocol, int second_protocol, napi_value ended, int *error);

    Device(const Device &) = delete;
    Device &operator=(const Device &) = delete;

    int first() const
    {
        return first_;
    }
    int second() const
    {
        return second_;
    }

  private:
    explicit Device(napi_env env) : env_(env) {}
    ~Device() = default;

    bool Open(int first_protocol, int second_protocol);
    bool MakeCallback(napi_value ended);
    void CloseSockets() const;
    void Drive();
    void Forward();
    void Join();
    static void CallEnded(napi_env env, napi_value ended, void *self, void *data);
    static void OnEnvironmentEnd(void *self);

    napi_env env_;
    nn_loop *loop_ = nullptr;
    int first_ = -1;
    int second_ = -1;
    int end_errno_ = 0;
    Thread driver_;
    Thread forwarder_;
    bool is_joined_ = false;
    napi_threadsafe_function ended_ = nullptr;
};

} // namespace nanomsg_native
