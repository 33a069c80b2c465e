// What lib/nn needs beyond the other groups: the functions of the C API on memory of JavaScript and on messages of the
// engine, polling, devices and the table of symbols. None of them waits.
#include "arguments.h"
#include "host.h"

#include <cerrno>
#include <climits>
#include <cstdint>

namespace nanomsg_native
{

namespace
{

using Message = MessageMemory::Message;

Napi::Value Result(const Napi::CallbackInfo &info, int rc)
{
    return Napi::Number::New(info.Env(), rc < 0 ? -nn_errno() : rc);
}

Napi::Value Failure(const Napi::CallbackInfo &info, int error)
{
    return Napi::Number::New(info.Env(), -error);
}

struct Bytes {
    uint8_t *begin = nullptr;
    size_t count = 0;
};

bool ReadBytes(napi_env env, napi_value value, Bytes *bytes)
{
    napi_typedarray_type type;
    void *begin;
    if (napi_get_typedarray_info(env, value, &type, &bytes->count, &begin, nullptr, nullptr) != napi_ok ||
        type != napi_uint8_array)
        return false;
    bytes->begin = static_cast<uint8_t *>(begin);
    if (bytes->begin == nullptr)
        bytes->count = 0;
    return true;
}

// ---- Messages of the engine ----

// allocMessage(size): an ArrayBuffer, or -errno.
Napi::Value AllocMessage(const Napi::CallbackInfo &info)
{
    MessageMemory *const messages = HostOf(info)->messages(info.Env());
    if (messages == nullptr)
        return Failure(info, ENOTSUP);
    const int64_t size_bytes = info[0].As<Napi::Number>().Int64Value();
    void *const body = nn_allocmsg(static_cast<size_t>(size_bytes), 0);
    napi_value memory = nullptr;
    if (body != nullptr)
        memory = messages->Give(info.Env(), body, static_cast<size_t>(size_bytes));
    return memory != nullptr ? Napi::Value(info.Env(), memory) : Failure(info, ENOMEM);
}

Message *MessageAt(const Napi::CallbackInfo &info, size_t index)
{
    MessageMemory *const messages = HostOf(info)->messages(info.Env());
    return messages != nullptr ? messages->Find(info.Env(), info[index]) : nullptr;
}

// reallocMessage(message, size): another ArrayBuffer, or -errno.
Napi::Value ReallocMessage(const Napi::CallbackInfo &info)
{
    MessageMemory *const messages = HostOf(info)->messages(info.Env());
    Message *const message = MessageAt(info, 0);
    if (message == nullptr)
        return Failure(info, EFAULT);
    const auto size_bytes = static_cast<size_t>(info[1].As<Napi::Number>().Int64Value());
    void *const body = nn_reallocmsg(MessageMemory::BodyOf(*message), size_bytes);
    if (body == nullptr)
        return Result(info, -1);
    messages->Forget(info.Env(), info[0], message);
    const napi_value memory = messages->Give(info.Env(), body, size_bytes);
    return memory != nullptr ? Napi::Value(info.Env(), memory) : Failure(info, ENOMEM);
}

// freeMessage(message): 0 or -errno.
Napi::Value FreeMessage(const Napi::CallbackInfo &info)
{
    Message *const message = MessageAt(info, 0);
    if (message == nullptr)
        return Failure(info, EFAULT);
    void *const body = MessageMemory::BodyOf(*message);
    HostOf(info)->messages(info.Env())->Forget(info.Env(), info[0], message);
    return Result(info, nn_freemsg(body));
}

// sendMessage(s, message): its length, or -errno and the message stays.
Napi::Value SendMessage(const Napi::CallbackInfo &info)
{
    Message *const message = MessageAt(info, 1);
    if (message == nullptr)
        return Failure(info, EFAULT);
    if (MessageMemory::SizeOf(*message) > INT_MAX)
        return Failure(info, EMSGSIZE);
    void *const body = MessageMemory::BodyOf(*message);
    const int rc = nn_send(IntegerAt(info, 0), &body, NN_MSG, NN_DONTWAIT);
    if (rc >= 0)
        HostOf(info)->messages(info.Env())->Forget(info.Env(), info[1], message);
    return Result(info, rc);
}

// receiveMessage(s): an ArrayBuffer, with the message's length in received[0]; or -errno.
Napi::Value ReceiveMessage(const Napi::CallbackInfo &info)
{
    Host *const host = HostOf(info);
    MessageMemory *const messages = host->messages(info.Env());
    if (messages == nullptr)
        return Failure(info, ENOTSUP);
    void *body = nullptr;
    const int rc = nn_recv(IntegerAt(info, 0), &body, NN_MSG, NN_DONTWAIT);
    if (rc < 0)
        return Result(info, rc);
    host->received.elements[0] = rc;
    const napi_value memory = messages->Give(info.Env(), body, static_cast<size_t>(rc));
    return memory != nullptr ? Napi::Value(info.Env(), memory) : Failure(info, ENOMEM);
}

// ---- Memory of JavaScript ----

// queueBody(s, bytes): sends them; what no peer can take now waits in the socket. Returns 0 or -errno.
Napi::Value QueueBody(const Napi::CallbackInfo &info)
{
    Bytes bytes;
    if (!ReadBytes(info.Env(), info[1], &bytes))
        return Failure(info, EFAULT);
    nn_outgoing message = {};
    message.body = bytes.begin;
    message.body_bytes = bytes.count;
    return Result(info, nn_socket_send_batch(IntegerAt(info, 0), &message, 1, SIZE_MAX) < 0 ? -1 : 0);
}

// receiveInto(s, bytes): the length of the message, of which what does not fit is lost; or -errno.
Napi::Value ReceiveInto(const Napi::CallbackInfo &info)
{
    Bytes bytes;
    if (!ReadBytes(info.Env(), info[1], &bytes))
        return Failure(info, EFAULT);
    return Result(info, nn_recv(IntegerAt(info, 0), bytes.begin, bytes.count, NN_DONTWAIT));
}

// optionBytes(s, level, option, bytes): the length of the value, of which as much as fits is copied; or -errno.
Napi::Value OptionBytes(const Napi::CallbackInfo &info)
{
    Bytes bytes;
    if (!ReadBytes(info.Env(), info[3], &bytes))
        return Failure(info, EFAULT);
    size_t size = bytes.count;
    const int rc = nn_getsockopt(IntegerAt(info, 0), IntegerAt(info, 1), IntegerAt(info, 2), bytes.begin, &size);
    return Result(info, rc < 0 ? rc : static_cast<int>(size));
}

// The pieces of a message that is described by a nn_msghdr.
bool ReadPieces(const Napi::CallbackInfo &info, const Napi::Value &value, std::vector<nn_iovec> *pieces)
{
    if (!value.IsArray())
        return false;
    const auto array = value.As<Napi::Array>();
    for (uint32_t i = 0; i < array.Length(); i++) {
        Bytes bytes;
        if (!ReadBytes(info.Env(), array.Get(i), &bytes))
            return false;
        pieces->push_back({bytes.begin, bytes.count});
    }
    return true;
}

// sendPieces(s, pieces, control): the length of the message, or -errno. `control` may be undefined.
Napi::Value SendPieces(const Napi::CallbackInfo &info)
{
    std::vector<nn_iovec> pieces;
    Bytes control;
    if (!ReadPieces(info, info[1], &pieces) || (!info[2].IsUndefined() && !ReadBytes(info.Env(), info[2], &control)))
        return Failure(info, EFAULT);
    const nn_msghdr header = {pieces.data(), static_cast<int>(pieces.size()), control.begin, control.count};
    return Result(info, nn_sendmsg(IntegerAt(info, 0), &header, NN_DONTWAIT));
}

// sendDescribed(s, message, control): the same for a message of the engine's, which is taken.
Napi::Value SendDescribed(const Napi::CallbackInfo &info)
{
    Message *const message = MessageAt(info, 1);
    Bytes control;
    if (message == nullptr || (!info[2].IsUndefined() && !ReadBytes(info.Env(), info[2], &control)))
        return Failure(info, EFAULT);
    if (MessageMemory::SizeOf(*message) > INT_MAX)
        return Failure(info, EMSGSIZE);
    void *body = MessageMemory::BodyOf(*message);
    nn_iovec piece = {&body, NN_MSG};
    const nn_msghdr header = {&piece, 1, control.begin, control.count};
    const int rc = nn_sendmsg(IntegerAt(info, 0), &header, NN_DONTWAIT);
    if (rc >= 0)
        HostOf(info)->messages(info.Env())->Forget(info.Env(), info[1], message);
    return Result(info, rc);
}

// The length of control data in memory of the engine.
size_t ControlBytes(void *control)
{
    const nn_msghdr header = {nullptr, 0, &control, NN_MSG};
    size_t size_bytes = 0;
    for (nn_cmsghdr *record = NN_CMSG_FIRSTHDR(&header); record != nullptr; record = NN_CMSG_NXTHDR(&header, record))
        size_bytes += NN_CMSG_ALIGN_(record->cmsg_len);
    return size_bytes;
}

// receiveDescribed(s, pieces, out): the length of the message, or -errno. Without pieces, out[0] gets an ArrayBuffer of
// the message; out[1] gets one of the control data, when there is such an element.
Napi::Value ReceiveDescribed(const Napi::CallbackInfo &info)
{
    const Napi::Env env = info.Env();
    MessageMemory *const messages = HostOf(info)->messages(env);
    auto out = info[2].As<Napi::Array>();
    const bool is_whole = info[1].IsUndefined();
    const bool has_control = out.Length() > 1;
    std::vector<nn_iovec> pieces;
    void *body = nullptr;
    void *control = nullptr;
    if ((is_whole || has_control) && messages == nullptr)
        return Failure(info, ENOTSUP);
    if (is_whole)
        pieces.push_back({&body, NN_MSG});
    else if (!ReadPieces(info, info[1], &pieces))
        return Failure(info, EFAULT);

    nn_msghdr header = {pieces.data(), static_cast<int>(pieces.size()), has_control ? &control : nullptr, NN_MSG};
    const int rc = nn_recvmsg(IntegerAt(info, 0), &header, NN_DONTWAIT);
    if (rc < 0)
        return Result(info, rc);
    const napi_value body_memory = is_whole ? messages->Give(env, body, static_cast<size_t>(rc)) : env.Undefined();
    const napi_value control_memory =
        has_control ? messages->Give(env, control, ControlBytes(control)) : env.Undefined();
    if (body_memory == nullptr || control_memory == nullptr)
        return Failure(info, ENOMEM);
    if (is_whole)
        out.Set(0u, body_memory);
    if (has_control)
        out.Set(1u, control_memory);
    return Napi::Number::New(env, rc);
}

// ---- Several sockets ----

// poll(entries, count): triples of descriptor, events, and what becomes of them. Returns how many are ready, or -errno.
Napi::Value Poll(const Napi::CallbackInfo &info)
{
    auto entries = info[0].As<Napi::Int32Array>();
    const auto count = static_cast<size_t>(IntegerAt(info, 1));
    std::vector<nn_pollfd> polled(count);
    for (size_t i = 0; i < count; i++)
        polled[i] = {entries[3 * i], static_cast<short>(entries[3 * i + 1]), 0};
    const int rc = nn_poll(polled.data(), static_cast<int>(count), 0);
    for (size_t i = 0; i < count && rc > 0; i++)
        entries.Data()[3 * i + 2] = polled[i].revents;
    return Result(info, rc);
}

// openDevice(s1, s2): the number of a device, or -errno.
Napi::Value OpenDevice(const Napi::CallbackInfo &info)
{
    nn_forwarder *const forwarder = nn_forwarder_create(IntegerAt(info, 0), IntegerAt(info, 1));
    return Result(info, forwarder != nullptr ? HostOf(info)->forwarders.Add(forwarder) : -1);
}

// runDevice(device, budget): the number of messages that it forwarded, with the milliseconds to wait for more in
// received[0]; or -errno, and it has ended.
Napi::Value RunDevice(const Napi::CallbackInfo &info)
{
    Host *const host = HostOf(info);
    nn_forwarder *const forwarder = host->forwarders.Find(IntegerAt(info, 0));
    if (forwarder == nullptr)
        return Failure(info, EBADF);
    int wait_ms = -1;
    const int rc = nn_forwarder_run(forwarder, IntegerAt(info, 1), &wait_ms);
    const Napi::Value result = Result(info, rc);
    host->received.elements[0] = wait_ms;
    if (rc < 0)
        host->forwarders.Remove(IntegerAt(info, 0));
    return result;
}

// closeDevice(device): ends one that was never run.
Napi::Value CloseDevice(const Napi::CallbackInfo &info)
{
    HostOf(info)->forwarders.Remove(IntegerAt(info, 0));
    return info.Env().Undefined();
}

// ---- The library ----

// symbol(i, properties): the name of the constant, and its value, namespace, type and unit; undefined when there are no
// more.
Napi::Value Symbol(const Napi::CallbackInfo &info)
{
    auto to = info[1].As<Napi::Int32Array>();
    nn_symbol_properties properties;
    if (nn_symbol_info(IntegerAt(info, 0), &properties, sizeof properties) == 0)
        return info.Env().Undefined();
    to.Data()[0] = properties.value;
    to.Data()[1] = properties.ns;
    to.Data()[2] = properties.type;
    to.Data()[3] = properties.unit;
    return Napi::String::New(info.Env(), properties.name);
}

// term(): closes all sockets of the process.
Napi::Value Term(const Napi::CallbackInfo &info)
{
    nn_term();
    return info.Env().Undefined();
}

// disown(s): somebody else has closed the socket: the number may be a stranger's when the environment ends.
Napi::Value Disown(const Napi::CallbackInfo &info)
{
    HostOf(info)->RemoveSocket(IntegerAt(info, 0));
    return info.Env().Undefined();
}

} // namespace

void AddCFunctions(Properties *properties, Host *host)
{
    Add<AllocMessage>(properties, "allocMessage", host);
    Add<ReallocMessage>(properties, "reallocMessage", host);
    Add<FreeMessage>(properties, "freeMessage", host);
    Add<SendMessage>(properties, "sendMessage", host);
    Add<ReceiveMessage>(properties, "receiveMessage", host);
    Add<QueueBody>(properties, "queueBody", host);
    Add<ReceiveInto>(properties, "receiveInto", host);
    Add<OptionBytes>(properties, "optionBytes", host);
    Add<SendPieces>(properties, "sendPieces", host);
    Add<SendDescribed>(properties, "sendDescribed", host);
    Add<ReceiveDescribed>(properties, "receiveDescribed", host);
    Add<Poll>(properties, "poll", host);
    Add<OpenDevice>(properties, "openDevice", host);
    Add<RunDevice>(properties, "runDevice", host);
    Add<CloseDevice>(properties, "closeDevice", host);
    Add<Symbol>(properties, "symbol", host);
    Add<Term>(properties, "term", host);
    Add<Disown>(properties, "disown", host);
}

} // namespace nanomsg_native
