#include "message_memory.h"

#include <nanomsg/nn.h>

namespace nanomsg_native
{

// What an ArrayBuffer's memory is. It lives until the ArrayBuffer is collected, also when the message does not.
struct MessageMemory::Message : public Given {
    Message(std::shared_ptr<Table> messages, void *bytes, size_t count)
        : table(std::move(messages)), body(bytes), size_bytes(count)
    {
    }

    const std::shared_ptr<Table> table;
    void *body; // NULL: the message has another owner
    const size_t size_bytes;

  protected:
    ~Message() override
    {
        if (body == nullptr)
            return;
        table->erase(body);
        nn_freemsg(body);
    }
};

MessageMemory::MessageMemory() : table_(std::make_shared<Table>()) {}

void *MessageMemory::BodyOf(const Message &message)
{
    return message.body;
}

size_t MessageMemory::SizeOf(const Message &message)
{
    return message.size_bytes;
}

bool MessageMemory::IsAllowed(napi_env env)
{
    static char byte;
    napi_value buffer;
    if (napi_create_external_arraybuffer(env, &byte, 1, nullptr, nullptr, &buffer) == napi_ok)
        return true;
    ClearException(env);
    return false;
}

namespace
{

// Makes sure that there is one byte behind an empty message.
void *WithRoom(void *body, size_t size_bytes)
{
    if (size_bytes > 0)
        return body;
    void *const roomy = nn_reallocmsg(body, 1);
    if (roomy == nullptr) {
        nn_freemsg(body);
        return nullptr;
    }
    return nn_reallocmsg(roomy, 0);
}

} // namespace

MessageMemory::Message *MessageMemory::Add(void *body, size_t size_bytes)
{
    auto *const message = new Message(table_, body, size_bytes);
    (*table_)[body] = message;
    return message;
}

napi_value MessageMemory::Give(napi_env env, void *given, size_t size_bytes)
{
    napi_value buffer;
    void *const body = WithRoom(given, size_bytes);
    if (body == nullptr)
        return nullptr;
    const size_t memory_bytes = size_bytes > 0 ? size_bytes : 1;
    return Given::MakeArrayBuffer(env, Add(body, size_bytes), body, memory_bytes, &buffer) ? buffer : nullptr;
}

Made MessageMemory::GiveBuffer(napi_env env, void *body, size_t size_bytes, napi_value *buffer)
{
    return Given::MakeBuffer(env, Add(body, size_bytes), body, size_bytes, buffer);
}

MessageMemory::Message *MessageMemory::Find(napi_env env, napi_value view) const
{
    napi_typedarray_type type;
    size_t size_bytes;
    void *body;
    if (napi_get_typedarray_info(env, view, &type, &size_bytes, &body, nullptr, nullptr) != napi_ok ||
        type != napi_uint8_array || body == nullptr)
        return nullptr;
    const auto found = table_->find(body);
    return found != table_->end() && found->second->size_bytes == size_bytes ? found->second : nullptr;
}

void MessageMemory::Forget(napi_env env, napi_value view, Message *message)
{
    napi_value buffer;
    table_->erase(message->body);
    message->body = nullptr;
    if (napi_get_typedarray_info(env, view, nullptr, nullptr, nullptr, &buffer, nullptr) == napi_ok)
        napi_detach_arraybuffer(env, buffer);
}

} // namespace nanomsg_native
