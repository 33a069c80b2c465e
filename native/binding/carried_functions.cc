// Connections that lib/transports/ carries over streams of Node.js: nanomsg/carried.h by numbers.
#include "arguments.h"
#include "chunk_buffer.h"
#include "host.h"

#include <cerrno>
#include <string>

namespace nanomsg_native
{

namespace
{

constexpr int kPieces = 64;

nn_carried *CarriedAt(const Napi::CallbackInfo &info)
{
    return HostOf(info)->carried.Find(IntegerAt(info, 0));
}

// carry(s, address, isBound, id): `id` comes back with the connection's events. Returns its number or -errno.
Napi::Value Carry(const Napi::CallbackInfo &info)
{
    const std::string address = info[1].ToString();
    void *const user = reinterpret_cast<void *>(static_cast<intptr_t>(IntegerAt(info, 3)));
    nn_carried *const carried = nn_carried_open(IntegerAt(info, 0), address.c_str(), info[2].ToBoolean(), user);
    return Napi::Number::New(info.Env(), carried != nullptr ? HostOf(info)->carried.Add(carried) : -nn_errno());
}

// giveCarried(carried, bytes, offset): how many of the bytes behind the offset were taken, or -errno.
Napi::Value Give(const Napi::CallbackInfo &info)
{
    nn_carried *const carried = CarriedAt(info);
    const auto bytes = info[1].As<Napi::Uint8Array>();
    const auto offset = static_cast<size_t>(IntegerAt(info, 2));
    if (carried == nullptr)
        return Napi::Number::New(info.Env(), -EBADF);
    if (offset > bytes.ByteLength())
        return Napi::Number::New(info.Env(), -EFAULT);
    const int64_t taken = nn_carried_give(carried, bytes.Data() + offset, bytes.ByteLength() - offset);
    return Napi::Number::New(info.Env(), taken < 0 ? -nn_errno() : static_cast<double>(taken));
}

// takeCarried(carried): an array of the Buffers that are for the peer.
Napi::Value Take(const Napi::CallbackInfo &info)
{
    const Napi::Env env = info.Env();
    Napi::Array result = Napi::Array::New(env);
    nn_carried *const carried = CarriedAt(info);
    nn_carried_piece pieces[kPieces];
    uint32_t length = 0;
    bool is_complete = true;
    int count;

    if (carried == nullptr)
        return result;
    do {
        count = nn_carried_take(carried, pieces, kPieces);
        for (int i = 0; i < count; i++) {
            napi_value buffer = nullptr;
            if (MakeBuffer(env, pieces[i].chunk, pieces[i].bytes, pieces[i].size_bytes, &buffer))
                result.Set(length++, Napi::Value(env, buffer));
            else
                is_complete = false;
        }
    } while (count == kPieces);
    // A stream that lacks some of its bytes is of no use.
    if (!is_complete)
        nn_carried_end(carried, true);
    return is_complete ? result : Napi::Array::New(env);
}

// endCarried(carried, isBroken): the stream has ended.
Napi::Value End(const Napi::CallbackInfo &info)
{
    if (nn_carried *const carried = CarriedAt(info); carried != nullptr)
        nn_carried_end(carried, info[1].ToBoolean());
    return info.Env().Undefined();
}

// muteCarried(carried): the stream takes nothing more.
// closeCarried(carried): what was accepted can be taken as long as the socket lingers.
template <void (*act)(nn_carried *)> Napi::Value Act(const Napi::CallbackInfo &info)
{
    if (nn_carried *const carried = CarriedAt(info); carried != nullptr)
        act(carried);
    return info.Env().Undefined();
}

// releaseCarried(carried)
Napi::Value Release(const Napi::CallbackInfo &info)
{
    HostOf(info)->carried.Remove(IntegerAt(info, 0));
    return info.Env().Undefined();
}

} // namespace

void AddCarriedFunctions(Properties *properties, Host *host)
{
    Add<Carry>(properties, "carry", host);
    Add<Give>(properties, "giveCarried", host);
    Add<Take>(properties, "takeCarried", host);
    Add<End>(properties, "endCarried", host);
    Add<Act<nn_carried_mute>>(properties, "muteCarried", host);
    Add<Act<nn_carried_close>>(properties, "closeCarried", host);
    Add<Release>(properties, "releaseCarried", host);
}

} // namespace nanomsg_native
