/* What the loop relies on in a poller, whichever system has made it. */
#include "harness.h"

#include "platform/poller.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define NO_LIMIT 64

/* Pollers hand the address of a watch back, and do not look at what is there. */
static uint64_t watch_places[2];
#define WATCH ((struct sp_watch *)&watch_places[0])
#define OTHER_WATCH ((struct sp_watch *)&watch_places[1])

static struct sp_poller poller;
static int ends[2]; /* ours, which is watched, and the peer's */

static void begin(void)
{
    CHECK_EQUAL(sp_poller_open(&poller), 0);
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends));
}

static void end(void)
{
    sp_poller_close(&poller);
    for (int i = 0; i < 2; i++) {
        if (ends[i] >= 0)
            close(ends[i]);
    }
}

static void watch(unsigned before, unsigned after)
{
    CHECK_EQUAL(sp_poller_watch(&poller, ends[0], WATCH, before, after), 0);
}

/* What is ready of ends[0] now, 0: nothing. There may be no other event. */
static unsigned ready_now(void)
{
    struct sp_poller_event events[NO_LIMIT];
    int count = sp_poller_wait(&poller, events, NO_LIMIT, 0);

    CHECK(count <= 1);
    if (count == 0)
        return 0;
    CHECK(events[0].watch == WATCH);
    CHECK(events[0].ready != 0);
    return events[0].ready;
}

static struct sp_poller_event wait_for_one(void)
{
    struct sp_poller_event events[NO_LIMIT];
    int count = 0;

    while (count == 0)
        count = sp_poller_wait(&poller, events, NO_LIMIT, -1);
    CHECK_EQUAL(count, 1);
    return events[0];
}

static void send_bytes(int fd, const char *bytes, size_t count)
{
    CHECK_EQUAL(send(fd, bytes, count, 0), (ssize_t)count);
}

TEST(unread_bytes_are_reported_until_they_are_read)
{
    char byte;

    begin();
    watch(0, SP_READABLE);
    CHECK_EQUAL(ready_now(), 0);
    send_bytes(ends[1], "x", 1);
    CHECK_EQUAL(ready_now(), SP_READABLE);
    CHECK_EQUAL(ready_now(), SP_READABLE);
    CHECK_EQUAL(read(ends[0], &byte, 1), 1);
    CHECK_EQUAL(ready_now(), 0);
    end();
}

TEST(a_descriptor_that_can_be_read_and_written_is_one_event)
{
    begin();
    watch(0, SP_READABLE | SP_WRITABLE);
    CHECK_EQUAL(ready_now(), SP_WRITABLE);
    send_bytes(ends[1], "x", 1);
    CHECK_EQUAL(ready_now(), SP_READABLE | SP_WRITABLE);
    watch(SP_READABLE | SP_WRITABLE, SP_READABLE);
    CHECK_EQUAL(ready_now(), SP_READABLE);
    watch(SP_READABLE, SP_WRITABLE);
    CHECK_EQUAL(ready_now(), SP_WRITABLE);
    end();
}

TEST(each_descriptor_has_its_own_watch)
{
    struct sp_poller_event events[NO_LIMIT];

    begin();
    watch(0, SP_WRITABLE);
    CHECK_EQUAL(sp_poller_watch(&poller, ends[1], OTHER_WATCH, 0, SP_WRITABLE), 0);
    CHECK_EQUAL(sp_poller_wait(&poller, events, NO_LIMIT, 0), 2);
    CHECK(events[0].watch != events[1].watch);
    CHECK_EQUAL(sp_poller_wait(&poller, events, 1, 0), 1);
    end();
}

TEST(what_is_not_watched_is_not_reported_even_when_the_peer_is_gone)
{
    begin();
    watch(0, SP_READABLE | SP_FINISHED);
    watch(SP_READABLE | SP_FINISHED, 0);
    send_bytes(ends[1], "x", 1);
    close(ends[1]);
    ends[1] = -1;
    CHECK_EQUAL(ready_now(), 0);
    end();
}

TEST(unread_bytes_are_not_reported_while_only_the_end_is_asked_for)
{
    begin();
    send_bytes(ends[1], "x", 1);
    watch(0, SP_FINISHED | SP_HANGUP);
    CHECK_EQUAL(ready_now(), 0);
    send_bytes(ends[1], "y", 1);
    CHECK_EQUAL(ready_now(), 0);
    watch(SP_FINISHED | SP_HANGUP, SP_READABLE);
    CHECK_EQUAL(ready_now(), SP_READABLE);
    end();
}

TEST(a_full_buffer_is_not_reported_while_only_the_end_is_asked_for)
{
    static const char zeros[4096];

    begin();
    watch(0, SP_FINISHED | SP_HANGUP);
    while (send(ends[1], zeros, sizeof zeros, 0) > 0) {
        CHECK_EQUAL(ready_now(), 0);
    }
    CHECK_EQUAL(ready_now(), 0);
    end();
}

TEST(a_peer_that_has_finished_is_told_from_one_that_is_gone)
{
    begin();
    send_bytes(ends[1], "x", 1);
    watch(0, SP_FINISHED | SP_HANGUP);
    CHECK_EQUAL(ready_now(), 0);
    CHECK_OK(shutdown(ends[1], SHUT_WR));
    CHECK_EQUAL(ready_now(), SP_FINISHED);
    watch(SP_FINISHED | SP_HANGUP, SP_HANGUP);
    CHECK_EQUAL(ready_now(), 0);
    close(ends[1]);
    ends[1] = -1;
    CHECK_EQUAL(ready_now(), SP_HANGUP);
    end();
}

TEST(an_end_that_came_before_it_was_asked_for_is_reported)
{
    begin();
    send_bytes(ends[1], "x", 1);
    CHECK_OK(shutdown(ends[1], SHUT_WR));
    watch(0, SP_READABLE);
    CHECK_EQUAL(ready_now(), SP_READABLE);
    watch(SP_READABLE, SP_FINISHED | SP_HANGUP);
    CHECK_EQUAL(ready_now(), SP_FINISHED);
    end();
}

TEST(a_peer_that_is_gone_is_reported_whatever_is_asked_for)
{
    unsigned asked[] = {SP_READABLE, SP_WRITABLE, SP_HANGUP, SP_READABLE | SP_WRITABLE | SP_FINISHED};

    for (int i = 0; i < 4; i++) {
        begin();
        watch(0, asked[i]);
        ready_now();
        close(ends[1]);
        ends[1] = -1;
        CHECK(ready_now() & SP_HANGUP);
        end();
    }
}

/* A pair of tcp, of which ours is ends[0]. */
static void begin_tcp(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    CHECK_EQUAL(sp_poller_open(&poller), 0);
    CHECK_OK(bind(listener, (struct sockaddr *)&address, length));
    CHECK_OK(listen(listener, 1));
    CHECK_OK(getsockname(listener, (struct sockaddr *)&address, &length));
    ends[1] = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_OK(connect(ends[1], (struct sockaddr *)&address, length));
    ends[0] = accept(listener, NULL, NULL);
    CHECK(ends[0] >= 0);
    close(listener);
}

TEST(a_peer_of_tcp_that_resets_is_gone)
{
    struct linger now = {.l_onoff = 1};

    begin_tcp();
    watch(0, SP_FINISHED | SP_HANGUP);
    CHECK_OK(setsockopt(ends[1], SOL_SOCKET, SO_LINGER, &now, sizeof now));
    close(ends[1]);
    ends[1] = -1;
    CHECK(wait_for_one().ready & SP_HANGUP);
    end();
}

TEST(a_peer_of_tcp_that_closes_has_finished_and_may_be_sent_to)
{
    begin_tcp();
    watch(0, SP_FINISHED | SP_HANGUP);
    CHECK_OK(shutdown(ends[1], SHUT_WR));
    CHECK_EQUAL(wait_for_one().ready, SP_FINISHED);
    end();
}

TEST(a_wake_up_is_reported_once)
{
    begin();
    sp_poller_wake(&poller);
    sp_poller_wake(&poller);
    CHECK(sp_poller_is_ready(&poller, 0));
    CHECK(wait_for_one().is_wake);
    CHECK_EQUAL(ready_now(), 0);
    CHECK(!sp_poller_is_ready(&poller, 0));
    sp_poller_wake(&poller);
    CHECK(wait_for_one().is_wake);
    end();
}

TEST(a_deadline_is_reported_once_when_it_has_passed)
{
    begin();
    sp_time_ns deadline_ns = sp_now_ns() + 20 * SP_NS_PER_MS;
    sp_poller_arm(&poller, deadline_ns);
    CHECK_EQUAL(ready_now(), 0);
    CHECK(wait_for_one().is_deadline);
    CHECK(sp_now_ns() >= deadline_ns);
    CHECK_EQUAL(ready_now(), 0);
    end();
}

TEST(a_deadline_in_the_past_is_due_at_once)
{
    begin();
    sp_poller_arm(&poller, 0);
    CHECK(wait_for_one().is_deadline);
    sp_poller_arm(&poller, sp_now_ns());
    CHECK(wait_for_one().is_deadline);
    end();
}

TEST(a_deadline_can_be_moved_and_taken_back)
{
    struct sp_poller_event events[NO_LIMIT];

    begin();
    sp_poller_arm(&poller, SP_FOREVER);
    sp_poller_arm(&poller, sp_now_ns() + 3600000 * (sp_time_ns)SP_NS_PER_MS);
    sp_poller_arm(&poller, sp_now_ns() + 1 * SP_NS_PER_MS);
    CHECK(wait_for_one().is_deadline);
    sp_poller_arm(&poller, sp_now_ns() + 20 * SP_NS_PER_MS);
    sp_poller_arm(&poller, SP_FOREVER);
    CHECK_EQUAL(sp_poller_wait(&poller, events, NO_LIMIT, 60), 0);
    end();
}
