/* Origins of web pages, as lists admit them. */
#include "util/origins.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static bool is_same(struct sp_text one, struct sp_text other)
{
    return one.count == other.count && strncasecmp(one.bytes, other.bytes, one.count) == 0;
}

/* ---- Lists ---- */

/* The next word, behind which `list` is moved; of length 0: there is none. */
static struct sp_text next_word(const char **list)
{
    struct sp_text word = {*list, strcspn(*list, " ")};

    *list += word.count + ((*list)[word.count] == ' ' ? 1 : 0);
    return word;
}

/* What follows "scheme://", up to the end; of length 0: it is no origin. */
static struct sp_text place_of(struct sp_text origin)
{
    size_t i = 0;

    while (i < origin.count && (isalnum((unsigned char)origin.bytes[i]) || memchr("+-.", origin.bytes[i], 3) != NULL))
        i++;
    if (i == 0 || origin.count - i <= 3 || memcmp(origin.bytes + i, "://", 3) != 0)
        return (struct sp_text){"", 0};
    return (struct sp_text){origin.bytes + i + 3, origin.count - i - 3};
}

/* A path behind an origin is a mistake: no browser sends it, so that it would admit nothing. */
static bool is_origin(struct sp_text word)
{
    struct sp_text place = place_of(word);

    for (size_t i = 0; i < place.count; i++) {
        if (place.bytes[i] <= ' ' || place.bytes[i] >= 0x7f || strchr("/?#@,", place.bytes[i]) != NULL)
            return false;
    }
    return place.count > 0;
}

static bool is_word(struct sp_text word)
{
    return sp_text_is(word, "self") || sp_text_is(word, "null") || sp_text_is(word, "*") || is_origin(word);
}

/* Behind the bytes there need be no NUL. */
bool sp_origins_are_valid(const char *list, size_t size)
{
    size_t begin = 0;

    if (size == 0)
        return true;
    for (size_t i = 0; i <= size; i++) {
        if (i < size && list[i] != ' ')
            continue;
        if (!is_word((struct sp_text){list + begin, i - begin}))
            return false;
        begin = i + 1;
    }
    return true;
}

/* ---- Requests ---- */

/* Without the port that the scheme stands for: browsers leave it out, other clients may not. */
static struct sp_text without_usual_port(struct sp_text place, struct sp_text origin)
{
    const char *port = strncasecmp(origin.bytes, "https:", 6) == 0 ? ":443" : ":80";
    size_t length = strlen(port);

    if (place.count > length && memcmp(place.bytes + place.count - length, port, length) == 0)
        place.count -= length;
    return place;
}

/* Whether the page is from the host and port that the request is for. Of a proxy that ends TLS the scheme of the page
 * is not ours, and the usual port is that of the page's scheme. */
static bool is_of_host(struct sp_text origin, const struct sp_http_head *request)
{
    struct sp_text place = place_of(origin);
    struct sp_text host;

    return place.count > 0 && sp_http_head_get(request, "Host", &host) &&
           is_same(without_usual_port(place, origin), without_usual_port(host, origin));
}

static bool admits(struct sp_text word, struct sp_text origin, const struct sp_http_head *request)
{
    if (sp_text_is(word, "*"))
        return true;
    return sp_text_is(word, "self") ? is_of_host(origin, request) : is_same(word, origin);
}

bool sp_origins_admit(const char *list, const struct sp_http_head *request)
{
    struct sp_text origin;
    struct sp_text word;

    if (!sp_http_head_has(request, "Origin"))
        return true;
    if (!sp_http_head_get(request, "Origin", &origin))
        return false; /* it says so twice */
    while ((word = next_word(&list)).count > 0) {
        if (admits(word, origin, request))
            return true;
    }
    return false;
}
