#include "host.h"

#include <poll.h>

#include <cstring>

namespace nanomsg_native
{

namespace
{

// So many ready connections are served before libuv gets its turn.
constexpr int kBudgetEvents = 64;
constexpr size_t kCopiesBytes = 64 * 1024;
// A linger without limit must not hold up the end of the process for ever.
constexpr uint64_t kLingerLimitMs = 10000;

bool ReadProperty(napi_env env, napi_value object, const char *name, napi_ref *reference)
{
    napi_value value;
    return napi_get_named_property(env, object, name, &value) == napi_ok &&
           napi_create_reference(env, value, 1, reference) == napi_ok;
}

bool ReadNumber(napi_env env, napi_value object, const char *name, double *number)
{
    napi_value value;
    return napi_get_named_property(env, object, name, &value) == napi_ok &&
           napi_get_value_double(env, value, number) == napi_ok;
}

template <typename Element>
bool ReadArray(napi_env env, napi_value object, const char *name, SharedArray<Element> *array)
{
    napi_value value;
    void *elements;
    napi_typedarray_type type;
    if (napi_get_named_property(env, object, name, &value) != napi_ok ||
        napi_get_typedarray_info(env, value, &type, &array->count, &elements, nullptr, nullptr) != napi_ok ||
        type != (sizeof(Element) == 1 ? napi_uint8_array : napi_int32_array)) {
        napi_throw_type_error(env, nullptr, name);
        return false;
    }
    array->elements = static_cast<Element *>(elements);
    return napi_create_reference(env, value, 1, &array->reference) == napi_ok;
}

// What was thrown in a callback that nobody waits for ends the process, as anywhere else in Node.
void ReportException(napi_env env)
{
    bool is_pending = false;
    napi_value exception;
    if (napi_is_exception_pending(env, &is_pending) == napi_ok && is_pending &&
        napi_get_and_clear_last_exception(env, &exception) == napi_ok)
        napi_fatal_exception(env, exception);
}

} // namespace

Host *Host::Open(napi_env env, napi_value shared)
{
    Host *const self = new Host(env);
    napi_async_cleanup_hook_handle handle;
    if (!self->ReadShared(shared) || !self->OpenLoop() ||
        napi_add_async_cleanup_hook(env, OnEnvironmentEnd, self, &handle) != napi_ok) {
        self->DeleteReferences();
        if (self->slabs_ != nullptr)
            self->slabs_->Close();
        delete self;
        return nullptr;
    }
    return self;
}

bool Host::ReadShared(napi_value shared)
{
    return ReadArray(env_, shared, "events", &events) && ReadArray(env_, shared, "received", &received) &&
           ReadArray(env_, shared, "conversations", &conversations) && ReadArray(env_, shared, "records", &records) &&
           ReadArray(env_, shared, "outgoing", &outgoing) && ReadArray(env_, shared, "slabState", &slab_state) &&
           ReadArray(env_, shared, "slabPins", &slab_pins) && ReadProperty(env_, shared, "bodies", &bodies) &&
           ReadProperty(env_, shared, "slabs", &slab_array_) && ReadProperty(env_, shared, "dispatch", &dispatch_) &&
           ReadNumber(env_, shared, "longestBuffer", &longest_bytes);
}

bool Host::OpenLoop()
{
    uv_loop_t *uv_loop;
    napi_value name;
    if (napi_get_uv_event_loop(env_, &uv_loop) != napi_ok ||
        napi_create_string_utf8(env_, "nanomsg", NAPI_AUTO_LENGTH, &name) != napi_ok ||
        napi_async_init(env_, nullptr, name, &context_) != napi_ok)
        return false;
    received_batch.resize(std::min(received.count / 3, conversations.count));
    outgoing_batch.resize(records.count / 4);

    slabs_ = new SlabStore(env_, slab_array_, slab_state.elements, slab_pins.elements, slab_pins.count);
    if (messages(env_) == nullptr)
        slabs_->Forbid();
    const nn_slab_source source = slabs_->Source();
    loop_ = nn_loop_create(&source);
    if (loop_ == nullptr) {
        napi_throw_error(env_, nullptr, nn_strerror(nn_errno()));
        return false;
    }

    auto *const poll = new uv_poll_t;
    if (const int rc = uv_poll_init(uv_loop, poll, nn_loop_descriptor(loop_)); rc < 0) {
        delete poll; // not initialised: nothing to close
        nn_loop_destroy(loop_);
        napi_throw_error(env_, nullptr, uv_strerror(rc));
        return false;
    }
    poll->data = this;
    poll_ = poll;
    uv_poll_start(poll_, UV_READABLE, OnReadable);
    SetReferenced(false);
    return true;
}

void Host::SetReferenced(bool is_referenced)
{
    auto *const handle = reinterpret_cast<uv_handle_t *>(poll_);
    if (is_referenced)
        uv_ref(handle);
    else
        uv_unref(handle);
}

void Host::OnReadable(uv_poll_t *poll, int /*status*/, int /*ready*/)
{
    auto *const self = static_cast<Host *>(poll->data);
    napi_handle_scope scope;
    if (napi_open_handle_scope(self->env_, &scope) != napi_ok)
        return;
    self->slabs_->Recycle();
    nn_loop_run(self->loop_, kBudgetEvents);
    self->Dispatch();
    napi_close_handle_scope(self->env_, scope);
}

void Host::Dispatch()
{
    const auto capacity = static_cast<int32_t>(events.count / 2);
    int32_t count;
    do {
        void *user;
        int ready;
        count = 0;
        while (count < capacity && nn_loop_next_ready(loop_, &user, &ready)) {
            events.elements[2 * count] = static_cast<int32_t>(reinterpret_cast<intptr_t>(user));
            events.elements[2 * count + 1] = ready;
            count++;
        }
        if (count > 0)
            CallDispatch(count);
    } while (count == capacity);
}

void Host::CallDispatch(int32_t count)
{
    napi_value receiver;
    napi_value function;
    napi_value argument;
    if (napi_get_global(env_, &receiver) != napi_ok ||
        napi_get_reference_value(env_, dispatch_, &function) != napi_ok ||
        napi_create_int32(env_, count, &argument) != napi_ok)
        return;
    // make_callback, and not call_function: promises settled by it go on before libuv's next event.
    if (napi_make_callback(env_, context_, receiver, function, 1, &argument, nullptr) != napi_ok)
        ReportException(env_);
}

bool Host::CopyToSlab(const uint8_t *body, size_t size_bytes, uint32_t *token, size_t *offset)
{
    if (copies_ == nullptr || kCopiesBytes - copies_used_bytes_ < size_bytes) {
        if (copies_ != nullptr)
            slabs_->Release(copies_token_);
        copies_ = messages(env_) != nullptr ? slabs_->Acquire(kCopiesBytes, &copies_token_)
                                            : slabs_->AcquirePrivate(kCopiesBytes, &copies_token_);
        copies_used_bytes_ = 0;
        if (copies_ == nullptr)
            return false;
        if (!slabs_->Show(copies_token_)) {
            slabs_->Release(copies_token_);
            copies_ = nullptr;
            return false;
        }
    }
    memcpy(copies_ + copies_used_bytes_, body, size_bytes);
    *token = copies_token_;
    *offset = copies_used_bytes_;
    copies_used_bytes_ += (size_bytes + 7) & ~static_cast<size_t>(7);
    if (copies_used_bytes_ > kCopiesBytes)
        copies_used_bytes_ = kCopiesBytes;
    return true;
}

void Host::RenewCopies()
{
    if (copies_ == nullptr || slabs_->MayFill(copies_token_))
        return;
    slabs_->Release(copies_token_);
    copies_ = nullptr;
}

// Closes what JavaScript has left open, and passes on what was accepted, for as long as the sockets linger.
void Host::Linger()
{
    // A device uses its sockets: they cannot go before it. And nobody carries anything any more.
    forwarders.Clear();
    carried.Clear();
    for (const auto &socket : sockets_)
        nn_close(socket.second);
    sockets_.clear();

    const uint64_t limit_ms = uv_hrtime() / 1000000 + kLingerLimitMs;
    void *user;
    int ready;
    while (nn_loop_is_lingering(loop_) && uv_hrtime() / 1000000 < limit_ms) {
        pollfd descriptor = {nn_loop_descriptor(loop_), POLLIN, 0};
        poll(&descriptor, 1, 100);
        nn_loop_run(loop_, kBudgetEvents);
        while (nn_loop_next_ready(loop_, &user, &ready)) {
        }
    }
}

void Host::DeleteReferences()
{
    for (const napi_ref reference :
         {events.reference, received.reference, conversations.reference, records.reference, outgoing.reference,
          slab_state.reference, slab_pins.reference, bodies, slab_array_, dispatch_}) {
        if (reference != nullptr)
            napi_delete_reference(env_, reference);
    }
    if (context_ != nullptr)
        napi_async_destroy(env_, context_);
}

void Host::OnEnvironmentEnd(napi_async_cleanup_hook_handle handle, void *data)
{
    auto *const self = static_cast<Host *>(data);

    // No JavaScript runs any more, so no slab can be made: the engine takes memory of its own from here on.
    SlabStore *const slabs = self->slabs_;
    if (self->copies_ != nullptr)
        slabs->Release(self->copies_token_);
    slabs->Detach();
    self->Linger();
    uv_poll_stop(self->poll_);
    nn_loop_destroy(self->loop_);
    slabs->Close();

    self->poll_->data = handle;
    uv_close(reinterpret_cast<uv_handle_t *>(self->poll_), [](uv_handle_t *poll) {
        napi_remove_async_cleanup_hook(static_cast<napi_async_cleanup_hook_handle>(poll->data));
        delete reinterpret_cast<uv_poll_t *>(poll);
    });
    self->DeleteReferences();
    delete self;
}

} // namespace nanomsg_native
