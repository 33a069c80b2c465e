/* Memory of large messages is used again by the next ones, also where no message passes through a loop. */
#include "sockets.h"

#include "util/buffer_cache.h"

#include <nanomsg/reqrep.h>

#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define BODY_BYTES ((size_t)512 * 1024)
#define ROUNDS 100

/* The sanitizers keep what is freed. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MEMORY_IS_USED_AGAIN 0
#else
#define MEMORY_IS_USED_AGAIN 1
#endif

static long page_faults(void)
{
    struct rusage usage;

    CHECK_OK(getrusage(RUSAGE_SELF, &usage));
    return usage.ru_minflt;
}

static void send_filled(int s, char byte)
{
    void *body = nn_allocmsg(BODY_BYTES, 0);

    CHECK(body != NULL);
    memset(body, byte, BODY_BYTES);
    CHECK_EQUAL(nn_send(s, &body, NN_MSG, 0), (int)BODY_BYTES);
}

static char receive_and_free(int s)
{
    char *body = NULL;

    CHECK_EQUAL(nn_recv(s, &body, NN_MSG, 0), (int)BODY_BYTES);
    char first = body[0];
    CHECK_EQUAL(body[BODY_BYTES - 1], first);
    CHECK_OK(nn_freemsg(body));
    return first;
}

static void answer(void *argument)
{
    int rep = *(int *)argument;

    while (receive_and_free(rep) != 'e')
        send_filled(rep, 'a');
    send_filled(rep, 'a');
}

static void ask(int req, char byte)
{
    send_filled(req, byte);
    CHECK_EQUAL(receive_and_free(req), 'a');
}

TEST(messages_between_threads_need_no_new_memory)
{
    int rep = test_socket_bound(NN_REP, "inproc://large");
    int req = test_socket_connected(NN_REQ, "inproc://large");
    struct test_thread *answering = test_thread_start(answer, &rep);
    int64_t deadline_ms = test_wait_deadline();
    long pages = (long)(2 * BODY_BYTES / (size_t)sysconf(_SC_PAGESIZE)) * ROUNDS;
    long faults;

    /* The first ones come before a loop has seen that the memory is wanted; and a pause of the machine of half a second
     * looks as if it was not any more. */
    do {
        faults = page_faults();
        for (int i = 0; i < ROUNDS; i++)
            ask(req, 'q');
        faults = page_faults() - faults;
        if (MEMORY_IS_USED_AGAIN && faults > pages / 100 && test_pause(deadline_ms))
            FAIL("%ld of %ld pages are new", faults, pages);
    } while (MEMORY_IS_USED_AGAIN && faults > pages / 100);
    ask(req, 'e');
    test_thread_join(answering);
}

static void *taken(size_t *bytes)
{
    void *buffer = sp_buffer_cache_get(bytes);

    CHECK(buffer != NULL);
    return buffer;
}

TEST(buffers_of_a_size_that_is_not_asked_for_go_back)
{
    enum { MANY = 8 };
    void *large[MANY];
    size_t large_bytes = 4 * BODY_BYTES;
    size_t slab_bytes = BODY_BYTES / 2;
    int64_t deadline_ms = test_wait_deadline();

    sp_buffer_cache_retain();
    for (int i = 0; i < MANY; i++)
        large[i] = taken(&large_bytes);
    for (int i = 0; i < MANY; i++)
        sp_buffer_cache_put(large[i], large_bytes);
    CHECK(sp_buffer_cache_kept_bytes() >= MANY * large_bytes);
    do {
        void *slab = taken(&slab_bytes);
        sp_buffer_cache_put(slab, slab_bytes);
        sp_buffer_cache_free_idle();
        if (test_pause(deadline_ms))
            FAIL("%zu bytes are kept", sp_buffer_cache_kept_bytes());
    } while (sp_buffer_cache_kept_bytes() >= large_bytes);
    CHECK_EQUAL(sp_buffer_cache_kept_bytes(), slab_bytes);
    sp_buffer_cache_release();
    CHECK_EQUAL(sp_buffer_cache_kept_bytes(), 0);
}
