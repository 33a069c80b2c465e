// Connections that lib/transports/ carries over streams of Node.js: nanomsg/carried.h by numbers.
#include "call.h"
#include "chunk_buffer.h"
#include "host.h"

#include <cerrno>
#include <string>

namespace nanomsg_native
{

namespace
{

constexpr int kPieces = 64;

nn_carried *CarriedAt(const Call &call)
{
    return call.host()->carried.Find(call.IntegerAt(0));
}

// carry(s, address, isBound, id): `id` comes back with the connection's events. Returns its number or -errno.
napi_value Carry(const Call &call)
{
    const std::string address = call.TextAt(1);
    void *const user = reinterpret_cast<void *>(static_cast<intptr_t>(call.IntegerAt(3)));
    nn_carried *const carried = nn_carried_open(call.IntegerAt(0), address.c_str(), call.FlagAt(2), user);
    return call.Number(carried != nullptr ? call.host()->carried.Add(carried) : -nn_errno());
}

// giveCarried(carried, bytes, offset): how many of the bytes behind the offset were taken, or -errno.
napi_value Give(const Call &call)
{
    nn_carried *const carried = CarriedAt(call);
    Bytes bytes;
    const auto offset = static_cast<size_t>(call.IntegerAt(2));
    if (carried == nullptr)
        return call.Failure(EBADF);
    if (!ReadBytes(call.env(), call[1], &bytes) || offset > bytes.count)
        return call.Failure(EFAULT);
    const int64_t taken = nn_carried_give(carried, bytes.begin + offset, bytes.count - offset);
    return call.Number(taken < 0 ? -nn_errno() : static_cast<double>(taken));
}

// Adds a Buffer to the array. Consumes the reference to the piece's chunk.
bool Append(napi_env env, napi_value array, uint32_t index, const nn_carried_piece &piece)
{
    napi_value buffer;
    return MakeBuffer(env, piece.chunk, piece.bytes, piece.size_bytes, &buffer) &&
           napi_set_element(env, array, index, buffer) == napi_ok;
}

// takeCarried(carried): an array of the Buffers that are for the peer.
napi_value Take(const Call &call)
{
    nn_carried *const carried = CarriedAt(call);
    nn_carried_piece pieces[kPieces];
    napi_value result;
    uint32_t length = 0;
    bool is_complete = true;
    int count = carried != nullptr ? kPieces : 0;

    // Nothing is taken for which there is no place.
    if (napi_create_array(call.env(), &result) != napi_ok)
        return nullptr;
    while (count == kPieces) {
        count = nn_carried_take(carried, pieces, kPieces);
        for (int i = 0; i < count; i++)
            is_complete = Append(call.env(), result, length++, pieces[i]) && is_complete;
    }
    if (is_complete)
        return result;
    // A stream that lacks some of its bytes is of no use.
    nn_carried_end(carried, true);
    return napi_create_array(call.env(), &result) == napi_ok ? result : nullptr;
}

// endCarried(carried, isBroken): the stream has ended.
napi_value End(const Call &call)
{
    if (nn_carried *const carried = CarriedAt(call); carried != nullptr)
        nn_carried_end(carried, call.FlagAt(1));
    return call.Undefined();
}

// muteCarried(carried): the stream takes nothing more.
// closeCarried(carried): what was accepted can be taken as long as the socket lingers.
template <void (*act)(nn_carried *)> napi_value Act(const Call &call)
{
    if (nn_carried *const carried = CarriedAt(call); carried != nullptr)
        act(carried);
    return call.Undefined();
}

// releaseCarried(carried)
napi_value Release(const Call &call)
{
    call.host()->carried.Remove(call.IntegerAt(0));
    return call.Undefined();
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
