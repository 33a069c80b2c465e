/* Threads that sleep until another one has changed a word. */
#include "harness.h"

#include "platform/park.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAIRS 4
#define ROUNDS 3000

static sp_time_ns soon(void)
{
    return sp_now_ns() + 20 * SP_NS_PER_MS;
}

TEST(a_word_that_has_changed_does_not_let_a_thread_sleep)
{
    atomic_uint word = 1;

    CHECK_EQUAL(sp_park(&word, 0, SP_FOREVER), 0);
}

TEST(a_thread_that_is_not_woken_sleeps_until_its_deadline)
{
    atomic_uint word = 0;
    sp_time_ns deadline_ns = soon();
    int rc = 0;

    while (rc == 0)
        rc = sp_park(&word, 0, deadline_ns);
    CHECK_EQUAL(rc, -ETIMEDOUT);
    CHECK(sp_now_ns() >= deadline_ns);
    CHECK_EQUAL(sp_park(&word, 0, sp_now_ns()), -ETIMEDOUT);
}

static void ignore(int number)
{
    (void)number;
}

TEST(a_signal_ends_the_sleep_also_where_calls_are_restarted)
{
    struct sigaction action = {.sa_handler = ignore, .sa_flags = SA_RESTART};
    atomic_uint word = 0;
    int rc = 0;

    CHECK_OK(sigaction(SIGALRM, &action, NULL));
    alarm(1);
    while (rc == 0)
        rc = sp_park(&word, 0, SP_FOREVER);
    CHECK_EQUAL(rc, -EINTR);
}

/* Two threads that answer each other: a wake-up that is lost ends the game. Every third sleep ends at its deadline
 * about when it is woken. */
static void play(atomic_uint *word, unsigned own)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned turn = round * 2 + own;
        unsigned seen;
        while ((seen = atomic_load(word)) != turn)
            sp_park(word, seen, round % 3 == 0 ? sp_now_ns() + 1000 : SP_FOREVER);
        atomic_store(word, turn + 1);
        sp_unpark(word);
    }
}

static void *answer(void *word)
{
    play(word, 1);
    return NULL;
}

static void *ask(void *word)
{
    play(word, 0);
    return NULL;
}

TEST(no_wake_up_is_lost_or_reaches_another_word)
{
    static atomic_uint words[PAIRS]; /* beside each other in memory */
    pthread_t threads[PAIRS * 2];

    for (int i = 0; i < PAIRS; i++) {
        CHECK_EQUAL(pthread_create(&threads[i * 2], NULL, ask, &words[i]), 0);
        CHECK_EQUAL(pthread_create(&threads[i * 2 + 1], NULL, answer, &words[i]), 0);
    }
    for (int i = 0; i < PAIRS * 2; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < PAIRS; i++)
        CHECK_EQUAL(atomic_load(&words[i]), ROUNDS * 2);
}

TEST(a_forked_child_can_sleep_where_its_parent_has_slept)
{
    atomic_uint word = 0;
    int status;

    CHECK_EQUAL(sp_park(&word, 0, soon()), -ETIMEDOUT);
    pid_t child = fork();
    if (child == 0)
        _exit(sp_park(&word, 0, soon()) == -ETIMEDOUT ? 0 : 1);
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK_EQUAL(status, 0);
}
