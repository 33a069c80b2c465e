/* Heads of HTTP messages: what is found in them lies inside of them, and is what a plain reading finds. */
#include "check.h"
#include "fuzzer.h"

#include "util/base64.h"
#include "util/http_head.h"
#include "util/utf8.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void check_inside(struct sp_text text, const uint8_t *bytes, size_t count)
{
    if (text.count == 0)
        return;
    CHECK((const uint8_t *)text.bytes >= bytes && (const uint8_t *)text.bytes + text.count <= bytes + count);
}

static void look_up(const struct sp_http_head *head, const uint8_t *bytes)
{
    static const char *const names[] = {"Host", "Upgrade", "Connection", "Content-Length", "X"};
    struct sp_text text;

    for (size_t i = 0; i < COUNT(names); i++) {
        if (sp_http_head_get(head, names[i], &text)) {
            CHECK(sp_http_head_has(head, names[i]));
            check_inside(text, bytes, head->bytes);
        }
        if (sp_http_head_find(head, names[i], "websocket", &text)) {
            CHECK(sp_http_head_has(head, names[i]) && sp_text_is(text, "WebSocket"));
            check_inside(text, bytes, head->bytes);
        }
    }
}

static void check_head(const uint8_t *bytes, size_t count)
{
    struct sp_text words[3];
    struct sp_http_head head;

    if (sp_http_head_parse(&head, bytes, count) <= 0)
        return;
    CHECK(head.bytes <= count && head.bytes >= 4);
    CHECK(memcmp(bytes + head.bytes - 4, "\r\n\r\n", 4) == 0);
    check_inside(head.start, bytes, head.bytes);
    check_inside(head.fields, bytes, head.bytes);
    int found = sp_http_head_start(&head, words);
    CHECK(found >= 0 && found <= 3);
    for (int i = 0; i < found; i++)
        check_inside(words[i], head.start.bytes == NULL ? bytes : (const uint8_t *)head.start.bytes, head.start.count);
    look_up(&head, bytes);
}

/* Whatever is shorter than the head asks for more, or is refused as the whole is. */
static void check_prefixes(const uint8_t *bytes, size_t count)
{
    struct sp_http_head head;
    int whole = sp_http_head_parse(&head, bytes, count);

    for (size_t part = 0; part < count; part += 1 + part / 8) {
        int rc = sp_http_head_parse(&head, bytes, part);
        if (whole == 0)
            CHECK(rc == 0);
        else if (rc > 0)
            CHECK(whole > 0 && head.bytes <= part);
    }
}

/* Lines that may be added to a request leave it a request with the same fields. */
static void check_addition(const uint8_t *bytes, size_t count)
{
    static const char start[] = "GET / HTTP/1.1\r\nHost: a\r\n";
    uint8_t request[4096];
    size_t start_bytes = sizeof start - 1;
    struct sp_http_head head;
    struct sp_text host;

    if (count > sizeof request - start_bytes - 2 || !sp_http_may_be_added((const char *)bytes, count))
        return;
    memcpy(request, start, start_bytes);
    memcpy(request + start_bytes, bytes, count);
    memcpy(request + start_bytes + count, "\r\n", 2);
    CHECK(sp_http_head_parse(&head, request, start_bytes + count + 2) > 0);
    CHECK(head.bytes == start_bytes + count + 2);
    CHECK(sp_http_head_get(&head, "Host", &host) && sp_text_is(host, "a"));
    CHECK(!sp_http_head_has(&head, "Content-Length") && !sp_http_head_has(&head, "Transfer-Encoding"));
}

/* What is no text stays none, and a text's beginnings may be the beginning of one. */
static void check_text(const uint8_t *bytes, size_t count)
{
    size_t whole_bytes;
    bool is_valid = sp_utf8_is_valid(bytes, count);
    bool may_begin = sp_utf8_may_begin(bytes, count, &whole_bytes);

    CHECK(!is_valid || (may_begin && whole_bytes == count));
    CHECK(!may_begin || (whole_bytes <= count && count - whole_bytes < 4 && sp_utf8_is_valid(bytes, whole_bytes)));
}

static void check_base64(const uint8_t *bytes, size_t count)
{
    char text[SP_BASE64_LENGTH(64)];

    sp_base64_encode(bytes, count % 65 < count ? count % 65 : count, text);
    size_t encoded = count % 65 < count ? count % 65 : count;
    CHECK(sp_base64_is_of(text, SP_BASE64_LENGTH(encoded), encoded));
    sp_base64_is_of((const char *)bytes, count, 16);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    if (count == 0)
        return 0;
    check_head(bytes, count);
    check_prefixes(bytes, count);
    check_addition(bytes, count);
    check_text(bytes, count);
    check_base64(bytes, count);
    return 0;
}
