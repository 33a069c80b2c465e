/* Attendance: a call that waits for messages on a socket with one peer looks after that peer's descriptor itself, so that
 * what comes does not pass through the loop's thread. Afterwards the descriptor stays out of the loop for a moment, since
 * the next call is likely to do the same. */
#ifndef SP_CORE_ATTENDANCE_H
#define SP_CORE_ATTENDANCE_H

#include "loop/loop.h"

#include <stdbool.h>

struct sp_socket;

/* A call that waits; on its stack. */
struct sp_attendant {
    struct sp_waiter *waiter;
    int fd;          /* -1: it attends nothing */
    bool is_ready;   /* there is something to read */
    bool must_close; /* the connection has ended meanwhile: the descriptor is the attendant's */
};

/* A connection's part. Guarded by the socket's lock. */
struct sp_attendance {
    struct sp_watch *watch;
    struct sp_timer *timer; /* takes the descriptor back into the loop, by sp_attendance_expire */
    void (*read)(struct sp_attendance *self);
    struct sp_attendant *attendant; /* NULL: nobody now */
    sp_time_ns left_ns;             /* when the last one left */
};

/* Before and after a call of the socket sleeps for messages. */
void sp_attendance_begin(struct sp_socket *socket, struct sp_attendant *attendant);
void sp_attendance_finish(struct sp_socket *socket, struct sp_attendant *attendant);

/* Lets the loop watch again what nobody attends: for who is told by the loop only. */
void sp_attendance_return(struct sp_socket *socket);

/* The timer's deadline has passed. */
void sp_attendance_expire(struct sp_socket *socket);

/* The connection goes its own ways; an attendant is woken, and stays one until then. */
void sp_attendance_leave(struct sp_socket *socket, struct sp_attendance *self);

/* The connection ends. Returns true when its descriptor is an attendant's to close. */
bool sp_attendance_drop(struct sp_socket *socket, struct sp_attendance *self);

#endif
