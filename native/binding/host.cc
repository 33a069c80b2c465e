#include "host.h"

#include "gathered.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

namespace nanomsg_native
{

namespace
{

// How many ready connections are served before libuv continues.
constexpr int kBudgetEvents = 64;
constexpr size_t kCopiesBytes = 64 * 1024;
// A linger without limit must not hold up the end of the process for ever.
constexpr int kLingerLimitMs = 10000;

bool ReadProperty(napi_env env, napi_value object, const char *name, napi_ref *reference)
{
    napi_value value;
    return napi_get_named_property(env, object, name, &value) == napi_ok &&
           napi_create_reference(env, value, 0, reference) == napi_ok;
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
    return true;
}

// An exception of a callback that no call waits for ends the process, as anywhere else in Node.
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
    if (!self->ReadShared(shared) || !self->Prepare() || !self->HookEnvironmentEnd()) {
        self->DeleteReferences();
        if (self->slabs_ != nullptr)
            self->slabs_->Close();
        delete self;
        return nullptr;
    }
    return self;
}

// What the functions that JavaScript has keep. It may outlive the host, which then is NULL.
struct Host::Functions {
    Host *host;
};

// The object keeps `shared`, and each of the functions keeps the object: all of them are collected together.
void Host::EndWith(napi_value functions, const Properties &properties)
{
    napi_value shared;
    if (napi_get_reference_value(env_, shared_, &shared) != napi_ok)
        return;
    Keep(functions, shared);
    for (const napi_property_descriptor &property : properties) {
        napi_value function;
        if (napi_get_named_property(env_, functions, property.utf8name, &function) == napi_ok)
            Keep(function, functions);
    }
    // Where this fails, the host ends with the environment.
    functions_ = new Functions{this};
    if (napi_add_finalizer(env_, functions, functions_, OnFunctionsCollected, nullptr, nullptr) == napi_ok)
        return;
    delete functions_;
    functions_ = nullptr;
}

void Host::Keep(napi_value keeper, napi_value kept) const
{
    const napi_property_descriptor property = {"kept", nullptr, nullptr, nullptr, nullptr, kept, napi_default, nullptr};
    napi_define_properties(env_, keeper, 1, &property);
}

void Host::OnFunctionsCollected(napi_env /*env*/, void *data, void * /*hint*/)
{
    auto *const functions = static_cast<Functions *>(data);
    if (functions->host != nullptr)
        functions->host->End(Reason::kCollected);
    delete functions;
}

// Node.js reports later that the functions are collected: the memory in `shared` is gone by then.
bool Host::IsCollected() const
{
    if (is_pinned_)
        return false;
    napi_handle_scope scope;
    if (napi_open_handle_scope(env_, &scope) != napi_ok)
        return true;
    napi_value shared;
    const bool is_collected = napi_get_reference_value(env_, shared_, &shared) != napi_ok || shared == nullptr;
    napi_close_handle_scope(env_, scope);
    return is_collected;
}

bool Host::ReadShared(napi_value shared)
{
    return napi_create_reference(env_, shared, 0, &shared_) == napi_ok && ReadArray(env_, shared, "events", &events) &&
           ReadArray(env_, shared, "received", &received) && ReadArray(env_, shared, "contexts", &contexts) &&
           ReadArray(env_, shared, "records", &records) && ReadArray(env_, shared, "gathered", &gathered) &&
           ReadArray(env_, shared, "outgoing", &outgoing) && ReadArray(env_, shared, "slabState", &slab_state) &&
           ReadArray(env_, shared, "slabPins", &slab_pins) && ReadProperty(env_, shared, "bodies", &bodies) &&
           ReadProperty(env_, shared, "slabs", &slab_array_) && ReadProperty(env_, shared, "dispatch", &dispatch_) &&
           ReadNumber(env_, shared, "maxBuffer", &max_buffer_bytes) &&
           ReadNumber(env_, shared, "countsYoungMemory", &counts_young_memory) &&
           ReadNumber(env_, shared, "watcherKind", &watcher_kind);
}

bool Host::Prepare()
{
    napi_value name;
    if (napi_create_string_utf8(env_, "nanomsg", NAPI_AUTO_LENGTH, &name) != napi_ok ||
        napi_async_init(env_, nullptr, name, &context_) != napi_ok)
        return false;
    if (has_libuv() && !WorkerMemory::Prepare(env_))
        return false;
    received_batch.resize(std::min(received.count / 3, contexts.count));
    outgoing_batch.resize(records.count / 4);
    young_memory_.emplace(counts_young_memory != 0);
    slabs_ =
        new SlabStore(env_, slab_array_, slab_state.elements, slab_pins.elements, slab_pins.count, &*young_memory_);
    if (messages(env_) == nullptr)
        slabs_->Forbid();
    return true;
}

int Host::OpenLoop()
{
    if (loop_ != nullptr)
        return 0;
    const nn_slab_source source = slabs_->Source();
    nn_loop *const loop = nn_loop_create(&source);
    if (loop == nullptr)
        return -nn_errno();

    const auto run = [](void *self) { static_cast<Host *>(self)->Run(); };
    int error;
    watcher_ = LoopWatcher::Start(has_libuv() ? LoopWatcher::Kind::kPoll : LoopWatcher::Kind::kThread, env_, loop, run,
                                  this, &error);
    if (watcher_ == nullptr) {
        nn_loop_destroy(loop);
        return error;
    }
    loop_ = loop;
    // Deno makes no handles any more when the environment ends, so we could not ask then.
    if (!has_libuv())
        is_pinned_ = napi_reference_ref(env_, shared_, nullptr) == napi_ok;
    SetReferenced(is_referenced_);
    return 0;
}

void Host::SetListening(bool is_listening)
{
    if (is_listening == is_listening_)
        return;
    is_listening_ = is_listening;
    if (is_listening)
        napi_reference_ref(env_, shared_, nullptr);
    else
        napi_reference_unref(env_, shared_, nullptr);
}

void Host::SetReferenced(bool is_referenced)
{
    is_referenced_ = is_referenced;
    if (watcher_ != nullptr)
        watcher_->SetReferenced(is_referenced);
}

void Host::Run()
{
    napi_handle_scope scope;
    if (napi_open_handle_scope(env_, &scope) != napi_ok)
        return;
    if (!IsCollected()) {
        slabs_->Recycle();
        nn_loop_run(loop_, kBudgetEvents);
        Dispatch();
    }
    napi_close_handle_scope(env_, scope);
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
    napi_value result; // NULL in its place stops Deno
    if (napi_get_global(env_, &receiver) != napi_ok ||
        napi_get_reference_value(env_, dispatch_, &function) != napi_ok ||
        napi_create_int32(env_, count, &argument) != napi_ok)
        return;
    // make_callback, and not call_function: promises settled by it go on before libuv's next event.
    if (napi_make_callback(env_, context_, receiver, function, 1, &argument, &result) != napi_ok)
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
        if (slabs_->Show(copies_token_) == nullptr) {
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
    // A device uses its sockets: it ends before them. So do streams.
    forwarders.Clear();
    streams.Clear();
    for (const auto &socket : sockets_)
        nn_close(socket.second);
    sockets_.clear();

    const auto limit = std::chrono::steady_clock::now() + std::chrono::milliseconds(kLingerLimitMs);
    void *user;
    int ready;
    while (loop_ != nullptr && nn_loop_is_lingering(loop_) && std::chrono::steady_clock::now() < limit) {
        nn_loop_wait(loop_, 100);
        nn_loop_run(loop_, kBudgetEvents);
        while (nn_loop_next_ready(loop_, &user, &ready)) {
        }
    }
}

void Host::DeleteReferences()
{
    for (const napi_ref reference : {shared_, bodies, slab_array_, dispatch_}) {
        if (reference != nullptr)
            napi_delete_reference(env_, reference);
    }
    if (context_ != nullptr)
        napi_async_destroy(env_, context_);
}

// libuv releases a descriptor later than the host ends, so Node.js waits for it. Other runtimes have nothing to wait
// for, and Deno does not expect the hook to be removed from within.
bool Host::HookEnvironmentEnd()
{
    if (has_libuv())
        return napi_add_async_cleanup_hook(
                   env_,
                   [](napi_async_cleanup_hook_handle /*handle*/, void *self) {
                       static_cast<Host *>(self)->End(Reason::kEnvironmentEnds);
                   },
                   this, &environment_end_) == napi_ok;
    return napi_add_env_cleanup_hook(env_, OnEnvironmentEnd, this) == napi_ok;
}

void Host::OnEnvironmentEnd(void *self)
{
    static_cast<Host *>(self)->End(Reason::kEnvironmentEnds);
}

void Host::UnhookEnvironmentEnd()
{
    if (has_libuv())
        napi_remove_async_cleanup_hook(environment_end_);
    else
        napi_remove_env_cleanup_hook(env_, OnEnvironmentEnd, this);
}

// Where the functions are collected, the environment goes on, and no socket of this host is in use.
void Host::End(Reason reason)
{
    const bool is_environment_ending = reason == Reason::kEnvironmentEnds;
    if (!is_environment_ending)
        UnhookEnvironmentEnd();
    else if (functions_ != nullptr)
        functions_->host = nullptr;
    // What JavaScript has gathered in its last turn was accepted. Without a loop there is nothing, and Deno would have
    // no scope for the handle that IsCollected needs.
    if (is_environment_ending && loop_ != nullptr && !IsCollected() && gathered.elements[0] > 0)
        SendGathered(*this, static_cast<size_t>(gathered.elements[0]));

    // No JavaScript calls us any more, so no slab can be made: the engine takes memory of its own from here on.
    if (copies_ != nullptr)
        slabs_->Release(copies_token_);
    slabs_->Detach();
    Linger();
    napi_async_cleanup_hook_handle const awaited = is_environment_ending ? environment_end_ : nullptr;
    if (loop_ != nullptr)
        CloseLoop(awaited);
    else if (awaited != nullptr)
        napi_remove_async_cleanup_hook(awaited);
    slabs_->Close();
    // At its end, Deno needs a handle for what it frees, and cannot make one.
    if (!is_environment_ending || has_libuv())
        DeleteReferences();
    delete this;
}

// Node.js hears that the hook is done when libuv has let go of the loop's descriptor.
void Host::CloseLoop(napi_async_cleanup_hook_handle awaited)
{
    nn_loop *const loop = loop_;
    loop_ = nullptr;
    watcher_->Close(
        [](void *hook) {
            if (hook != nullptr)
                napi_remove_async_cleanup_hook(static_cast<napi_async_cleanup_hook_handle>(hook));
        },
        awaited);
    nn_loop_destroy(loop);
}

} // namespace nanomsg_native
