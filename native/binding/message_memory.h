// Messages of nn_allocmsg and of receiving with NN_MSG as ArrayBuffers: the engine's own memory, which goes back to the
// engine when it is sent or freed. The ArrayBuffer is then detached: its views have no bytes any more.
#pragma once

#include "given.h"

#include <node_api.h>

#include <cstddef>
#include <memory>
#include <unordered_map>

namespace nanomsg_native
{

// The messages that one environment holds. Every ArrayBuffer knows it, and may be collected later than the environment
// ends.
class MessageMemory
{
  public:
    struct Message;

    // Some runtimes allow no foreign memory in ArrayBuffers: then there are no messages.
    static bool IsAllowed(napi_env env);

    MessageMemory();

    // Makes an ArrayBuffer of a message, and takes it. An empty message gets an ArrayBuffer of one byte, since those of
    // none have no address. Returns NULL when memory is short; the message is freed then.
    napi_value Give(napi_env env, void *body, size_t size_bytes);

    // Makes a Buffer of a message that is not empty, and takes it; or a copy, which is no message of the engine's.
    Made GiveBuffer(napi_env env, void *body, size_t size_bytes, napi_value *buffer);

    // The message that a Uint8Array shows, whole; NULL when it is none, or not any more.
    Message *Find(napi_env env, napi_value view) const;
    static void *BodyOf(const Message &message);
    static size_t SizeOf(const Message &message);

    // The message has another owner now: detaches the ArrayBuffer.
    void Forget(napi_env env, napi_value view, Message *message);

  private:
    using Table = std::unordered_map<const void *, Message *>;

    Message *Add(void *body, size_t size_bytes);

    std::shared_ptr<Table> table_; // by the address of the body
};

} // namespace nanomsg_native
