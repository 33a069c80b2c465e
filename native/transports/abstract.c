/* abstract://NAME: ipc with a name that is in no file system, where the system has such names. It is gone with the last
 * descriptor. */
#include "streams/stream_endpoint.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

/* The name as NNG writes it: any bytes, %XX for those that cannot stand there, NUL included. Returns its length,
 * -EINVAL or -ENAMETOOLONG. */
static int decode_name(const char *text, char *name, size_t limit_bytes)
{
    size_t count = 0;

    while (*text != '\0') {
        unsigned byte = (unsigned char)*text;
        size_t taken = 1;
        if (byte == '%') {
            if (!isxdigit((unsigned char)text[1]) || !isxdigit((unsigned char)text[2]))
                return -EINVAL;
            sscanf(text + 1, "%2x", &byte);
            taken = 3;
        }
        if (count == limit_bytes)
            return -ENAMETOOLONG;
        name[count++] = (char)byte;
        text += taken;
    }
    return (int)count;
}

static int abstract_address(const char *text, struct sp_socket_address *address)
{
    struct sockaddr_un *unix_address = (struct sockaddr_un *)&address->storage;
    size_t start = offsetof(struct sockaddr_un, sun_path);

    if (!sp_descriptor_has_abstract_names())
        return -EPROTONOSUPPORT;
    memset(unix_address, 0, sizeof *unix_address);
    unix_address->sun_family = AF_UNIX;
    int count = decode_name(text, unix_address->sun_path + 1, sizeof unix_address->sun_path - 1);
    /* Without a name the kernel chooses one. */
    address->length = (socklen_t)(count > 0 ? start + 1 + (size_t)count : start);
    return count;
}

static int abstract_bind(struct nn_endpoint *base, const char *text)
{
    struct sp_socket_address address;
    int rc = abstract_address(text, &address);

    return rc < 0 ? rc : sp_stream_endpoint_listen(base, &sp_ipc_framing, &address);
}

static int abstract_connect(struct nn_endpoint *base, const char *text)
{
    struct sp_dialer_target target = {.family = AF_UNIX};
    int rc = abstract_address(text, &target.address);

    if (rc <= 0)
        return rc < 0 ? rc : -EINVAL;
    return sp_stream_endpoint_connect(base, &sp_ipc_framing, &target);
}

/* An endpoint bound without a name reports the one that the kernel chose: five hexadecimal digits. */
static void write_address(const struct nn_endpoint *base, char *buffer)
{
    const struct sp_stream_endpoint *self = nn_endpoint_data(base);
    const char *text = strstr(base->address, "://") + 3;
    struct sockaddr_un name = {0};
    socklen_t length = sizeof name;

    if (*text == '\0' && getsockname(self->listener.watch.fd, (struct sockaddr *)&name, &length) == 0)
        text = name.sun_path + 1;
    snprintf(buffer, NN_SOCKADDR_MAX + 1, "%s", text);
}

const struct nn_transport sp_abstract_transport = {
    .version = NN_TRANSPORT_VERSION,
    .scheme = "abstract",
    .endpoint_bytes = sizeof(struct sp_stream_endpoint),
    .bind = abstract_bind,
    .connect = abstract_connect,
    .close = sp_stream_endpoint_close,
    .address = write_address,
};
