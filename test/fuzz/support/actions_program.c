/* What programs seldom do. */
#include "actions_list.h"

#include "check.h"

#include <nanomsg/inproc.h>
#include <nanomsg/ipc.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/survey.h>
#include <nanomsg/tcp.h>
#include <nanomsg/tls.h>
#include <nanomsg/ws.h>

#include <limits.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BORROWED_BYTES ((size_t)3 << 20)

/* The records in memory of nn_allocmsg. */
void action_receive_allocated(struct run *run, struct input *input)
{
    uint8_t byte = input_u8(input);

    run_receive_allocated(action_socket(run, byte), byte & 0x40);
}

/* A body that the engine must copy when it cannot send it at once. */
void action_send_borrowed(struct run *run, struct input *input)
{
    static uint8_t body[BORROWED_BYTES];
    uint8_t byte = input_u8(input);
    struct run_socket *socket = action_socket(run, byte);
    size_t count = ((size_t)input_u16(input) << 6) % (sizeof body + 1);

    if (nn_send(socket->s, body, count, NN_DONTWAIT) >= 0)
        socket->requests++;
}

void action_set_rare_option(struct run *run, struct input *input)
{
    static const struct {
        int level;
        int option;
        int value;
    } options[] = {
        {NN_SURVEYOR, NN_SURVEYOR_DEADLINE, INT_MAX},
        {NN_REQ, NN_REQ_RESEND_IVL, INT_MAX},
        {NN_SOL_SOCKET, NN_SNDPRIO, 16},
        {NN_SOL_SOCKET, NN_SNDBUF, 1 << 20},
        {NN_SOL_SOCKET, NN_RCVBUF, 1 << 20},
        {NN_SOL_SOCKET, NN_LINGER, 20000},
        {NN_SOL_SOCKET, NN_LINGER, 0},
        {NN_IPC, NN_IPC_CREDENTIALS, 1},
        {NN_SOL_SOCKET, NN_RECONNECT_IVL, INT_MAX},
        {NN_SOL_SOCKET, NN_RCVMAXSIZE, 0},
        {NN_WS, NN_WS_MSG_TYPE, NN_WS_MSG_TYPE_TEXT},
        {NN_TLS, NN_TLS_VERIFY, 0},
        {NN_SOL_SOCKET, NN_MAXTTL, 255},
        {NN_REQ, NN_REQ_RESEND_IVL, 0},
        {NN_SOL_SOCKET, NN_IPV4ONLY, 0},
    };
    uint8_t byte = input_u8(input);
    size_t which = (byte & 0x7f) % COUNT(options);

    run_set_int(action_socket(run, byte), options[which].level, options[which].option, options[which].value);
}

void action_ask_statistic(struct run *run, struct input *input)
{
    uint8_t byte = input_u8(input);

    nn_get_statistic(action_socket(run, byte)->s, NN_STAT_CURRENT_SND_PRIORITY + (byte & 1));
}

/* A second endpoint of the same kind, or one inside of the process to the socket itself. */
void action_open_second_endpoint(struct run *run, struct input *input)
{
    uint8_t byte = input_u8(input);
    struct run_socket *socket = action_socket(run, byte);

    if (byte & 0x40)
        nn_connect(socket->s, "inproc://a");
    else
        run_open_endpoint(socket);
}
