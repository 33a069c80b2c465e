/* The parts of a WebSocket's address. */
#include "streams/ws_address.h"

#include <errno.h>
#include <string.h>

/* What a request can say of host and path; a fragment means nothing there (RFC 6455, section 3). */
static bool can_be_requested(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text <= ' ' || *text == 0x7f || *text == '#')
            return false;
    }
    return true;
}

static bool has_port(const char *host)
{
    const char *bracket = strrchr(host, ']');

    return strchr(bracket != NULL ? bracket : host, ':') != NULL;
}

/* A port behind the path is a mistake that libnanomsg reports as well. */
static bool ends_with_port(const char *path)
{
    const char *colon = strrchr(path, ':');

    return colon != NULL && colon[1] != '\0' && strspn(colon + 1, "0123456789") == strlen(colon + 1);
}

int sp_ws_address_parse(struct sp_ws_address *self, const char *text, bool is_bound)
{
    size_t place_bytes = strcspn(text, "/");

    memcpy(self->place, text, place_bytes);
    self->place[place_bytes] = '\0';
    const char *semicolon = strchr(self->place, ';');
    self->host = semicolon != NULL ? semicolon + 1 : self->place;
    self->path = text + place_bytes;
    self->has_port = has_port(self->host);
    if (!can_be_requested(self->host) || !can_be_requested(self->path))
        return -EINVAL;
    if (is_bound)
        return strchr(self->path, '?') != NULL ? -EINVAL : 0;
    return !self->has_port && ends_with_port(self->path) ? -EINVAL : 0;
}

/* A request names no interface of ours (RFC 6874, section 4): "[fe80::1%eth0]:80" is written without %eth0. */
void sp_ws_address_write_host(const struct sp_ws_address *self, char *to)
{
    const char *percent = strchr(self->host, '%');
    const char *rest = percent != NULL ? strchr(percent, ']') : NULL;
    size_t count = rest != NULL ? (size_t)(percent - self->host) : strlen(self->host);

    memcpy(to, self->host, count);
    strcpy(to + count, rest != NULL ? rest : "");
}
