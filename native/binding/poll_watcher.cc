#include "poll_watcher.h"

#include "libuv.h"

#include <cerrno>

namespace nanomsg_native
{

int PollWatcher::Open(napi_env env, nn_loop *loop)
{
    uv_loop_t *uv_loop;
    if (!HasLibuv())
        return -ENOSYS;
    if (napi_get_uv_event_loop(env, &uv_loop) != napi_ok)
        return -ENOMEM;
    if (const int rc = uv_poll_init(uv_loop, &poll_, nn_loop_descriptor(loop)); rc < 0)
        return rc;
    poll_.data = this;
    uv_poll_start(&poll_, UV_READABLE, OnReadable);
    return 0;
}

void PollWatcher::OnReadable(uv_poll_t *poll, int /*status*/, int /*ready*/)
{
    auto *const self = static_cast<PollWatcher *>(poll->data);
    self->callback_(self->owner_);
}

void PollWatcher::SetReferenced(bool is_referenced)
{
    if (is_referenced)
        uv_ref(handle());
    else
        uv_unref(handle());
}

void PollWatcher::Close(Closed closed, void *data)
{
    closed_ = closed;
    closed_data_ = data;
    uv_poll_stop(&poll_);
    uv_close(handle(), OnClosed);
}

void PollWatcher::OnClosed(uv_handle_t *poll)
{
    auto *const self = static_cast<PollWatcher *>(poll->data);
    if (self->closed_ != nullptr)
        self->closed_(self->closed_data_);
    delete self;
}

} // namespace nanomsg_native
