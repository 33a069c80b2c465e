/* Reading heads of HTTP (RFC 9112, sections 2 to 5). */
#include "util/http_head.h"

#include "platform/memory.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static const char line_end[] = "\r\n";
static const char head_end[] = "\r\n\r\n";

static struct sp_text text_of(const char *begin, const char *end)
{
    return (struct sp_text){.bytes = begin, .count = (size_t)(end - begin)};
}

bool sp_text_is(struct sp_text text, const char *other)
{
    return text.count == strlen(other) && strncasecmp(text.bytes, other, text.count) == 0;
}

/* ---- The head ---- */

/* Everything but what ends lines must be text: visible characters, spaces and tabs, and bytes beyond ASCII. */
static bool is_text(struct sp_text text)
{
    for (size_t i = 0; i < text.count; i++) {
        uint8_t byte = (uint8_t)text.bytes[i];
        if ((byte < ' ' && byte != '\t') || byte == 0x7f)
            return false;
    }
    return true;
}

/* Cuts the first line off; there is one. */
static struct sp_text take_line(struct sp_text *rest)
{
    const char *end = sp_bytes_find(rest->bytes, rest->count, line_end, 2);
    struct sp_text line = text_of(rest->bytes, end);

    *rest = text_of(end + 2, rest->bytes + rest->count);
    return line;
}

/* RFC 9110, 5.6.2: what names consist of. */
static bool is_name(struct sp_text text)
{
    for (size_t i = 0; i < text.count; i++) {
        if (text.bytes[i] <= ' ' || text.bytes[i] >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", text.bytes[i]) != NULL)
            return false;
    }
    return text.count > 0;
}

static struct sp_text trim(struct sp_text text)
{
    while (text.count > 0 && (text.bytes[0] == ' ' || text.bytes[0] == '\t'))
        text = text_of(text.bytes + 1, text.bytes + text.count);
    while (text.count > 0 && (text.bytes[text.count - 1] == ' ' || text.bytes[text.count - 1] == '\t'))
        text.count--;
    return text;
}

/* Splits "name: value". Returns false when the line is no field. */
static bool split_field(struct sp_text line, struct sp_text *name, struct sp_text *value)
{
    const char *colon = memchr(line.bytes, ':', line.count);

    if (colon == NULL)
        return false;
    *name = text_of(line.bytes, colon);
    *value = trim(text_of(colon + 1, line.bytes + line.count));
    return is_name(*name);
}

static bool are_fields(struct sp_text rest)
{
    struct sp_text name;
    struct sp_text value;

    while (rest.count > 0) {
        struct sp_text line = take_line(&rest);
        if (!is_text(line) || !split_field(line, &name, &value))
            return false;
    }
    return true;
}

int sp_http_head_parse(struct sp_http_head *self, const uint8_t *bytes, size_t count)
{
    const char *begin = (const char *)bytes;
    const char *end = sp_bytes_find(bytes, count, head_end, 4);

    if (end == NULL)
        return 0;
    self->fields = text_of(begin, end + 2);
    self->start = take_line(&self->fields);
    self->bytes = (size_t)(end + 4 - begin);
    return is_text(self->start) && are_fields(self->fields) ? 1 : -EPROTO;
}

int sp_http_head_start(const struct sp_http_head *self, struct sp_text words[3])
{
    const char *begin = self->start.bytes;
    const char *end = begin + self->start.count;
    int count = 0;

    while (count < 2) {
        const char *space = memchr(begin, ' ', (size_t)(end - begin));
        if (space == NULL)
            break;
        words[count++] = text_of(begin, space);
        begin = space + 1;
    }
    words[count++] = text_of(begin, end);
    return count;
}

/* ---- Fields ---- */

/* Finds the next field of a name in `rest`, and leaves there what follows it. */
static bool next_field(struct sp_text *rest, const char *name, struct sp_text *value)
{
    struct sp_text found;

    while (rest->count > 0) {
        struct sp_text line = take_line(rest);
        if (split_field(line, &found, value) && sp_text_is(found, name))
            return true;
    }
    return false;
}

bool sp_http_head_get(const struct sp_http_head *self, const char *name, struct sp_text *value)
{
    struct sp_text rest = self->fields;
    struct sp_text again;

    return next_field(&rest, name, value) && !next_field(&rest, name, &again);
}

bool sp_http_head_has(const struct sp_http_head *self, const char *name)
{
    struct sp_text rest = self->fields;
    struct sp_text value;

    return next_field(&rest, name, &value);
}

static bool find_element(struct sp_text list, const char *element, struct sp_text *found)
{
    const char *end = list.bytes + list.count;

    while (list.count > 0) {
        const char *comma = memchr(list.bytes, ',', list.count);
        struct sp_text here = trim(text_of(list.bytes, comma != NULL ? comma : end));
        if (sp_text_is(here, element)) {
            if (found != NULL)
                *found = here;
            return true;
        }
        list = text_of(comma != NULL ? comma + 1 : end, end);
    }
    return false;
}

bool sp_http_head_find(const struct sp_http_head *self, const char *name, const char *element, struct sp_text *found)
{
    struct sp_text rest = self->fields;
    struct sp_text value;

    while (next_field(&rest, name, &value)) {
        if (find_element(value, element, found))
            return true;
    }
    return false;
}

/* ---- Fields of users ---- */

static bool is_ours(struct sp_text name)
{
    static const char *const names[] = {"Host", "Upgrade", "Connection", "Content-Length", "Transfer-Encoding",
                                        "TE",   "Expect",  "Trailer",    "Keep-Alive",     "Proxy-Connection"};
    static const char prefix[] = "Sec-WebSocket-";

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (sp_text_is(name, names[i]))
            return true;
    }
    return name.count >= sizeof prefix - 1 && strncasecmp(name.bytes, prefix, sizeof prefix - 1) == 0;
}

bool sp_http_may_be_added(const char *bytes, size_t count)
{
    struct sp_text rest = {bytes, count};
    struct sp_text name;
    struct sp_text value;

    if (count > 0 && (count < 2 || memcmp(bytes + count - 2, line_end, 2) != 0))
        return false;
    if (!are_fields(rest))
        return false;
    while (rest.count > 0) {
        if (!split_field(take_line(&rest), &name, &value) || is_ours(name))
            return false;
    }
    return true;
}
