// Opening, closing, endpoints, options. JavaScript has checked the types; the engine checks the values.
#include "call.h"
#include "host.h"

#include <nanomsg/admission.h>
#include <nanomsg/ipc.h>
#include <nanomsg/statistics.h>
#include <nanomsg/tls.h>

#include <cerrno>
#include <string>

namespace nanomsg_native
{

namespace
{

constexpr size_t kUsualFactBytes = 2048;     // most certificates and headers are shorter
constexpr size_t kLongestAddressBytes = 256; // more than NN_SOCKADDR_MAX, with what a bound address may add

int ErrnoOr(int rc)
{
    return rc < 0 ? -nn_errno() : rc;
}

// socket(domain, protocol, id): `id` comes back with the socket's events. Returns a handle: other threads may close the
// socket's number, and get it for another one. All functions take a handle or a number.
napi_value Socket(const Call &call)
{
    Host *const host = call.host();
    if (const int rc = host->OpenLoop(); rc < 0)
        return call.Number(rc);
    void *const user = reinterpret_cast<void *>(static_cast<intptr_t>(call.IntegerAt(2)));
    const int s = nn_loop_socket(host->loop(), call.IntegerAt(0), call.IntegerAt(1), user);
    const int handle = ErrnoOr(s < 0 ? s : nn_socket_handle(s));
    if (handle >= 0)
        host->AddSocket(handle);
    return call.Number(handle);
}

// close(s): what was accepted is delivered while the socket lingers; then NN_LOOP_CLOSED is reported.
napi_value Close(const Call &call)
{
    const int s = call.IntegerAt(0);
    call.host()->RemoveSocket(s);
    return call.Number(ErrnoOr(nn_close(s)));
}

// An address with a NUL in it would be taken for a shorter one.
template <int (*attach)(int, const char *)> napi_value Attach(const Call &call)
{
    const std::string address = call.TextAt(1);
    const int endpoint =
        address.find('\0') == std::string::npos ? ErrnoOr(attach(call.IntegerAt(0), address.c_str())) : -EINVAL;
    return call.Number(endpoint);
}

// shutdown(s, endpoint)
napi_value Shutdown(const Call &call)
{
    return call.Number(ErrnoOr(nn_shutdown(call.IntegerAt(0), call.IntegerAt(1))));
}

// renewTls(s, endpoint): its connections from now on follow the options of TLS. Returns 0 or -errno.
napi_value RenewTls(const Call &call)
{
    return call.Number(ErrnoOr(nn_endpoint_renew_tls(call.IntegerAt(0), call.IntegerAt(1))));
}

// address(s, endpoint): where it is bound or connected, or -errno.
napi_value Address(const Call &call)
{
    char address[kLongestAddressBytes];
    const int length = nn_endpoint_address(call.IntegerAt(0), call.IntegerAt(1), address, sizeof address);
    if (length < 0)
        return call.Failure(nn_errno());
    return call.Text(address, static_cast<size_t>(length));
}

// setOption(s, level, option, value): a number, or the bytes of a Uint8Array. Returns 0 or -errno.
napi_value SetOption(const Call &call)
{
    const int s = call.IntegerAt(0);
    const int level = call.IntegerAt(1);
    const int option = call.IntegerAt(2);
    int rc;
    if (call.Is(3, napi_number)) {
        const int value = call.IntegerAt(3);
        rc = nn_setsockopt(s, level, option, &value, sizeof value);
    } else if (Bytes bytes; ReadBytes(call.env(), call[3], &bytes)) {
        rc = nn_setsockopt(s, level, option, bytes.count > 0 ? bytes.begin : nullptr, bytes.count);
    } else {
        return call.Failure(EINVAL);
    }
    return call.Number(ErrnoOr(rc));
}

// { value }, since a number alone may be an errno.
napi_value ValueObject(const Call &call, double value)
{
    ObjectMaker result(call);
    result.AddNumber("value", value);
    return call.Made(result.Make());
}

// getOption(s, level, option): { value } of an integer option, or -errno.
napi_value GetOption(const Call &call)
{
    int value = 0;
    size_t size = sizeof value;
    if (nn_getsockopt(call.IntegerAt(0), call.IntegerAt(1), call.IntegerAt(2), &value, &size) < 0)
        return call.Failure(nn_errno());
    return ValueObject(call, value);
}

// name(s): the value of NN_SOCKET_NAME, or -errno.
napi_value Name(const Call &call)
{
    char name[64];
    size_t size = sizeof name;
    if (nn_getsockopt(call.IntegerAt(0), NN_SOL_SOCKET, NN_SOCKET_NAME, name, &size) < 0)
        return call.Failure(nn_errno());
    return call.Text(name, size < sizeof name ? size : sizeof name);
}

// statistic(s, id): { value } of a counter, or -errno.
napi_value Statistic(const Call &call)
{
    errno = 0; // what fails and a priority of -1 look alike
    const uint64_t value = nn_get_statistic(call.IntegerAt(0), call.IntegerAt(1));
    if (value == UINT64_MAX && nn_errno() != 0)
        return call.Failure(nn_errno());
    return ValueObject(call, static_cast<double>(static_cast<int64_t>(value)));
}

// monitor(s, isOn): whether events of connections are kept for nextEvent().
napi_value Monitor(const Call &call)
{
    return call.Number(ErrnoOr(nn_socket_monitor(call.IntegerAt(0), call.FlagAt(1))));
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
void AddPeer(const Call &call, ObjectMaker *event, int s)
{
    nn_ipc_credentials process;
    size_t size = sizeof process;
    if (nn_socket_event_peer(s, NN_PEER_CREDENTIALS, &process, &size) == 0) {
        ObjectMaker credentials(call);
        credentials.AddNumber("pid", process.pid);
        credentials.AddNumber("uid", process.uid);
        credentials.AddNumber("gid", process.gid);
        event->Add("credentials", credentials.Make());
    }
    const std::string headers = FactOf(s, NN_PEER_HEADERS);
    if (!headers.empty())
        event->AddBytes("headers", headers);
    const std::string certificate = FactOf(s, NN_PEER_CERTIFICATE);
    if (!certificate.empty())
        event->AddBytes("certificate", certificate);
    const std::string problem = FactOf(s, NN_PEER_PROBLEM);
    if (!problem.empty())
        event->AddText("problem", problem.data(), problem.size());
}

// The event that was taken last.
napi_value EventObject(const Call &call, int s, const nn_event &event)
{
    ObjectMaker result(call);
    result.AddNumber("type", event.type);
    result.AddNumber("endpoint", event.endpoint);
    result.AddFlag("isBound", event.is_bound);
    result.AddNumber("error", event.error);
    result.AddNumber("protocol", event.protocol);
    result.AddNumber("pipe", event.pipe);
    result.AddNumber("lost", static_cast<double>(event.lost));
    result.AddNumber("ageMs", static_cast<double>(event.age_ms));
    result.AddText("address", event.address);
    result.AddText("localAddress", event.local_address);
    result.AddText("remoteAddress", event.remote_address);
    if (event.type == NN_EVENT_SLOW) {
        result.AddNumber("messagesDropped", static_cast<double>(event.messages_dropped));
        result.AddNumber("bytesDropped", static_cast<double>(event.bytes_dropped));
        result.AddNumber("queuedBytes", static_cast<double>(event.queued_bytes));
    }
    AddPeer(call, &result, s);
    return call.Made(result.Make());
}

// nextEvent(s): the oldest event of a connection, 0 when there is none, or -errno.
napi_value NextEvent(const Call &call)
{
    nn_event event;
    const int rc = ErrnoOr(nn_socket_next_event(call.IntegerAt(0), &event));
    return rc == 1 ? EventObject(call, call.IntegerAt(0), event) : call.Number(rc);
}

// peer(s, pipe): the event that describes a connection's peer, or -errno.
napi_value Peer(const Call &call)
{
    nn_event event;
    const int rc = ErrnoOr(nn_socket_peer(call.IntegerAt(0), static_cast<uint32_t>(call.IntegerAt(1)), &event));
    return rc == 0 ? EventObject(call, call.IntegerAt(0), event) : call.Number(rc);
}

// pipes(s, array): fills an Int32Array with the numbers of connections, and returns how many there are, or -errno.
napi_value Pipes(const Call &call)
{
    void *numbers = nullptr;
    size_t count = 0;
    napi_typedarray_type type;
    if (napi_get_typedarray_info(call.env(), call[1], &type, &count, &numbers, nullptr, nullptr) != napi_ok ||
        type != napi_int32_array)
        return call.Failure(EINVAL);
    return call.Number(
        ErrnoOr(nn_socket_pipes(call.IntegerAt(0), static_cast<uint32_t *>(numbers), static_cast<int>(count))));
}

// pipeStatistics(s, pipe): what has gone through a connection, or -errno.
napi_value PipeStatistics(const Call &call)
{
    nn_pipe_statistics told;
    if (nn_socket_pipe_statistics(call.IntegerAt(0), static_cast<uint32_t>(call.IntegerAt(1)), &told) < 0)
        return call.Failure(nn_errno());
    ObjectMaker result(call);
    result.AddNumber("ageMs", static_cast<double>(told.age_ms));
    result.AddNumber("messagesSent", static_cast<double>(told.messages_sent));
    result.AddNumber("bytesSent", static_cast<double>(told.bytes_sent));
    result.AddNumber("messagesReceived", static_cast<double>(told.messages_received));
    result.AddNumber("bytesReceived", static_cast<double>(told.bytes_received));
    result.AddNumber("messagesDropped", static_cast<double>(told.messages_dropped));
    result.AddNumber("bytesDropped", static_cast<double>(told.bytes_dropped));
    result.AddNumber("queuedBytes", static_cast<double>(told.queued_bytes));
    return call.Made(result.Make());
}

// nextCandidate(s): the next peer that is held, 0 when there is none, or -errno.
napi_value NextCandidate(const Call &call)
{
    nn_event event;
    const int rc = ErrnoOr(nn_socket_next_candidate(call.IntegerAt(0), &event, 0));
    return rc == 1 ? EventObject(call, call.IntegerAt(0), event) : call.Number(rc);
}

// admit(s, pipe, refusal): decides about such a peer; without a text it is admitted. Returns 0 or -errno.
napi_value Admit(const Call &call)
{
    const auto pipe = static_cast<uint32_t>(call.IntegerAt(1));
    if (!call.Is(2, napi_string))
        return call.Number(ErrnoOr(nn_socket_admit(call.IntegerAt(0), pipe, nullptr)));
    return call.Number(ErrnoOr(nn_socket_admit(call.IntegerAt(0), pipe, call.TextAt(2).c_str())));
}

// disconnect(s, pipe): ends a connection. Returns 0 or -errno.
napi_value Disconnect(const Call &call)
{
    return call.Number(ErrnoOr(nn_socket_disconnect(call.IntegerAt(0), static_cast<uint32_t>(call.IntegerAt(1)))));
}

// lastFailure(s): the event that describes it, 0 when there is none, or -errno.
napi_value LastFailure(const Call &call)
{
    nn_event event;
    const int rc = ErrnoOr(nn_socket_last_failure(call.IntegerAt(0), &event));
    return rc == 1 ? EventObject(call, call.IntegerAt(0), event) : call.Number(rc);
}

// sentTimes(s, context): how often its request was sent, or -errno.
napi_value SentTimes(const Call &call)
{
    const int64_t count = nn_socket_context_sent(call.IntegerAt(0), static_cast<uint32_t>(call.IntegerAt(1)));
    return call.Number(count < 0 ? -nn_errno() : static_cast<double>(count));
}

// strerror(errno)
napi_value StrError(const Call &call)
{
    return call.Text(nn_strerror(call.IntegerAt(0)));
}

// setReferenced(isReferenced): whether waiting for sockets keeps the process alive.
napi_value SetReferenced(const Call &call)
{
    call.host()->SetReferenced(call.FlagAt(0));
    return call.Undefined();
}

// setListening(isListening): whether any socket listens to events.
napi_value SetListening(const Call &call)
{
    call.host()->SetListening(call.FlagAt(0));
    return call.Undefined();
}

} // namespace

void AddSocketFunctions(Properties *properties, Host *host)
{
    Add<Socket>(properties, "socket", host);
    Add<Close>(properties, "close", host);
    Add<Attach<nn_bind>>(properties, "bind", host);
    Add<Attach<nn_connect>>(properties, "connect", host);
    Add<Shutdown>(properties, "shutdown", host);
    Add<RenewTls>(properties, "renewTls", host);
    Add<Address>(properties, "address", host);
    Add<SetOption>(properties, "setOption", host);
    Add<GetOption>(properties, "getOption", host);
    Add<Name>(properties, "name", host);
    Add<Statistic>(properties, "statistic", host);
    Add<Monitor>(properties, "monitor", host);
    Add<NextEvent>(properties, "nextEvent", host);
    Add<Peer>(properties, "peer", host);
    Add<Pipes>(properties, "pipes", host);
    Add<PipeStatistics>(properties, "pipeStatistics", host);
    Add<NextCandidate>(properties, "nextCandidate", host);
    Add<Admit>(properties, "admit", host);
    Add<Disconnect>(properties, "disconnect", host);
    Add<LastFailure>(properties, "lastFailure", host);
    Add<SentTimes>(properties, "sentTimes", host);
    Add<StrError>(properties, "strerror", host);
    Add<SetReferenced>(properties, "setReferenced", host);
    Add<SetListening>(properties, "setListening", host);
}

} // namespace nanomsg_native
