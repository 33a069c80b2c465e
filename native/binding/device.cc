#include "device.h"

#include "functions.h"

#include <cerrno>

namespace nanomsg_native
{

namespace
{

constexpr int kBudgetEvents = 64;
// A linger without limit must not hold up the end of the process for ever.
constexpr int kLingerLimitMs = 10000;

// Waits until the loop has work, does it, and returns how many sockets have closed for good.
int RunLoop(nn_loop *loop)
{
    void *user;
    int ready;
    int closed = 0;

    nn_loop_wait(loop, -1);
    nn_loop_run(loop, kBudgetEvents);
    while (nn_loop_next_ready(loop, &user, &ready)) {
        if (ready & NN_LOOP_CLOSED)
            closed++;
    }
    return closed;
}

void LimitLinger(int s)
{
    int linger_ms;
    size_t size = sizeof linger_ms;

    if (nn_getsockopt(s, NN_SOL_SOCKET, NN_LINGER, &linger_ms, &size) == 0 &&
        (linger_ms < 0 || linger_ms > kLingerLimitMs))
        nn_setsockopt(s, NN_SOL_SOCKET, NN_LINGER, &kLingerLimitMs, sizeof kLingerLimitMs);
}

// Returns a handle, or -1 and errno.
int OpenSocket(nn_loop *loop, int protocol)
{
    const int s = nn_loop_socket(loop, AF_SP_RAW, protocol, nullptr);
    return s < 0 ? s : nn_socket_handle(s);
}

} // namespace

Device *Device::Start(napi_env env, int first_protocol, int second_protocol, napi_value ended, int *error)
{
    Device *const self = new Device(env);

    if (!self->Open(first_protocol, second_protocol)) {
        *error = nn_errno();
    } else if (!self->MakeCallback(ended)) {
        *error = EINVAL;
    } else if (const int rc = self->driver_.Start([](void *device) { static_cast<Device *>(device)->Drive(); }, self);
               rc < 0) {
        *error = -rc;
    } else {
        // After the function's own hook, and so called before it: the threads are gone when the function goes.
        napi_add_env_cleanup_hook(env, OnEnvironmentEnd, self);
        return self;
    }
    if (self->loop_ != nullptr)
        nn_loop_destroy(self->loop_); // and with it the sockets
    if (self->ended_ == nullptr)
        delete self;
    else
        napi_release_threadsafe_function(self->ended_, napi_tsfn_abort); // which deletes it
    return nullptr;
}

bool Device::Open(int first_protocol, int second_protocol)
{
    loop_ = nn_loop_create(nullptr);
    if (loop_ == nullptr)
        return false;
    first_ = OpenSocket(loop_, first_protocol);
    if (first_ < 0)
        return false;
    second_ = OpenSocket(loop_, second_protocol);
    return second_ >= 0;
}

// The function keeps the process alive until the device has ended, and deletes the device after that.
bool Device::MakeCallback(napi_value ended)
{
    const auto finalize = [](napi_env, void *device, void *) { delete static_cast<Device *>(device); };
    napi_value name;
    return napi_create_string_utf8(env_, "nanomsg device", NAPI_AUTO_LENGTH, &name) == napi_ok &&
           napi_create_threadsafe_function(env_, ended, nullptr, name, 0, 1, this, finalize, this, CallEnded,
                                           &ended_) == napi_ok;
}

void Device::CloseSockets() const
{
    nn_close(first_);
    nn_close(second_);
}

// The thread that serves the loop, until both sockets have delivered what they accepted.
void Device::Drive()
{
    const int rc = forwarder_.Start([](void *device) { static_cast<Device *>(device)->Forward(); }, this);
    if (rc < 0) {
        end_errno_ = -rc;
        CloseSockets();
    }
    for (int closed = 0; closed < 2;)
        closed += RunLoop(loop_);
    if (rc == 0)
        forwarder_.Join();
    nn_loop_destroy(loop_);
    napi_call_threadsafe_function(ended_, nullptr, napi_tsfn_nonblocking);
    napi_release_threadsafe_function(ended_, napi_tsfn_release);
}

// The thread that forwards, until one of the sockets is closed.
void Device::Forward()
{
    nn_device(first_, second_);
    end_errno_ = nn_errno();
    CloseSockets();
}

void Device::Join()
{
    if (is_joined_)
        return;
    is_joined_ = true;
    driver_.Join();
}

void Device::CallEnded(napi_env env, napi_value ended, void *context, void * /*data*/)
{
    auto *const self = static_cast<Device *>(context);
    napi_value undefined;
    napi_value argument;
    napi_value result; // NULL in its place stops Deno

    self->Join();
    if (env == nullptr)
        return; // the environment is ending: its hook has joined
    napi_remove_env_cleanup_hook(env, OnEnvironmentEnd, self);
    if (napi_get_undefined(env, &undefined) == napi_ok &&
        napi_create_int32(env, self->end_errno_, &argument) == napi_ok)
        napi_call_function(env, undefined, ended, 1, &argument, &result);
}

void Device::OnEnvironmentEnd(void *device)
{
    auto *const self = static_cast<Device *>(device);

    LimitLinger(self->first_);
    LimitLinger(self->second_);
    self->CloseSockets();
    self->Join();
}

namespace
{

// startDevice(firstProtocol, secondProtocol, ended): [first, second], the descriptors of its raw sockets, or -errno.
// The device forwards from now on, until one of them is closed.
napi_value StartDevice(napi_env env, napi_callback_info info)
{
    napi_value arguments[3];
    size_t count = 3;
    int32_t first = 0;
    int32_t second = 0;
    int error = 0;
    napi_value result = nullptr;
    napi_value descriptor;

    napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
    napi_get_value_int32(env, arguments[0], &first);
    napi_get_value_int32(env, arguments[1], &second);
    Device *const device = Device::Start(env, first, second, arguments[2], &error);
    if (device == nullptr) {
        napi_create_int32(env, -error, &result);
        return result;
    }
    napi_create_array_with_length(env, 2, &result);
    napi_create_int32(env, device->first(), &descriptor);
    napi_set_element(env, result, 0, descriptor);
    napi_create_int32(env, device->second(), &descriptor);
    napi_set_element(env, result, 1, descriptor);
    return result;
}

} // namespace

void AddDeviceFunctions(Properties *properties, Host *host)
{
    AddFunction(properties, "startDevice", StartDevice, host);
}

} // namespace nanomsg_native
