/* The head of an HTTP/1.1 message: a start line and fields, up to the empty line. A view on the bytes it was read
 * from; nothing is allocated. */
#ifndef SP_UTIL_HTTP_HEAD_H
#define SP_UTIL_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sp_text {
    const char *bytes;
    size_t count;
};

struct sp_http_head {
    struct sp_text start;  /* the first line, without its end */
    struct sp_text fields; /* all lines behind it, each with its end */
    size_t bytes;          /* of the whole head, the empty line included */
};

/* Reads a head. Returns 1; 0 when its end is not there yet; -EPROTO when it is none. */
int sp_http_head_parse(struct sp_http_head *self, const uint8_t *bytes, size_t count);

/* The words of the start line, which are separated by single spaces; the last one is the rest of the line. Returns how
 * many there are, at most three. */
int sp_http_head_start(const struct sp_http_head *self, struct sp_text words[3]);

/* The value of a field, which must be there once. Returns false when it is not there, or more than once. */
bool sp_http_head_get(const struct sp_http_head *self, const char *name, struct sp_text *value);

bool sp_http_head_has(const struct sp_http_head *self, const char *name);

/* Finds an element in a comma-separated field, which may be there more than once. Case does not matter. `found`, which
 * is optional, is the element as it was sent. */
bool sp_http_head_find(const struct sp_http_head *self, const char *name, const char *element, struct sp_text *found);

/* Whether these are whole lines "Name: value\r\n" that a user may add to a request to upgrade: none of those by which
 * the request is understood, or which say how long it is. */
bool sp_http_may_be_added(const char *bytes, size_t count);

/* Whether the text is this, but for case. */
bool sp_text_is(struct sp_text text, const char *other);

#endif
