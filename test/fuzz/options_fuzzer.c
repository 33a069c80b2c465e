/* Options of any level, number and length, on sockets of every type: what is read stays within its buffer and is what
 * was set, and endpoints are made with whatever was accepted. */
#include "check.h"
#include "run.h"
#include "fuzzer.h"
#include "virtual_authorities.h"

#include <nanomsg/tls.h>
#include <nanomsg/ws.h>

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define VALUE_BYTES ((size_t)256)
#define GUARD 0xa5

static int pem_file = -1;

/* Levels that there are, and some that there are not. */
static int read_level(struct input *input)
{
    return (int8_t)input_u8(input);
}

static void set_bytes(struct run_socket *self, struct input *input)
{
    int level = read_level(input);
    int option = (int8_t)input_u8(input);
    size_t count;
    const uint8_t *value = input_take(input, input_u8(input), &count);

    nn_setsockopt(self->s, level, option, value, count);
}

/* An int that is accepted is read back. */
static void set_int(struct run_socket *self, struct input *input)
{
    int level = read_level(input);
    int option = (int8_t)input_u8(input);
    uint8_t width = input_u8(input);
    int value = width & 1 ? (int)input_u32(input) : (int8_t)input_u8(input);
    int now = value + 1;
    size_t size = sizeof now;

    if (nn_setsockopt(self->s, level, option, &value, sizeof value) < 0 || level > 0 || level == NN_TLS)
        return;
    if (nn_getsockopt(self->s, level, option, &now, &size) == 0 && size == sizeof now)
        CHECK(now == value);
}

static void get(struct run_socket *self, struct input *input)
{
    uint8_t value[VALUE_BYTES + 1];
    int level = read_level(input);
    int option = (int8_t)input_u8(input);
    size_t room = input_u8(input);
    size_t size = room;

    memset(value, GUARD, sizeof value);
    nn_getsockopt(self->s, level, option, value, &size);
    CHECK(value[room] == GUARD);
}

/* The text in a file, whose name is the option. */
static void set_file(struct run_socket *self, int option, const char *text, size_t count)
{
    char name[32];

    CHECK(ftruncate(pem_file, 0) == 0 && pwrite(pem_file, text, count, 0) == (ssize_t)count);
    snprintf(name, sizeof name, "/proc/self/fd/%d", pem_file);
    nn_setsockopt(self->s, NN_TLS, option, name, strlen(name));
}

/* Certificates, keys and authorities: whole, cut and damaged ones. */
static void set_pem(struct run_socket *self, struct input *input)
{
    uint8_t choice = input_u8(input);
    const char *pem = choice & 0x80 ? peer_tls_authority() : peer_tls_certificate();
    size_t count = strlen(pem);
    size_t part = choice & 0x40 ? input_u16(input) % (count + 1) : count;
    char *text = malloc(count + 1);

    CHECK(text != NULL);
    memcpy(text, pem, count + 1);
    if (choice & 0x20)
        text[input_u16(input) % count] = (char)input_u8(input);
    if (choice & 0x10)
        set_file(self, NN_TLS_CERT + choice % 3, text, part);
    else
        nn_setsockopt(self->s, NN_TLS, NN_TLS_CERT + choice % 3, text, part);
    free(text);
}

static void open_endpoint(struct run_socket *self, struct input *input)
{
    static const char *const addresses[] = {
        "tcp://127.0.0.1:5555", "ws://127.0.0.1:5555/a",    "tls+tcp://127.0.0.1:5555", "wss://127.0.0.1:5555/a",
        "inproc://a",           "tls+tcp://localhost:5556", "wss://127.0.0.1:5555/b"};
    uint8_t choice = input_u8(input);
    const char *address = addresses[(choice & 15) % COUNT(addresses)];

    virtual_name_authorities(choice & 0x40);
    if (choice & 0x80)
        nn_bind(self->s, address);
    else
        nn_connect(self->s, address);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct input input = {bytes, count};
    struct run run;
    uint8_t kind = input_u8(&input);

    if (pem_file < 0)
        pem_file = memfd_create("pem", MFD_CLOEXEC); /* opened before descriptors are counted */
    run_begin(&run, false);
    struct run_socket *socket = run_open_socket(&run, run_socket_type(kind & 0x3f), kind & 0x80, run_plain_link(2));
    socket->receive_limit_bytes = -1;
    while (!input_is_empty(&input)) {
        void (*const actions[])(struct run_socket *, struct input *) = {set_bytes, set_int, get, set_pem,
                                                                        open_endpoint};
        uint8_t choice = input_u8(&input);
        actions[choice % COUNT(actions)](socket, &input);
        if (choice & 0x80)
            run_settle(&run);
    }
    nn_setsockopt(socket->s, NN_SOL_SOCKET, NN_LINGER, &(int){0}, sizeof(int));
    run_end(&run);
    return 0;
}
