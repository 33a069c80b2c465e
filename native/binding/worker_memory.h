// The memory of the engine that a Worker shows, when the Worker ends. Node.js then finalizes all of it, also what
// another thread has by now: a byte stream of the platform and ArrayBuffer.prototype.transfer() give memory on, and the
// addon hears nothing of it.
#pragma once

#include <node_api.h>
#include <uv.h>

#include <cstdint>

namespace nanomsg_native
{

// Belongs to the environment of one Worker. There is none in the main thread: with it, all threads end.
class WorkerMemory
{
  public:
    // What is known of one piece of memory. Used on the Worker's thread only.
    class Piece
    {
      public:
        Piece() = default;
        Piece(const Piece &) = delete;
        Piece &operator=(const Piece &) = delete;

        // The memory is finalized. Returns true when another thread may have it.
        bool Finalize(napi_env env);

      private:
        friend class WorkerMemory;

        void Link(Piece *behind);
        void Unlink();

        Piece *previous_ = this;
        Piece *next_ = this;
        napi_ref shown_ = nullptr;     // weak; the ArrayBuffer
        uint64_t collected_at_ms_ = 0; // when the ArrayBuffer was first missed, in the loop's time; 0: never
        bool may_be_elsewhere_ = false;
    };

    WorkerMemory(const WorkerMemory &) = delete;
    WorkerMemory &operator=(const WorkerMemory &) = delete;

    // From here on, `Of` finds one in a Worker. Each load of the JavaScript calls it where there is a libuv. Returns
    // false when memory is short.
    static bool Prepare(napi_env env);
    static WorkerMemory *Of(napi_env env)
    {
        void *found = nullptr;
        return napi_get_instance_data(env, &found) == napi_ok ? static_cast<WorkerMemory *>(found) : nullptr;
    }

    // `buffer` is an ArrayBuffer, or a view of one, that shows the memory.
    void Add(Piece *piece, napi_value buffer);

  private:
    explicit WorkerMemory(napi_env env) : env_(env) {}
    ~WorkerMemory() = default;

    bool Open(uv_loop_t *loop);
    static void OnTurn(uv_prepare_t *turns);
    static void OnLook(uv_timer_t *look);
    static void OnEnd(napi_async_cleanup_hook_handle hook, void *self);
    static void OnClosed(uv_handle_t *handle);
    bool HasEnded() const;
    void LookSoon();
    bool IsHere(Piece *piece, uint64_t now_ms);
    void Look();

    const napi_env env_;
    uv_prepare_t turns_ = {};
    uv_timer_t look_ = {};
    bool look_is_near_ = false;    // the timer runs, or has just run
    bool gives_memory_on_ = false; // a piece is known to be elsewhere
    int open_handles_ = 2;
    napi_async_cleanup_hook_handle end_ = nullptr;
    Piece pieces_; // a ring
};

} // namespace nanomsg_native
