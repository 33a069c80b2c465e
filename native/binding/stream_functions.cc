// Connections of lib/connections/ over streams of Node.js: nanomsg/stream.h by numbers.
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

nn_stream *StreamAt(const Call &call)
{
    return call.host()->streams.Find(call.IntegerAt(0));
}

// attachStream(s, address, isBound, id): `id` comes back with the connection's events. Returns its number or -errno.
napi_value Attach(const Call &call)
{
    const std::string address = call.TextAt(1);
    void *const user = reinterpret_cast<void *>(static_cast<intptr_t>(call.IntegerAt(3)));
    nn_stream *const stream = nn_stream_attach(call.IntegerAt(0), address.c_str(), call.FlagAt(2), user);
    return call.Number(stream != nullptr ? call.host()->streams.Add(stream) : -nn_errno());
}

// feedStream(stream, bytes, offset): how many of the bytes behind the offset were taken, or -errno.
napi_value Feed(const Call &call)
{
    nn_stream *const stream = StreamAt(call);
    Bytes bytes;
    const auto offset = static_cast<size_t>(call.IntegerAt(2));
    if (stream == nullptr)
        return call.Failure(EBADF);
    if (!ReadBytes(call.env(), call[1], &bytes) || offset > bytes.count)
        return call.Failure(EFAULT);
    const int64_t taken = nn_stream_feed(stream, bytes.begin + offset, bytes.count - offset);
    return call.Number(taken < 0 ? -nn_errno() : static_cast<double>(taken));
}

// Adds a Buffer to the array. Consumes the reference to the piece's chunk.
bool Append(napi_env env, napi_value array, uint32_t index, const nn_stream_piece &piece)
{
    napi_value buffer;
    return MakeBuffer(env, piece.chunk, piece.bytes, piece.size_bytes, &buffer) &&
           napi_set_element(env, array, index, buffer) == napi_ok;
}

// drainStream(stream): an array of the Buffers that are for the peer.
napi_value Drain(const Call &call)
{
    nn_stream *const stream = StreamAt(call);
    nn_stream_piece pieces[kPieces];
    napi_value result;
    uint32_t length = 0;
    bool is_complete = true;
    int count = stream != nullptr ? kPieces : 0;

    // Nothing is taken for which there is no place.
    if (napi_create_array(call.env(), &result) != napi_ok)
        return nullptr;
    while (count == kPieces) {
        count = nn_stream_drain(stream, pieces, kPieces);
        for (int i = 0; i < count; i++)
            is_complete = Append(call.env(), result, length++, pieces[i]) && is_complete;
    }
    if (is_complete)
        return result;
    // A stream that lacks some of its bytes is of no use.
    nn_stream_end(stream, true);
    return napi_create_array(call.env(), &result) == napi_ok ? result : nullptr;
}

// endStream(stream, isBroken): the stream has ended.
napi_value End(const Call &call)
{
    if (nn_stream *const stream = StreamAt(call); stream != nullptr)
        nn_stream_end(stream, call.FlagAt(1));
    return call.Undefined();
}

// closeStreamWrite(stream): the stream takes nothing more.
// closeStream(stream): what was accepted can be taken as long as the socket lingers.
template <void (*act)(nn_stream *)> napi_value Act(const Call &call)
{
    if (nn_stream *const stream = StreamAt(call); stream != nullptr)
        act(stream);
    return call.Undefined();
}

// releaseStream(stream)
napi_value Release(const Call &call)
{
    call.host()->streams.Remove(call.IntegerAt(0));
    return call.Undefined();
}

} // namespace

void AddStreamFunctions(Properties *properties, Host *host)
{
    Add<Attach>(properties, "attachStream", host);
    Add<Feed>(properties, "feedStream", host);
    Add<Drain>(properties, "drainStream", host);
    Add<End>(properties, "endStream", host);
    Add<Act<nn_stream_close_write>>(properties, "closeStreamWrite", host);
    Add<Act<nn_stream_close>>(properties, "closeStream", host);
    Add<Release>(properties, "releaseStream", host);
}

} // namespace nanomsg_native
