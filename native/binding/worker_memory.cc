#include "worker_memory.h"

#include "libuv.h"

namespace nanomsg_native
{

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
// ArrayBuffer and finalizes its memory, before any hook for the end of the environment runs: this turn is the only time
// to see which ArrayBuffers have kept their memory.
void WorkerMemory::OnTurn(uv_prepare_t *turns)
{
    auto *const self = static_cast<WorkerMemory *>(turns->data);
    if (self->HasEnded())
        self->FindPieces();
}

// An ArrayBuffer that V8 has collected counts as here, although it may have been given on before: most of them are
// garbage of the last collection, which V8 still frees, and Workers that are terminated in their work would leave it.
bool WorkerMemory::IsHere(const Piece &piece) const
{
    napi_value shown = nullptr;
    bool is_detached = true;
    if (piece.shown_ == nullptr || napi_get_reference_value(env_, piece.shown_, &shown) != napi_ok)
        return false;
    return shown == nullptr || (napi_is_detached_arraybuffer(env_, shown, &is_detached) == napi_ok && !is_detached);
}

void WorkerMemory::FindPieces()
{
    napi_handle_scope scope;
    const bool has_scope = napi_open_handle_scope(env_, &scope) == napi_ok;
    for (Piece *piece = pieces_.next_; piece != &pieces_; piece = piece->next_)
        piece->may_be_elsewhere_ = !has_scope || !IsHere(*piece);
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
    uv_close(reinterpret_cast<uv_handle_t *>(&self->turns_), OnClosed);
}

void WorkerMemory::OnClosed(uv_handle_t *turns)
{
    auto *const self = static_cast<WorkerMemory *>(turns->data);
    napi_remove_async_cleanup_hook(self->end_);
    delete self;
}

} // namespace nanomsg_native
