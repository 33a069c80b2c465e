// Opening, closing, endpoints, options. JavaScript has checked the types; the engine checks the values.
#include "arguments.h"
#include "host.h"

#include <nanomsg/ipc.h>

#include <cerrno>
#include <string>

namespace nanomsg_native
{

namespace
{

constexpr size_t kUsualFactBytes = 2048;     // most certificates and headers are shorter
constexpr size_t kLongestAddressBytes = 256; // more than NN_SOCKADDR_MAX, with what a bound address may add

std::string StringAt(const Napi::CallbackInfo &info, size_t index)
{
    const Napi::Value value = info[index];
    return value.IsString() ? value.As<Napi::String>().Utf8Value() : std::string();
}

int ErrnoOr(int rc)
{
    return rc < 0 ? -nn_errno() : rc;
}

// socket(domain, protocol, id): `id` comes back with the socket's events. Returns a descriptor.
Napi::Value Socket(const Napi::CallbackInfo &info)
{
    Host *const host = HostOf(info);
    void *const user = reinterpret_cast<void *>(static_cast<intptr_t>(IntegerAt(info, 2)));
    const int s = ErrnoOr(nn_loop_socket(host->loop(), IntegerAt(info, 0), IntegerAt(info, 1), user));
    if (s >= 0)
        host->AddSocket(s);
    return Napi::Number::New(info.Env(), s);
}

// close(s): what was accepted is delivered while the socket lingers; then NN_LOOP_CLOSED is reported.
Napi::Value Close(const Napi::CallbackInfo &info)
{
    const int s = IntegerAt(info, 0);
    HostOf(info)->RemoveSocket(s);
    return Napi::Number::New(info.Env(), ErrnoOr(nn_close(s)));
}

// An address with a NUL in it would be taken for a shorter one.
template <int (*attach)(int, const char *)> Napi::Value Attach(const Napi::CallbackInfo &info)
{
    const std::string address = StringAt(info, 1);
    const int endpoint =
        address.find('\0') == std::string::npos ? ErrnoOr(attach(IntegerAt(info, 0), address.c_str())) : -EINVAL;
    return Napi::Number::New(info.Env(), endpoint);
}

// shutdown(s, endpoint)
Napi::Value Shutdown(const Napi::CallbackInfo &info)
{
    return Napi::Number::New(info.Env(), ErrnoOr(nn_shutdown(IntegerAt(info, 0), IntegerAt(info, 1))));
}

// address(s, endpoint): where it is bound or connected, or -errno.
Napi::Value Address(const Napi::CallbackInfo &info)
{
    char address[kLongestAddressBytes];
    const int length = nn_endpoint_address(IntegerAt(info, 0), IntegerAt(info, 1), address, sizeof address);
    if (length < 0)
        return Napi::Number::New(info.Env(), -nn_errno());
    return Napi::String::New(info.Env(), address, static_cast<size_t>(length));
}

// setOption(s, level, option, value): a number, or the bytes of a Uint8Array. Returns 0 or -errno.
Napi::Value SetOption(const Napi::CallbackInfo &info)
{
    const int s = IntegerAt(info, 0);
    const int level = IntegerAt(info, 1);
    const int option = IntegerAt(info, 2);
    int rc;
    if (info[3].IsNumber()) {
        const int value = IntegerAt(info, 3);
        rc = nn_setsockopt(s, level, option, &value, sizeof value);
    } else if (info[3].IsTypedArray() && info[3].As<Napi::TypedArray>().TypedArrayType() == napi_uint8_array) {
        const auto bytes = info[3].As<Napi::Uint8Array>();
        rc = nn_setsockopt(s, level, option, bytes.ByteLength() > 0 ? bytes.Data() : nullptr, bytes.ByteLength());
    } else {
        return Napi::Number::New(info.Env(), -EINVAL);
    }
    return Napi::Number::New(info.Env(), ErrnoOr(rc));
}

// getOption(s, level, option): { value } of an integer option, or -errno.
Napi::Value GetOption(const Napi::CallbackInfo &info)
{
    int value = 0;
    size_t size = sizeof value;
    if (nn_getsockopt(IntegerAt(info, 0), IntegerAt(info, 1), IntegerAt(info, 2), &value, &size) < 0)
        return Napi::Number::New(info.Env(), -nn_errno());
    Napi::Object result = Napi::Object::New(info.Env());
    result.Set("value", value);
    return result;
}

// name(s): the value of NN_SOCKET_NAME, or -errno.
Napi::Value Name(const Napi::CallbackInfo &info)
{
    char name[64];
    size_t size = sizeof name;
    if (nn_getsockopt(IntegerAt(info, 0), NN_SOL_SOCKET, NN_SOCKET_NAME, name, &size) < 0)
        return Napi::Number::New(info.Env(), -nn_errno());
    return Napi::String::New(info.Env(), name, size < sizeof name ? size : sizeof name);
}

// statistic(s, id): { value } of a counter, or -errno.
Napi::Value Statistic(const Napi::CallbackInfo &info)
{
    errno = 0; // what fails and a priority of -1 look alike
    const uint64_t value = nn_get_statistic(IntegerAt(info, 0), IntegerAt(info, 1));
    if (value == UINT64_MAX && nn_errno() != 0)
        return Napi::Number::New(info.Env(), -nn_errno());
    Napi::Object result = Napi::Object::New(info.Env());
    result.Set("value", static_cast<double>(static_cast<int64_t>(value)));
    return result;
}

// monitor(s, isOn): whether events of connections are kept for nextEvent().
Napi::Value Monitor(const Napi::CallbackInfo &info)
{
    return Napi::Number::New(info.Env(), ErrnoOr(nn_socket_monitor(IntegerAt(info, 0), info[1].ToBoolean())));
}

// A fact about the peer of the event that was taken last; empty where it is not known.
std::string FactOf(int s, int what)
{
    std::string fact(kUsualFactBytes, '\0');
    size_t size = fact.size();
    if (nn_socket_event_peer(s, what, &fact[0], &size) < 0)
        return std::string();
    if (size > fact.size()) {
        fact.resize(size);
        nn_socket_event_peer(s, what, &fact[0], &size);
    }
    fact.resize(size);
    return fact;
}

// Properties of an event for what is known of the peer. Headers are in Latin-1, as HTTP has them.
void AddPeer(Napi::Object event, int s)
{
    const Napi::Env env = event.Env();
    nn_ipc_credentials process;
    size_t size = sizeof process;
    if (nn_socket_event_peer(s, NN_PEER_CREDENTIALS, &process, &size) == 0) {
        Napi::Object credentials = Napi::Object::New(env);
        credentials.Set("pid", process.pid);
        credentials.Set("uid", process.uid);
        credentials.Set("gid", process.gid);
        event.Set("credentials", credentials);
    }
    const std::string headers = FactOf(s, NN_PEER_HEADERS);
    if (!headers.empty())
        event.Set("headers", Napi::Buffer<char>::Copy(env, headers.data(), headers.size()));
    const std::string certificate = FactOf(s, NN_PEER_CERTIFICATE);
    if (!certificate.empty())
        event.Set("certificate", Napi::Buffer<char>::Copy(env, certificate.data(), certificate.size()));
    const std::string problem = FactOf(s, NN_PEER_PROBLEM);
    if (!problem.empty())
        event.Set("problem", problem);
}

// The event that was taken last.
Napi::Value EventObject(Napi::Env env, int s, const nn_event &event)
{
    Napi::Object result = Napi::Object::New(env);
    result.Set("type", event.type);
    result.Set("endpoint", event.endpoint);
    result.Set("isBound", event.is_bound);
    result.Set("error", event.error);
    result.Set("protocol", event.protocol);
    result.Set("pipe", event.pipe);
    result.Set("lost", static_cast<double>(event.lost));
    result.Set("address", event.address);
    result.Set("localAddress", event.local_address);
    result.Set("remoteAddress", event.remote_address);
    AddPeer(result, s);
    return result;
}

// nextEvent(s): the oldest event of a connection, 0 when there is none, or -errno.
Napi::Value NextEvent(const Napi::CallbackInfo &info)
{
    nn_event event;
    const int rc = ErrnoOr(nn_socket_next_event(IntegerAt(info, 0), &event));
    return rc == 1 ? EventObject(info.Env(), IntegerAt(info, 0), event)
                   : Napi::Value(Napi::Number::New(info.Env(), rc));
}

// peer(s, pipe): the event that tells of a connection's peer, or -errno.
Napi::Value Peer(const Napi::CallbackInfo &info)
{
    nn_event event;
    const int rc = ErrnoOr(nn_socket_peer(IntegerAt(info, 0), static_cast<uint32_t>(IntegerAt(info, 1)), &event));
    return rc == 0 ? EventObject(info.Env(), IntegerAt(info, 0), event)
                   : Napi::Value(Napi::Number::New(info.Env(), rc));
}

// strerror(errno)
Napi::Value StrError(const Napi::CallbackInfo &info)
{
    return Napi::String::New(info.Env(), nn_strerror(IntegerAt(info, 0)));
}

// setReferenced(isReferenced): whether waiting for sockets keeps the process alive.
Napi::Value SetReferenced(const Napi::CallbackInfo &info)
{
    HostOf(info)->SetReferenced(info[0].ToBoolean());
    return info.Env().Undefined();
}

} // namespace

void AddSocketFunctions(Properties *properties, Host *host)
{
    Add<Socket>(properties, "socket", host);
    Add<Close>(properties, "close", host);
    Add<Attach<nn_bind>>(properties, "bind", host);
    Add<Attach<nn_connect>>(properties, "connect", host);
    Add<Shutdown>(properties, "shutdown", host);
    Add<Address>(properties, "address", host);
    Add<SetOption>(properties, "setOption", host);
    Add<GetOption>(properties, "getOption", host);
    Add<Name>(properties, "name", host);
    Add<Statistic>(properties, "statistic", host);
    Add<Monitor>(properties, "monitor", host);
    Add<NextEvent>(properties, "nextEvent", host);
    Add<Peer>(properties, "peer", host);
    Add<StrError>(properties, "strerror", host);
    Add<SetReferenced>(properties, "setReferenced", host);
}

} // namespace nanomsg_native
