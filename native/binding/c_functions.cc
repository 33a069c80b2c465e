// What lib/nn needs beyond the other groups: the functions of the C API on memory of JavaScript and on messages of the
// engine, polling, devices and the table of symbols. None of them waits.
#include "call.h"
#include "host.h"
#include "parts.h"

#include <cerrno>
#include <climits>
#include <cstdint>

namespace nanomsg_native
{

namespace
{

using Message = MessageMemory::Message;

napi_value Result(const Call &call, int rc)
{
    return call.Number(rc < 0 ? -nn_errno() : rc);
}

// ---- Messages of the engine ----

// allocMessage(size): an ArrayBuffer, or -errno.
napi_value AllocMessage(const Call &call)
{
    MessageMemory *const messages = call.host()->messages(call.env());
    if (messages == nullptr)
        return call.Failure(ENOTSUP);
    const int64_t size_bytes = call.LongAt(0);
    void *const body = nn_allocmsg(static_cast<size_t>(size_bytes), 0);
    napi_value memory = nullptr;
    if (body != nullptr)
        memory = messages->Give(call.env(), body, static_cast<size_t>(size_bytes));
    return call.Made(memory);
}

Message *MessageAt(const Call &call, size_t index)
{
    MessageMemory *const messages = call.host()->messages(call.env());
    return messages != nullptr ? messages->Find(call.env(), call[index]) : nullptr;
}

// reallocMessage(message, size): another ArrayBuffer, or -errno.
napi_value ReallocMessage(const Call &call)
{
    MessageMemory *const messages = call.host()->messages(call.env());
    Message *const message = MessageAt(call, 0);
    if (message == nullptr)
        return call.Failure(EFAULT);
    const auto size_bytes = static_cast<size_t>(call.LongAt(1));
    void *const body = nn_reallocmsg(MessageMemory::BodyOf(*message), size_bytes);
    if (body == nullptr)
        return Result(call, -1);
    messages->Forget(call.env(), call[0], message);
    const napi_value memory = messages->Give(call.env(), body, size_bytes);
    return call.Made(memory);
}

// freeMessage(message): 0 or -errno.
napi_value FreeMessage(const Call &call)
{
    Message *const message = MessageAt(call, 0);
    if (message == nullptr)
        return call.Failure(EFAULT);
    void *const body = MessageMemory::BodyOf(*message);
    call.host()->messages(call.env())->Forget(call.env(), call[0], message);
    return Result(call, nn_freemsg(body));
}

// sendMessage(s, message): its length, or -errno and the message stays.
napi_value SendMessage(const Call &call)
{
    Message *const message = MessageAt(call, 1);
    if (message == nullptr)
        return call.Failure(EFAULT);
    if (MessageMemory::SizeOf(*message) > INT_MAX)
        return call.Failure(EMSGSIZE);
    void *const body = MessageMemory::BodyOf(*message);
    const int rc = nn_send(call.IntegerAt(0), &body, NN_MSG, NN_DONTWAIT);
    if (rc >= 0)
        call.host()->messages(call.env())->Forget(call.env(), call[1], message);
    return Result(call, rc);
}

// receiveMessage(s): an ArrayBuffer, with the message's length in received[0]; or -errno.
napi_value ReceiveMessage(const Call &call)
{
    Host *const host = call.host();
    MessageMemory *const messages = host->messages(call.env());
    if (messages == nullptr)
        return call.Failure(ENOTSUP);
    void *body = nullptr;
    const int rc = nn_recv(call.IntegerAt(0), &body, NN_MSG, NN_DONTWAIT);
    if (rc < 0)
        return Result(call, rc);
    host->received.elements[0] = rc;
    const napi_value memory = messages->Give(call.env(), body, static_cast<size_t>(rc));
    return call.Made(memory);
}

// ---- Memory of JavaScript ----

// queueBody(s, bytes): sends them; what no peer can take now waits in the socket. Returns 0 or -errno.
napi_value QueueBody(const Call &call)
{
    Bytes bytes;
    if (!ReadBytes(call.env(), call[1], &bytes))
        return call.Failure(EFAULT);
    nn_outgoing message = {};
    message.body = bytes.begin;
    message.body_bytes = bytes.count;
    return Result(call, nn_socket_send_batch(call.IntegerAt(0), &message, 1, SIZE_MAX) < 0 ? -1 : 0);
}

// receiveInto(s, bytes): the length of the message, of which what does not fit is lost; or -errno.
napi_value ReceiveInto(const Call &call)
{
    Bytes bytes;
    if (!ReadBytes(call.env(), call[1], &bytes))
        return call.Failure(EFAULT);
    return Result(call, nn_recv(call.IntegerAt(0), bytes.begin, bytes.count, NN_DONTWAIT));
}

// optionBytes(s, level, option, bytes): the length of the value, of which as much as fits is copied; or -errno.
napi_value OptionBytes(const Call &call)
{
    Bytes bytes;
    if (!ReadBytes(call.env(), call[3], &bytes))
        return call.Failure(EFAULT);
    size_t size = bytes.count;
    const int rc = nn_getsockopt(call.IntegerAt(0), call.IntegerAt(1), call.IntegerAt(2), bytes.begin, &size);
    return Result(call, rc < 0 ? rc : static_cast<int>(size));
}

// sendPieces(s, pieces, control): the length of the message, or -errno. `control` may be undefined.
napi_value SendPieces(const Call &call)
{
    Parts pieces;
    Bytes control;
    if (const int error = pieces.Read(call.env(), call[1]); error != 0)
        return call.Failure(error);
    if (!call.Is(2, napi_undefined) && !ReadBytes(call.env(), call[2], &control))
        return call.Failure(EFAULT);
    const nn_msghdr header = {pieces.data(), static_cast<int>(pieces.count()), control.begin, control.count};
    return Result(call, nn_sendmsg(call.IntegerAt(0), &header, NN_DONTWAIT));
}

// sendDescribed(s, message, control): the same for a message of the engine's, which is taken.
napi_value SendDescribed(const Call &call)
{
    Message *const message = MessageAt(call, 1);
    Bytes control;
    if (message == nullptr || (!call.Is(2, napi_undefined) && !ReadBytes(call.env(), call[2], &control)))
        return call.Failure(EFAULT);
    if (MessageMemory::SizeOf(*message) > INT_MAX)
        return call.Failure(EMSGSIZE);
    void *body = MessageMemory::BodyOf(*message);
    nn_iovec piece = {&body, NN_MSG};
    const nn_msghdr header = {&piece, 1, control.begin, control.count};
    const int rc = nn_sendmsg(call.IntegerAt(0), &header, NN_DONTWAIT);
    if (rc >= 0)
        call.host()->messages(call.env())->Forget(call.env(), call[1], message);
    return Result(call, rc);
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

// An element of the array that is the last argument.
bool SetOut(const Call &call, uint32_t index, napi_value memory)
{
    return memory != nullptr && napi_set_element(call.env(), call[2], index, memory) == napi_ok;
}

// receiveDescribed(s, pieces, out): the length of the message, or -errno. Without pieces, out[0] gets an ArrayBuffer of
// the message; out[1] gets one of the control data, when there is such an element.
napi_value ReceiveDescribed(const Call &call)
{
    const napi_env env = call.env();
    MessageMemory *const messages = call.host()->messages(env);
    const bool is_whole = call.Is(1, napi_undefined);
    uint32_t out_length = 0;
    Parts pieces;
    void *body = nullptr;
    void *control = nullptr;
    if (napi_get_array_length(env, call[2], &out_length) != napi_ok)
        return call.Failure(EFAULT);
    const bool has_control = out_length > 1;
    if ((is_whole || has_control) && messages == nullptr)
        return call.Failure(ENOTSUP);
    if (const int error = is_whole ? 0 : pieces.Read(env, call[1]); error != 0)
        return call.Failure(error);

    nn_iovec whole = {&body, NN_MSG};
    nn_msghdr header = {is_whole ? &whole : pieces.data(), is_whole ? 1 : static_cast<int>(pieces.count()),
                        has_control ? &control : nullptr, NN_MSG};
    const int rc = nn_recvmsg(call.IntegerAt(0), &header, NN_DONTWAIT);
    if (rc < 0)
        return Result(call, rc);
    bool is_given = true;
    if (is_whole)
        is_given = SetOut(call, 0, messages->Give(env, body, static_cast<size_t>(rc)));
    if (has_control)
        is_given = SetOut(call, 1, messages->Give(env, control, ControlBytes(control))) && is_given;
    return is_given ? call.Number(rc) : call.Failure(ENOMEM);
}

// ---- Several sockets ----

// An Int32Array's memory.
struct Integers {
    int32_t *begin;
    size_t count;
};

bool ReadIntegers(const Call &call, size_t index, Integers *integers)
{
    napi_typedarray_type type;
    void *begin;
    if (napi_get_typedarray_info(call.env(), call[index], &type, &integers->count, &begin, nullptr, nullptr) !=
            napi_ok ||
        type != napi_int32_array)
        return false;
    integers->begin = static_cast<int32_t *>(begin);
    if (begin == nullptr)
        integers->count = 0;
    return true;
}

// poll(entries, count): triples of descriptor, events, and what becomes of them. Returns how many are ready, or -errno.
napi_value Poll(const Call &call)
{
    Integers entries;
    const int32_t given = call.IntegerAt(1);
    if (!ReadIntegers(call, 0, &entries) || given < 0 || static_cast<size_t>(given) > entries.count / 3)
        return call.Failure(EFAULT);
    const auto count = static_cast<size_t>(given);
    std::vector<nn_pollfd> polled(count);
    for (size_t i = 0; i < count; i++)
        polled[i] = {entries.begin[3 * i], static_cast<short>(entries.begin[3 * i + 1]), 0};
    const int rc = nn_poll(polled.data(), given, 0);
    for (size_t i = 0; i < count && rc > 0; i++)
        entries.begin[3 * i + 2] = polled[i].revents;
    return Result(call, rc);
}

// openDevice(s1, s2): the number of a device, or -errno.
napi_value OpenDevice(const Call &call)
{
    nn_forwarder *const forwarder = nn_forwarder_create(call.IntegerAt(0), call.IntegerAt(1));
    return Result(call, forwarder != nullptr ? call.host()->forwarders.Add(forwarder) : -1);
}

// runDevice(device, budget): the number of messages that it forwarded, with the milliseconds to wait for more in
// received[0]; or -errno, and it has ended.
napi_value RunDevice(const Call &call)
{
    Host *const host = call.host();
    nn_forwarder *const forwarder = host->forwarders.Find(call.IntegerAt(0));
    if (forwarder == nullptr)
        return call.Failure(EBADF);
    int wait_ms = -1;
    const int rc = nn_forwarder_run(forwarder, call.IntegerAt(1), &wait_ms);
    const napi_value result = Result(call, rc);
    host->received.elements[0] = wait_ms;
    if (rc < 0)
        host->forwarders.Remove(call.IntegerAt(0));
    return result;
}

// closeDevice(device): ends one that was never run.
napi_value CloseDevice(const Call &call)
{
    call.host()->forwarders.Remove(call.IntegerAt(0));
    return call.Undefined();
}

// ---- The library ----

// symbol(i, properties): the name of the constant, and its value, namespace, type and unit; undefined when there are no
// more.
napi_value Symbol(const Call &call)
{
    Integers to;
    nn_symbol_properties properties;
    if (!ReadIntegers(call, 1, &to) || to.count < 4 ||
        nn_symbol_info(call.IntegerAt(0), &properties, sizeof properties) == 0)
        return call.Undefined();
    to.begin[0] = properties.value;
    to.begin[1] = properties.ns;
    to.begin[2] = properties.type;
    to.begin[3] = properties.unit;
    return call.Text(properties.name);
}

// term(): closes all sockets of the process.
napi_value Term(const Call &call)
{
    nn_term();
    return call.Undefined();
}

// disown(s): another thread has closed the socket: its number may be another socket's when the environment ends.
napi_value Disown(const Call &call)
{
    call.host()->RemoveSocket(call.IntegerAt(0));
    return call.Undefined();
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
