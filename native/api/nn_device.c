/* nn_device: forwards messages between two raw sockets, or from one to itself, on the caller's thread. Headers travel
 * with the messages, so that answers find their way back. */
#include "api/fail.h"

#include "core/interest.h"
#include "core/message.h"

/* One direction of a device. A message that cannot be passed on yet is held, and then the next one is not received. */
struct lane {
    struct sp_socket *from;
    struct sp_socket *to;
    struct nn_message message;
    bool has_message;
    bool is_waiting;
    sp_time_ns deadline_ns; /* of NN_RCVTIMEO or NN_SNDTIMEO, while it waits */
};

static int socket_int_option(struct sp_socket *socket, int option)
{
    int value = 0;
    size_t size = sizeof value;

    (void)sp_socket_get_option(socket, NN_SOL_SOCKET, option, &value, &size);
    return value;
}

static bool socket_is_raw(const struct sp_socket *socket)
{
    return sp_socket_protocol(socket)->domain == AF_SP_RAW;
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

/* Adds what the lane waits for, and returns until when. */
static sp_time_ns lane_wait(struct lane *self, struct sp_interest *interests)
{
    struct sp_socket *socket = self->has_message ? self->to : self->from;

    interests[interests[0].socket == socket ? 0 : 1].events |= self->has_message ? NN_POLLOUT : NN_POLLIN;
    if (!self->is_waiting) {
        self->is_waiting = true;
        self->deadline_ns =
            sp_deadline_after_ms(socket_int_option(socket, self->has_message ? NN_SNDTIMEO : NN_RCVTIMEO));
    }
    return self->deadline_ns;
}

/* Waits until some lane can go on. Also the socket that no lane waits for now ends the device when it is closed. */
static int lanes_wait(struct lane *lanes, int count)
{
    struct sp_interest interests[2] = {{.socket = lanes[0].from}, {.socket = lanes[0].to}};
    sp_time_ns deadline_ns = SP_FOREVER;

    for (int i = 0; i < count; i++) {
        sp_time_ns lane_deadline_ns = lane_wait(&lanes[i], interests);
        if (lane_deadline_ns < deadline_ns)
            deadline_ns = lane_deadline_ns;
    }
    int rc = sp_interests_wait(interests, 2, deadline_ns);
    if (rc == -EINTR && count > 1)
        return 0; /* as ever, signals end devices of one direction only */
    if (rc == 0)
        return -ETIMEDOUT;
    return rc < 0 ? rc : 0;
}

/* Returns what ended the device. */
static int lanes_run(struct lane *lanes, int count)
{
    int rc = 0;

    while (rc == 0) {
        bool has_moved = false;
        for (int i = 0; i < count && (rc == 0 || rc == -EAGAIN); i++) {
            rc = lane_forward(&lanes[i]);
            has_moved |= rc == 0;
        }
        if (rc == -EAGAIN)
            rc = 0;
        if (rc == 0 && !has_moved)
            rc = lanes_wait(lanes, count);
    }
    for (int i = 0; i < count; i++) {
        if (lanes[i].has_message)
            nn_message_free(&lanes[i].message);
    }
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

static int device_between(int s1, int s2)
{
    struct lane lanes[2];
    struct sp_socket *first;
    struct sp_socket *second;
    int rc = sp_socket_acquire(s1, &first);

    if (rc < 0)
        return rc;
    rc = sp_socket_acquire(s2, &second);
    if (rc == 0) {
        rc = device_lanes(first, second, lanes);
        if (rc > 0)
            rc = lanes_run(lanes, rc);
        sp_socket_release(second);
    }
    sp_socket_release(first);
    return rc;
}

static int device_loopback(int s)
{
    struct sp_socket *socket;
    int rc = sp_socket_acquire(s, &socket);

    if (rc < 0)
        return rc;
    struct lane lane = {.from = socket, .to = socket};
    rc = socket_is_raw(socket) ? lanes_run(&lane, 1) : -EINVAL;
    sp_socket_release(socket);
    return rc;
}

int nn_device(int s1, int s2)
{
    if (s1 < 0 && s2 < 0)
        return nn_fail(-EBADF);
    if (s1 < 0 || s2 < 0)
        return nn_fail(device_loopback(s1 < 0 ? s2 : s1));
    return nn_fail(device_between(s1, s2));
}
