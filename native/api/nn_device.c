/* nn_device: forwards messages between two raw sockets, or from one to itself, on the caller's thread; nn_forwarder
 * does so piece by piece, for hosts. Headers travel with the messages, so that answers find their way back. */
#include "api/fail.h"
#include "core/poll_entry.h"
#include "message/message.h"
#include "util/memory.h"

#include <nanomsg/loop.h>

#include <limits.h>

/* One direction of a device. A message that cannot be passed on yet is held, and then the next one is not received. */
struct lane {
    struct sp_socket *from;
    struct sp_socket *to;
    struct nn_message message;
    bool has_message;
    bool is_waiting;
    sp_time_ns deadline_ns; /* of NN_RCVTIMEO or NN_SNDTIMEO, while it waits */
};

/* 0 when the socket is closed, which the next wait or check tells. */
static int socket_int_option(struct sp_socket *socket, int option)
{
    int value = 0;
    size_t size = sizeof value;

    (void)sp_socket_get_option(socket, NN_SOL_SOCKET, option, &value, &size);
    return value;
}

static bool socket_is_raw(const struct sp_socket *socket)
{
    return sp_socket_domain(socket) == AF_SP_RAW;
}

static bool socket_has(const struct sp_socket *socket, unsigned flag)
{
    return (sp_socket_protocol(socket)->flags & flag) != 0;
}

static int socket_family(const struct sp_socket *socket)
{
    return sp_socket_protocol(socket)->id / 16;
}

/* ---- Forwarding ---- */

/* Passes on what it can without waiting. Returns 0 when a message went through, -EAGAIN, or what ends the device. */
static int lane_forward(struct lane *self)
{
    int rc;

    if (!self->has_message) {
        rc = sp_socket_receive(self->from, &self->message, NN_DONTWAIT);
        if (rc < 0)
            return rc;
        self->has_message = true;
        self->is_waiting = false;
    }
    rc = sp_socket_send(self->to, &self->message, NN_DONTWAIT);
    if (rc < 0)
        return rc;
    self->has_message = false;
    self->is_waiting = false;
    return 0;
}

/* The socket that the lane waits for. */
static struct sp_socket *lane_socket(const struct lane *self)
{
    return self->has_message ? self->to : self->from;
}

/* Until when the lane waits, once it has begun to. */
static sp_time_ns lane_deadline(struct lane *self)
{
    if (!self->is_waiting) {
        self->is_waiting = true;
        self->deadline_ns =
            sp_deadline_after_ms(socket_int_option(lane_socket(self), self->has_message ? NN_SNDTIMEO : NN_RCVTIMEO));
    }
    return self->deadline_ns;
}

static sp_time_ns lanes_deadline(struct lane *lanes, int count)
{
    sp_time_ns deadline_ns = SP_FOREVER;

    for (int i = 0; i < count; i++) {
        sp_time_ns lane_deadline_ns = lane_deadline(&lanes[i]);
        if (lane_deadline_ns < deadline_ns)
            deadline_ns = lane_deadline_ns;
    }
    return deadline_ns;
}

/* Waits until some lane can go on. Also the socket that no lane waits for now ends the device when it is closed. */
static int lanes_wait(struct lane *lanes, int count)
{
    struct sp_poll_entry entries[2] = {{.socket = lanes[0].from}, {.socket = lanes[0].to}};

    for (int i = 0; i < count; i++) {
        int index = entries[0].socket == lane_socket(&lanes[i]) ? 0 : 1;
        entries[index].events |= lanes[i].has_message ? NN_POLLOUT : NN_POLLIN;
    }
    int rc = sp_poll_entries_wait(entries, 2, lanes_deadline(lanes, count));
    if (rc == -EINTR && count > 1)
        return 0; /* as ever, signals end devices of one direction only */
    if (rc == 0)
        return -ETIMEDOUT;
    return rc < 0 ? rc : 0;
}

/* Lets each lane pass on one message if it can. Returns how many did, or what ended the device. */
static int lanes_forward(struct lane *lanes, int count)
{
    int moved = 0;

    for (int i = 0; i < count; i++) {
        int rc = lane_forward(&lanes[i]);
        if (rc < 0 && rc != -EAGAIN)
            return rc;
        moved += rc == 0;
    }
    return moved;
}

static void lanes_clear(struct lane *lanes, int count)
{
    for (int i = 0; i < count; i++) {
        if (lanes[i].has_message)
            nn_message_free(&lanes[i].message);
    }
}

/* Returns what ended the device. */
static int lanes_run(struct lane *lanes, int count)
{
    int rc;

    do {
        rc = lanes_forward(lanes, count);
        if (rc == 0)
            rc = lanes_wait(lanes, count);
    } while (rc >= 0);
    return rc;
}

/* ---- Checks ---- */

/* Finds the directions that two sockets allow; the same socket twice passes messages back to where they came from.
 * Returns how many, or -EINVAL. */
static int device_lanes(struct sp_socket *first, struct sp_socket *second, struct lane *lanes)
{
    int count = 0;

    if (!socket_is_raw(first) || !socket_is_raw(second) || socket_family(first) != socket_family(second))
        return -EINVAL;
    /* Whatever one side receives, the other one has to send. */
    if (socket_has(first, NN_PROTOCOL_RECEIVES) != socket_has(second, NN_PROTOCOL_SENDS) ||
        socket_has(second, NN_PROTOCOL_RECEIVES) != socket_has(first, NN_PROTOCOL_SENDS))
        return -EINVAL;
    if (socket_has(first, NN_PROTOCOL_RECEIVES))
        lanes[count++] = (struct lane){.from = first, .to = second};
    if (socket_has(second, NN_PROTOCOL_RECEIVES))
        lanes[count++] = (struct lane){.from = second, .to = first};
    return count;
}

/* Both sockets, and the lanes between them; `second` is `first` where messages go back to where they came from. */
struct device {
    struct sp_socket *first;
    struct sp_socket *second;
    struct lane lanes[2];
    int lane_count;
};

static void device_release(struct device *self)
{
    sp_socket_release(self->second);
    sp_socket_release(self->first);
}

static int device_acquire(struct device *self, int s1, int s2)
{
    int rc = sp_socket_acquire(s1, &self->first);

    if (rc < 0)
        return rc;
    rc = sp_socket_acquire(s2, &self->second);
    if (rc < 0)
        sp_socket_release(self->first);
    return rc;
}

static int device_loopback_lane(struct device *self)
{
    if (!socket_is_raw(self->first))
        return -EINVAL;
    self->lanes[0] = (struct lane){.from = self->first, .to = self->first};
    return 1;
}

/* Returns 0, or -errno and nothing to close. */
static int device_open(struct device *self, int s1, int s2)
{
    bool is_loopback = s1 < 0 || s2 < 0;
    int rc = device_acquire(self, s1 < 0 ? s2 : s1, s2 < 0 ? s1 : s2);

    if (rc < 0)
        return rc;
    rc = is_loopback ? device_loopback_lane(self) : device_lanes(self->first, self->second, self->lanes);
    if (rc < 0) {
        device_release(self);
        return rc;
    }
    self->lane_count = rc;
    return 0;
}

static void device_close(struct device *self)
{
    lanes_clear(self->lanes, self->lane_count);
    device_release(self);
}

int nn_device(int s1, int s2)
{
    struct device device;
    int rc = device_open(&device, s1, s2);

    if (rc < 0)
        return nn_fail(rc);
    rc = lanes_run(device.lanes, device.lane_count);
    device_close(&device);
    return nn_fail(rc);
}

/* ---- On the loop of a host ---- */

struct nn_forwarder {
    struct device device;
};

struct nn_forwarder *nn_forwarder_create(int s1, int s2)
{
    struct nn_forwarder *self = sp_zalloc(sizeof *self);
    int rc = self != NULL ? device_open(&self->device, s1, s2) : -ENOMEM;

    if (rc == 0)
        return self;
    sp_free(self);
    errno = -rc;
    return NULL;
}

void nn_forwarder_destroy(struct nn_forwarder *self)
{
    device_close(&self->device);
    sp_free(self);
}

static int device_check_open(const struct device *self)
{
    int rc = sp_socket_events(self->first);

    if (rc >= 0)
        rc = sp_socket_events(self->second);
    return rc < 0 ? rc : 0;
}

/* How long the host may wait: until the time of the lane that waits longest is up. */
static int device_wait_ms(struct device *self)
{
    sp_time_ns deadline_ns = lanes_deadline(self->lanes, self->lane_count);
    sp_time_ns now_ns = sp_now_ns();

    if (deadline_ns == SP_FOREVER)
        return -1;
    if (now_ns >= deadline_ns)
        return 0;
    sp_time_ns wait_ms = (deadline_ns - now_ns + 999999) / 1000000;
    return wait_ms < INT_MAX ? (int)wait_ms : INT_MAX;
}

int nn_forwarder_run(struct nn_forwarder *self, int budget_messages, int *wait_ms)
{
    struct device *device = &self->device;
    int moved = 0;
    int rc;

    do {
        rc = lanes_forward(device->lanes, device->lane_count);
        if (rc < 0)
            return nn_fail(rc);
        moved += rc;
    } while (rc > 0 && moved < budget_messages);

    *wait_ms = -1;
    if (rc > 0)
        return moved;
    *wait_ms = device_wait_ms(device);
    if ((rc = device_check_open(device)) < 0)
        return nn_fail(rc);
    return *wait_ms == 0 ? nn_fail(-ETIMEDOUT) : moved;
}
