/* Events that wake a thread which polls. */
#include "harness.h"

#include "platform/event.h"

#include <poll.h>

static bool is_readable(const struct sp_event *event)
{
    struct pollfd polled = {.fd = event->fd, .events = POLLIN};

    return poll(&polled, 1, 0) == 1;
}

TEST(an_event_can_be_read_from_its_signal_until_it_is_cleared)
{
    struct sp_event event = SP_EVENT_CLOSED;

    CHECK_EQUAL(sp_event_open(&event, false), 0);
    CHECK(!is_readable(&event));
    sp_event_signal(&event);
    CHECK(is_readable(&event));
    sp_event_clear(&event);
    CHECK(!is_readable(&event));
    sp_event_close(&event);
    CHECK_EQUAL(event.fd, -1);
}

TEST(an_event_can_be_signalled_from_the_start)
{
    struct sp_event event;

    CHECK_EQUAL(sp_event_open(&event, true), 0);
    CHECK(is_readable(&event));
    sp_event_close(&event);
}

TEST(signals_never_block_and_one_clear_ends_them_all)
{
    struct sp_event event;

    CHECK_EQUAL(sp_event_open(&event, false), 0);
    for (int i = 0; i < 100000; i++)
        sp_event_signal(&event);
    sp_event_clear(&event);
    CHECK(!is_readable(&event));
    sp_event_clear(&event);
    sp_event_signal(&event);
    CHECK(is_readable(&event));
    sp_event_close(&event);
}
