#include "worker_memory.h"

#include "libuv.h"

namespace nanomsg_native
{
namespace
{

// In this time V8 has freed the memory of what it has collected, and Node.js has finalized it.
constexpr uint64_t kSweepMs = 100;

} // namespace

void WorkerMemory::Piece::Link(Piece *behind)
{
    previous_ = behind;
    next_ = behind->next_;
    next_->previous_ = this;
    behind->next_ = this;
}

void WorkerMemory::Piece::Unlink()
{
    previous_->next_ = next_;
    next_->previous_ = previous_;
    previous_ = next_ = this;
}

bool WorkerMemory::Piece::Finalize(napi_env env)
{
    Unlink();
    if (shown_ != nullptr)
        napi_delete_reference(env, shown_);
    shown_ = nullptr;
    return may_be_elsewhere_;
}

// The main thread runs libuv's default loop. (To import node:worker_threads costs more than all the rest of a load.)
bool WorkerMemory::Prepare(napi_env env)
{
    uv_loop_t *loop;
    if (!HasLibuv())
        return true;
    if (napi_get_uv_event_loop(env, &loop) != napi_ok)
        return false;
    if (loop == uv_default_loop() || Of(env) != nullptr)
        return true;
    auto *const self = new WorkerMemory(env);
    if (self->Open(loop))
        return true;
    delete self;
    return false;
}

bool WorkerMemory::Open(uv_loop_t *loop)
{
    if (napi_add_async_cleanup_hook(env_, OnEnd, this, &end_) != napi_ok)
        return false;
    if (napi_set_instance_data(env_, this, nullptr, nullptr) != napi_ok) {
        napi_remove_async_cleanup_hook(end_);
        return false;
    }
    uv_prepare_init(loop, &turns_);
    turns_.data = this;
    uv_prepare_start(&turns_, OnTurn);
    uv_unref(reinterpret_cast<uv_handle_t *>(&turns_));
    uv_timer_init(loop, &look_);
    look_.data = this;
    uv_unref(reinterpret_cast<uv_handle_t *>(&look_));
    return true;
}

void WorkerMemory::Add(Piece *piece, napi_value buffer)
{
    napi_value shown = buffer;
    bool is_view = false;
    if (napi_is_typedarray(env_, buffer, &is_view) != napi_ok ||
        (is_view && napi_get_typedarray_info(env_, buffer, nullptr, nullptr, nullptr, &shown, nullptr) != napi_ok) ||
        napi_create_reference(env_, shown, 0, &piece->shown_) != napi_ok)
        piece->shown_ = nullptr;
    piece->Link(&pieces_);
}

// Of a call with bad arguments Node.js says so only while JavaScript may run.
bool WorkerMemory::HasEnded() const
{
    bool ignored;
    return napi_strict_equals(env_, nullptr, nullptr, &ignored) != napi_invalid_arg;
}

// The loop turns once more after the Worker's last JavaScript, while its handles are closed. Then Node.js detaches each
// ArrayBuffer and finalizes its memory, before any hook for the end of the environment runs: this turn is the last time
// to see which ArrayBuffers have kept their memory. The second look knows what the first has found.
void WorkerMemory::OnTurn(uv_prepare_t *turns)
{
    auto *const self = static_cast<WorkerMemory *>(turns->data);
    if (!self->HasEnded()) {
        self->LookSoon();
        return;
    }
    self->Look();
    self->Look();
}

// The turn after a look is the timer's own: without this rule, looks would keep an idle Worker awake.
void WorkerMemory::LookSoon()
{
    if (!look_is_near_ && pieces_.next_ != &pieces_)
        look_is_near_ = uv_timer_start(&look_, OnLook, kSweepMs, 0) == 0;
    else if (uv_is_active(reinterpret_cast<uv_handle_t *>(&look_)) == 0)
        look_is_near_ = false;
}

void WorkerMemory::OnLook(uv_timer_t *look)
{
    static_cast<WorkerMemory *>(look->data)->Look();
}

// An ArrayBuffer that V8 has collected either has given its memory on, or V8 is about to free the memory: that takes no
// longer than a sweep. Which of the two it is, what else the Worker does decides until then: most programs give nothing
// on, and Workers that are terminated in their work would leave what their last collection has found.
bool WorkerMemory::IsHere(Piece *piece, uint64_t now_ms)
{
    napi_value shown = nullptr;
    bool is_detached = true;
    if (piece->shown_ == nullptr || napi_get_reference_value(env_, piece->shown_, &shown) != napi_ok)
        return false;
    if (shown != nullptr) {
        const bool is_here = napi_is_detached_arraybuffer(env_, shown, &is_detached) == napi_ok && !is_detached;
        gives_memory_on_ = gives_memory_on_ || !is_here;
        return is_here;
    }
    if (piece->collected_at_ms_ == 0)
        piece->collected_at_ms_ = now_ms;
    gives_memory_on_ = gives_memory_on_ || now_ms - piece->collected_at_ms_ >= kSweepMs;
    return !gives_memory_on_;
}

// What a look says of a piece that is finalized before the Worker ends is not asked for.
void WorkerMemory::Look()
{
    napi_handle_scope scope;
    const bool has_scope = napi_open_handle_scope(env_, &scope) == napi_ok;
    const uint64_t now_ms = uv_now(look_.loop);
    const bool is_last = HasEnded();
    for (Piece *piece = pieces_.next_; piece != &pieces_; piece = piece->next_)
        piece->may_be_elsewhere_ = (!has_scope || !IsHere(piece, now_ms)) && is_last;
    if (has_scope)
        napi_close_handle_scope(env_, scope);
}

void WorkerMemory::OnEnd(napi_async_cleanup_hook_handle /*hook*/, void *data)
{
    auto *const self = static_cast<WorkerMemory *>(data);
    while (self->pieces_.next_ != &self->pieces_)
        self->pieces_.next_->Unlink();
    napi_set_instance_data(self->env_, nullptr, nullptr, nullptr);
    uv_prepare_stop(&self->turns_);
    uv_timer_stop(&self->look_);
    uv_close(reinterpret_cast<uv_handle_t *>(&self->turns_), OnClosed);
    uv_close(reinterpret_cast<uv_handle_t *>(&self->look_), OnClosed);
}

void WorkerMemory::OnClosed(uv_handle_t *handle)
{
    auto *const self = static_cast<WorkerMemory *>(handle->data);
    if (--self->open_handles_ > 0)
        return;
    napi_remove_async_cleanup_hook(self->end_);
    delete self;
}

} // namespace nanomsg_native
