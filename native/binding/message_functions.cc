// Sending and receiving. The hot path: plain node_api.h, no object per small message, and no conversion that
// allocates.
#include "chunk_buffer.h"
#include "functions.h"
#include "gathered.h"
#include "host.h"
#include "parts.h"

#include <cerrno>
#include <cstring>

namespace nanomsg_native
{

namespace
{

// Longer bodies that are not in a slab are handed over as they are; shorter ones are cheaper to copy.
constexpr size_t kHandOverBytes = 4 * 1024;

// Marks in place of a slab's token.
constexpr int32_t kInBodies = -1;
constexpr int32_t kEmpty = -2;
constexpr int32_t kSharedInBodies = -3;

template <size_t count> Host *ReadIntegers(napi_env env, napi_callback_info info, int32_t (&integers)[count])
{
    napi_value values[count];
    size_t given = count;
    void *host;
    napi_get_cb_info(env, info, &given, values, nullptr, &host);
    for (size_t i = 0; i < count; i++) {
        if (napi_get_value_int32(env, values[i], &integers[i]) != napi_ok)
            integers[i] = -1;
    }
    return static_cast<Host *>(host);
}

napi_value Integer(napi_env env, int32_t integer)
{
    napi_value value = nullptr;
    napi_create_int32(env, integer, &value);
    return value;
}

int32_t SendOne(int s, const uint8_t *body, size_t size_bytes, int32_t context)
{
    const nn_outgoing message = {body, size_bytes, nullptr, static_cast<uint32_t>(context)};
    return nn_socket_send_batch(s, &message, 1, 0) < 0 ? -nn_errno() : 0;
}

// send(s, offset, length, context): sends a body that lies in `outgoing`, now or not at all. Returns 0 or -errno.
napi_value Send(napi_env env, napi_callback_info info)
{
    int32_t arguments[4];
    const Host &host = *ReadIntegers(env, info, arguments);
    if (!IsInOutgoing(host, arguments[1], arguments[2]))
        return Integer(env, -EFAULT);
    return Integer(env, SendOne(arguments[0], host.outgoing.elements + arguments[1], static_cast<size_t>(arguments[2]),
                                arguments[3]));
}

struct Part {
    void *bytes;
    size_t size_bytes;
};

bool ReadPart(napi_env env, napi_value value, Part *part)
{
    napi_typedarray_type type;
    return napi_get_typedarray_info(env, value, &type, &part->size_bytes, &part->bytes, nullptr, nullptr) == napi_ok &&
           type == napi_uint8_array;
}

// Joins the elements of an array in memory of the engine. Returns nullptr and sets errno when it cannot.
void *JoinParts(napi_env env, napi_value array, size_t *size_bytes)
{
    Parts parts;
    if (const int error = parts.Read(env, array); error != 0) {
        errno = error;
        return nullptr;
    }
    auto *const joined = static_cast<uint8_t *>(nn_allocmsg(parts.size_bytes(), 0));
    if (joined == nullptr)
        return nullptr;
    uint8_t *to = joined;
    for (const nn_iovec &part : parts) {
        if (part.iov_len > 0)
            std::memcpy(to, part.iov_base, part.iov_len);
        to += part.iov_len;
    }
    *size_bytes = parts.size_bytes();
    return joined;
}

int32_t SendParts(napi_env env, int s, napi_value array, int32_t context)
{
    size_t size_bytes;
    void *const joined = JoinParts(env, array, &size_bytes);
    if (joined == nullptr)
        return -errno;
    const nn_outgoing message = {joined, size_bytes, nn_chunk_of(joined), static_cast<uint32_t>(context)};
    if (nn_socket_send_batch(s, &message, 1, 0) > 0)
        return 0;
    const int error = nn_errno();
    nn_freemsg(joined);
    return -error;
}

// sendBody(s, bytes or an array of them, context): the same for a body of the caller's.
napi_value SendBody(napi_env env, napi_callback_info info)
{
    napi_value arguments[3];
    size_t count = 3;
    int32_t s;
    int32_t context;
    bool is_array = false;
    Part body;
    napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
    if (napi_get_value_int32(env, arguments[0], &s) != napi_ok ||
        napi_get_value_int32(env, arguments[2], &context) != napi_ok ||
        napi_is_array(env, arguments[1], &is_array) != napi_ok)
        return Integer(env, -EFAULT);
    if (is_array)
        return Integer(env, SendParts(env, s, arguments[1], context));
    if (!ReadPart(env, arguments[1], &body))
        return Integer(env, -EFAULT);
    return Integer(env, SendOne(s, static_cast<uint8_t *>(body.bytes), body.size_bytes, context));
}

// sendTogether(s, first, count): sends the messages of `count` records from the first one on, of one socket, when a
// peer takes the first message; then the rest may wait in the socket. Returns how many were taken, or -errno.
napi_value SendTogether(napi_env env, napi_callback_info info)
{
    int32_t arguments[3];
    Host &host = *ReadIntegers(env, info, arguments);
    const int s = arguments[0];
    const auto first = static_cast<size_t>(arguments[1]);
    const auto count = static_cast<size_t>(arguments[2]);
    if (first >= host.outgoing_batch.size() || count > host.outgoing_batch.size() - first)
        return Integer(env, -EFAULT);

    nn_outgoing *const batch = host.outgoing_batch.data();
    for (size_t i = 0; i < count; i++) {
        const int32_t *const record = host.records.elements + kRecordNumbers * (first + i);
        if (!IsInOutgoing(host, record[1], record[2]))
            return Integer(env, -EFAULT);
        batch[i] = {host.outgoing.elements + record[1], static_cast<size_t>(record[2]), nullptr, 0};
    }
    const int taken = nn_socket_send_batch(s, batch, static_cast<int>(count), 0);
    if (taken < 0)
        return Integer(env, -nn_errno());
    const int rest = static_cast<int>(count) - taken;
    const int kept = rest > 0 ? nn_socket_send_batch(s, batch + taken, rest, SIZE_MAX) : 0;
    return Integer(env, taken + (kept > 0 ? kept : 0));
}

// flush(count): sends what the records of `outgoing` name; what no peer takes now waits in the socket.
napi_value Flush(napi_env env, napi_callback_info info)
{
    int32_t arguments[1];
    Host &host = *ReadIntegers(env, info, arguments);
    return Integer(env, SendGathered(host, arguments[0] < 0 ? 0 : static_cast<size_t>(arguments[0])));
}

// Makes a Buffer of the message's memory, and returns what stands in place of a slab's token. A message without other
// references can be transferred.
int32_t HandOver(napi_env env, Host *host, const nn_received &message, napi_value *buffer)
{
    host->young_memory()->NoteGiven(env, message.body_bytes);
    MessageMemory *const messages = host->messages(env);
    void *const body = messages != nullptr ? nn_received_claim(&message) : nullptr;
    if (body == nullptr) {
        if (!MakeBuffer(env, message.chunk, message.body, message.body_bytes, buffer))
            *buffer = nullptr;
        return kSharedInBodies;
    }
    const Made made = messages->GiveBuffer(env, body, message.body_bytes, buffer);
    if (made == Made::kNothing)
        *buffer = nullptr;
    return made == Made::kView ? kInBodies : kSharedInBodies;
}

// Places a copy of the message: one that lies in memory of another environment, or is not worth an object of its own.
bool PlaceCopy(napi_env env, Host *host, const nn_received &message, napi_value bodies, uint32_t index, int32_t *to)
{
    uint32_t token;
    size_t offset;
    if (message.body_bytes < kHandOverBytes && host->CopyToSlab(message.body, message.body_bytes, &token, &offset)) {
        to[0] = static_cast<int32_t>(token);
        to[1] = static_cast<int32_t>(offset);
        return true;
    }
    napi_value buffer;
    to[0] = kSharedInBodies;
    return CopyToBuffer(env, message.body, message.body_bytes, &buffer) &&
           napi_set_element(env, bodies, index, buffer) == napi_ok;
}

// Says where JavaScript finds the message. Consumes the reference to its chunk. Returns 0 or an errno.
int Place(napi_env env, Host *host, const nn_received &message, napi_value bodies, uint32_t index, int32_t *to)
{
    bool is_placed = true;
    to[2] = static_cast<int32_t>(message.body_bytes);
    if (message.body_bytes == 0) {
        to[0] = kEmpty;
    } else if (static_cast<double>(message.body_bytes) > host->max_buffer_bytes) {
        nn_chunk_release(message.chunk);
        return EMSGSIZE;
    } else if (const uint8_t *const begin = host->slabs()->Show(message); begin != nullptr) {
        to[0] = static_cast<int32_t>(message.slab_token);
        to[1] = static_cast<int32_t>(message.body - begin);
    } else if (message.body_bytes >= kHandOverBytes && !message.is_in_slab) {
        napi_value buffer;
        to[0] = HandOver(env, host, message, &buffer);
        return buffer != nullptr && napi_set_element(env, bodies, index, buffer) == napi_ok ? 0 : ENOMEM;
    } else {
        is_placed = PlaceCopy(env, host, message, bodies, index, to);
    }
    if (message.chunk != nullptr)
        nn_chunk_release(message.chunk);
    return is_placed ? 0 : ENOMEM;
}

// Takes messages with one of the engine's functions, and says in `received` where they are. What cannot be placed is
// lost, and the call, or the next one on this socket, fails.
template <int (*take)(int, nn_received *, int)>
napi_value TakeMessages(napi_env env, Host *host, int s, int limit, bool has_context)
{
    const auto capacity = static_cast<int32_t>(host->received_batch.size());
    nn_received *const batch = host->received_batch.data();

    if (const int refusal = host->TakeRefusal(s); refusal != 0)
        return Integer(env, -refusal);
    host->slabs()->RecycleReleased();
    const int count = take(s, batch, limit < capacity ? limit : capacity);
    if (count < 0)
        return Integer(env, -nn_errno());
    host->RenewCopies();

    napi_value bodies = nullptr;
    napi_get_reference_value(env, host->bodies, &bodies);
    int placed = 0;
    int refusal = 0;
    for (int i = 0; i < count; i++) {
        const int error =
            Place(env, host, batch[i], bodies, static_cast<uint32_t>(placed), host->received.elements + 3 * placed);
        if (error != 0) {
            refusal = error;
            continue;
        }
        if (has_context) {
            const bool is_lost = batch[i].lost != 0;
            const auto context = static_cast<int32_t>(batch[i].context);
            host->contexts.elements[2 * placed] = is_lost ? -context : context;
            host->contexts.elements[2 * placed + 1] = static_cast<int32_t>(is_lost ? batch[i].lost : batch[i].pipe);
        }
        placed++;
    }
    if (placed == 0)
        return Integer(env, -refusal);
    if (refusal != 0)
        host->KeepRefusal(s, refusal);
    return Integer(env, placed);
}

// receive(s, limit): takes messages and says in `received` where they are. Returns their number or -errno.
napi_value Receive(napi_env env, napi_callback_info info)
{
    int32_t arguments[2];
    Host *const host = ReadIntegers(env, info, arguments);
    return TakeMessages<nn_socket_receive_batch>(env, host, arguments[0], arguments[1], false);
}

// receiveInContexts(s, limit): the same from all contexts; sets their numbers, and those of the pipes, in `contexts`.
// Of a request that has failed: its number, negative, and how many peers have gone away while they had it.
napi_value ReceiveInContexts(napi_env env, napi_callback_info info)
{
    int32_t arguments[2];
    Host *const host = ReadIntegers(env, info, arguments);
    return TakeMessages<nn_socket_context_receive>(env, host, arguments[0], arguments[1], true);
}

// slabBytes(token, offset, length): a copy of a message that JavaScript could not view in time, because the slab's
// ArrayBuffer was detached. Undefined when there is no memory.
napi_value SlabBytes(napi_env env, napi_callback_info info)
{
    int32_t arguments[3];
    napi_value buffer = nullptr;
    const Host *const host = ReadIntegers(env, info, arguments);
    for (const int32_t argument : arguments) {
        if (argument < 0)
            return nullptr;
    }
    return host->slabs()->Copy(static_cast<uint32_t>(arguments[0]), static_cast<size_t>(arguments[1]),
                               static_cast<size_t>(arguments[2]), &buffer)
               ? buffer
               : nullptr;
}

// closeContext(s, context)
napi_value CloseContext(napi_env env, napi_callback_info info)
{
    int32_t arguments[2];
    ReadIntegers(env, info, arguments);
    return Integer(env,
                   nn_socket_context_close(arguments[0], static_cast<uint32_t>(arguments[1])) < 0 ? -nn_errno() : 0);
}

} // namespace

void AddMessageFunctions(Properties *properties, Host *host)
{
    AddFunction(properties, "send", Send, host);
    AddFunction(properties, "sendBody", SendBody, host);
    AddFunction(properties, "sendTogether", SendTogether, host);
    AddFunction(properties, "flush", Flush, host);
    AddFunction(properties, "receive", Receive, host);
    AddFunction(properties, "receiveInContexts", ReceiveInContexts, host);
    AddFunction(properties, "slabBytes", SlabBytes, host);
    AddFunction(properties, "closeContext", CloseContext, host);
}

} // namespace nanomsg_native
