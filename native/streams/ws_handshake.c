/* Opening a WebSocket, from both sides. */
#include "streams/ws_handshake.h"

#include "streams/ws_paths.h"
#include "streams/ws_session.h"
#include "streams/ws_framing.h"

#include "message/chunk.h"
#include "core/options.h"
#include "core/registry.h"
#include "core/socket_state.h"
#include "util/base64.h"
#include "util/origins.h"
#include "util/random.h"
#include "util/sha1.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define KEY_BYTES 16
#define KEY_LENGTH SP_BASE64_LENGTH(KEY_BYTES)
#define SUBPROTOCOL_BYTES 96
/* How much of a server's refusal is reported. */
#define STATUS_LIMIT_BYTES ((size_t)100)

static void reply_with(struct sp_handshake *handshake, int length)
{
    handshake->reply_bytes = length > 0 && (size_t)length < sizeof handshake->reply ? (size_t)length : 0;
}

static void describe_problem(struct sp_handshake *handshake, const char *problem, size_t count)
{
    handshake->problem = problem;
    handshake->problem_bytes = count;
}

/* ---- What both know ---- */

/* RFC 6455, 4.2.2: proves that the server has understood the request. */
static void write_accept(const char key[KEY_LENGTH], char accept[SP_WS_ACCEPT_LENGTH])
{
    static const char suffix[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char text[KEY_LENGTH + sizeof suffix - 1];
    uint8_t digest[SP_SHA1_BYTES];

    memcpy(text, key, KEY_LENGTH);
    memcpy(text + KEY_LENGTH, suffix, sizeof suffix - 1);
    sp_sha1(text, sizeof text, digest);
    sp_base64_encode(digest, sizeof digest, accept);
}

static void write_subprotocol(const char *server_type, char name[SUBPROTOCOL_BYTES])
{
    snprintf(name, SUBPROTOCOL_BYTES, "%s.sp.nanomsg.org", server_type);
}

/* The name of the sub-protocol in which a client of this type asks. */
static void write_wanted_subprotocol(const struct sp_socket *client, char name[SUBPROTOCOL_BYTES])
{
    bool has_domain;
    int peer_id = client->protocol->peer_id;
    const struct nn_protocol *server = sp_registry_protocol(client->domain, peer_id, &has_domain);

    /* A user's own protocol whose peers live elsewhere only: a number is better than no name. */
    char number[16];
    snprintf(number, sizeof number, "%d", peer_id);
    write_subprotocol(server != NULL ? server->name : number, name);
}

/* ---- The client ---- */

void sp_ws_request(struct sp_session *session, struct sp_handshake *handshake)
{
    struct sp_ws_session *self = sp_ws_session_of(session);
    const struct sp_ws_endpoint *endpoint = sp_ws_endpoint_of(handshake->endpoint);
    uint8_t nonce[KEY_BYTES];
    char key[KEY_LENGTH];
    char subprotocol[SUBPROTOCOL_BYTES];
    const struct nn_chunk *headers = handshake->endpoint->options.texts[SP_WS_REQUEST_HEADERS];

    self->is_client = true;
    self->send_opcode = (uint8_t)handshake->endpoint->options.ws_message_type;
    for (size_t i = 0; i < sizeof nonce; i += 4) {
        uint32_t word = sp_random_unpredictable_u32();
        memcpy(nonce + i, &word, sizeof word);
    }
    sp_base64_encode(nonce, sizeof nonce, key);
    write_accept(key, self->accept);
    write_wanted_subprotocol(handshake->endpoint->socket, subprotocol);
    reply_with(handshake, snprintf((char *)handshake->reply, sizeof handshake->reply,
                                   "GET %s HTTP/1.1\r\n"
                                   "Host: %s\r\n"
                                   "Upgrade: websocket\r\n"
                                   "Connection: Upgrade\r\n"
                                   "Sec-WebSocket-Key: %.*s\r\n"
                                   "Sec-WebSocket-Version: 13\r\n"
                                   "Sec-WebSocket-Protocol: %s\r\n"
                                   "%s"
                                   "\r\n",
                                   endpoint->path, endpoint->host, (int)sizeof key, key, subprotocol,
                                   headers != NULL ? (const char *)headers->bytes : ""));
}

/* A server's first line, as far as it is text. */
static void describe_status(struct sp_handshake *handshake)
{
    size_t count = 0;

    while (count < handshake->received_bytes && count < STATUS_LIMIT_BYTES && handshake->received[count] >= ' ' &&
           handshake->received[count] < 0x7f)
        count++;
    describe_problem(handshake, (const char *)handshake->received, count);
}

/* A refusal is known by its first line; libnanomsg never completes the head of one. Returns 0 while it may be an
 * acceptance, or -EPROTO (no HTTP) or -ECONNREFUSED. */
static int check_status(struct sp_handshake *handshake)
{
    static const char accepted[] = "HTTP/1.1 101";
    const size_t version_length = 9;
    size_t length = sizeof accepted - 1;
    size_t count = handshake->received_bytes < length ? handshake->received_bytes : length;

    if (memcmp(handshake->received, accepted, count) == 0)
        return 0;
    describe_status(handshake);
    return memcmp(handshake->received, accepted, count < version_length ? count : version_length) == 0 ? -ECONNREFUSED
                                                                                                       : -EPROTO;
}

static bool is_acceptance(const struct sp_ws_session *self, const struct sp_http_head *head, const char *subprotocol)
{
    struct sp_text value;

    if (!sp_http_head_find(head, "Upgrade", "websocket", NULL) ||
        !sp_http_head_find(head, "Connection", "upgrade", NULL))
        return false;
    if (!sp_http_head_get(head, "Sec-WebSocket-Accept", &value) || value.count != sizeof self->accept ||
        memcmp(value.bytes, self->accept, sizeof self->accept) != 0)
        return false;
    if (sp_http_head_has(head, "Sec-WebSocket-Extensions"))
        return false; /* none was asked for */
    /* A server that knows nothing of sub-protocols answers without one, and is believed. */
    return !sp_http_head_has(head, "Sec-WebSocket-Protocol") ||
           (sp_http_head_get(head, "Sec-WebSocket-Protocol", &value) && sp_text_is(value, subprotocol));
}

int sp_ws_read_response(struct sp_session *session, struct sp_handshake *handshake)
{
    const struct sp_socket *socket = handshake->endpoint->socket;
    char subprotocol[SUBPROTOCOL_BYTES];
    struct sp_http_head head;
    int rc = check_status(handshake);

    if (rc < 0)
        return rc;
    rc = sp_http_head_parse(&head, handshake->received, handshake->received_bytes);
    if (rc == 0)
        return handshake->received_bytes < SP_WS_HEAD_LIMIT_BYTES ? 0 : -EPROTO;
    write_wanted_subprotocol(socket, subprotocol);
    if (rc < 0 || !is_acceptance(sp_ws_session_of(session), &head, subprotocol))
        return -EPROTO;
    handshake->taken_bytes = head.bytes;
    return socket->protocol->peer_id;
}

/* ---- The server ---- */

struct refusal {
    const char *status;
    const char *fields;
    const char *text; /* for people who look with a browser or with curl; "": none */
    int error;
};

static const struct refusal bad_request = {"400 Bad Request", "", "", -EPROTO};
static const struct refusal not_allowed = {"405 Method Not Allowed", "Allow: GET\r\n", "", -EPROTO};
static const struct refusal no_such_path = {"404 Not Found", "", "", -ENOENT};
static const struct refusal no_upgrade = {
    "426 Upgrade Required", "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
    "This address is for WebSocket (version 13) with a subprotocol of nanomsg, such as rep.sp.nanomsg.org.\n", -EPROTO};
static const struct refusal not_of_page = {
    "403 Forbidden", "", "Web pages of this origin may not connect here (origins, in C NN_WS_ORIGINS).\n", -EPERM};
static const struct refusal not_admitted = {"403 Forbidden", "", "", -EPERM};
static const struct refusal wrong_type = {
    "400 Incompatible Socket Type", "",
    "The subprotocol names the type of the socket here: clients of a REP ask for rep.sp.nanomsg.org.\n", -EPROTOTYPE};
static const struct refusal is_taken = {"503 Service Unavailable", "", "", -EBUSY};
static const struct refusal too_long = {"431 Request Header Fields Too Large", "", "", -EMSGSIZE};

static int refuse(struct sp_handshake *handshake, const struct refusal *refusal)
{
    size_t count = strlen(refusal->text);

    reply_with(handshake,
               snprintf((char *)handshake->reply, sizeof handshake->reply,
                        "HTTP/1.1 %s\r\n%sConnection: %s\r\n%sContent-Length: %zu\r\n\r\n%s", refusal->status,
                        refusal->fields, refusal == &no_upgrade ? "close, Upgrade" : "close",
                        count > 0 ? "Content-Type: text/plain\r\n" : "", count, refusal->text));
    describe_problem(handshake, refusal->status, strlen(refusal->status));
    return refusal->error;
}

/* What cannot become a request is refused at once: what a peer of another protocol says first, for example. */
static bool may_be_request(const struct sp_handshake *handshake)
{
    size_t count = handshake->received_bytes < 16 ? handshake->received_bytes : 16;

    for (size_t i = 0; i < count; i++) {
        if (handshake->received[i] == ' ')
            return i > 0;
        if (handshake->received[i] < 'A' || handshake->received[i] > 'Z')
            return false;
    }
    return count < 16;
}

/* What follows "http://host:port" in a target that is a whole URI (RFC 6455, 4.2.1), as proxies are sent; others stay
 * as they are. */
static struct sp_text without_origin(struct sp_text target)
{
    static const char *const schemes[] = {"http://", "https://", "ws://", "wss://"};

    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t length = strlen(schemes[i]);
        if (target.count <= length || strncasecmp(target.bytes, schemes[i], length) != 0)
            continue;
        while (length < target.count && strchr("/?", target.bytes[length]) == NULL)
            length++;
        return (struct sp_text){target.bytes + length, target.count - length};
    }
    return target;
}

/* NNG leaves out a path that its user left out. */
static struct sp_text path_of(struct sp_text target)
{
    target = without_origin(target);
    const char *query = memchr(target.bytes, '?', target.count);

    if (query != NULL)
        target.count = (size_t)(query - target.bytes);
    return target.count > 0 ? target : (struct sp_text){"/", 1};
}

struct sp_text sp_ws_requested_path(const uint8_t *request, size_t count)
{
    struct sp_text words[3] = {{"", 0}, {"", 0}, {"", 0}};
    struct sp_http_head head;

    if (sp_http_head_parse(&head, request, count) > 0)
        sp_http_head_start(&head, words);
    return path_of(words[1]);
}

/* The request line (RFC 9112, section 3). */
static const struct refusal *check_start(const struct sp_http_head *head, struct sp_text *path)
{
    struct sp_text words[3];

    if (sp_http_head_start(head, words) != 3 || !sp_text_is(words[2], "HTTP/1.1"))
        return &bad_request;
    if (words[0].count != 3 || memcmp(words[0].bytes, "GET", 3) != 0)
        return &not_allowed;
    *path = path_of(words[1]);
    return path->bytes[0] == '/' ? NULL : &bad_request;
}

/* A body would be read as frames, by us or by a proxy that sees it otherwise. */
static bool announces_body(const struct sp_http_head *head)
{
    struct sp_text length;

    if (sp_http_head_has(head, "Transfer-Encoding"))
        return true;
    if (!sp_http_head_has(head, "Content-Length"))
        return false;
    if (!sp_http_head_get(head, "Content-Length", &length) || length.count == 0)
        return true;
    for (size_t i = 0; i < length.count; i++) {
        if (length.bytes[i] != '0')
            return true;
    }
    return false;
}

/* The fields that make it an upgrade to WebSocket (RFC 6455, 4.2.1). */
static const struct refusal *check_fields(const struct sp_http_head *head, struct sp_text *key)
{
    struct sp_text value;

    if (!sp_http_head_get(head, "Host", &value) || announces_body(head))
        return &bad_request;
    if (!sp_http_head_find(head, "Upgrade", "websocket", NULL) ||
        !sp_http_head_find(head, "Connection", "upgrade", NULL))
        return &no_upgrade;
    if (!sp_http_head_get(head, "Sec-WebSocket-Version", &value))
        return &bad_request;
    if (!sp_text_is(value, "13"))
        return &no_upgrade;
    if (!sp_http_head_get(head, "Sec-WebSocket-Key", key) || !sp_base64_is_of(key->bytes, key->count, KEY_BYTES))
        return &bad_request;
    return NULL;
}

/* Finds our name among the sub-protocols. A request without one counts as PAIR, as in libnanomsg. */
static const struct refusal *check_subprotocol(const struct sp_http_head *head, const struct nn_protocol *protocol,
                                               struct sp_text *subprotocol)
{
    char ours[SUBPROTOCOL_BYTES];

    *subprotocol = (struct sp_text){"", 0};
    if (!sp_http_head_has(head, "Sec-WebSocket-Protocol"))
        return strcmp(protocol->name, "pair") == 0 ? NULL : &wrong_type;
    write_subprotocol(protocol->name, ours);
    return sp_http_head_find(head, "Sec-WebSocket-Protocol", ours, subprotocol) ? NULL : &wrong_type;
}

/* Others than browsers say no Origin. */
static bool is_page_admitted(const struct nn_endpoint *endpoint, const struct sp_http_head *head)
{
    const struct nn_chunk *origins = endpoint->options.texts[SP_WS_ORIGINS];

    return origins == NULL || sp_origins_admit((const char *)origins->bytes, head);
}

void sp_ws_refuse(struct sp_session *session, struct sp_handshake *handshake)
{
    (void)session;
    refuse(handshake, &not_admitted);
}

static bool is_full(const struct sp_socket *socket)
{
    return socket->protocol->is_full != NULL && socket->protocol->is_full(socket->instance);
}

static void accept_request(struct sp_handshake *handshake, struct sp_text key, struct sp_text subprotocol)
{
    char accept[SP_WS_ACCEPT_LENGTH];
    bool has_subprotocol = subprotocol.count > 0;

    write_accept(key.bytes, accept);
    reply_with(handshake, snprintf((char *)handshake->reply, sizeof handshake->reply,
                                   "HTTP/1.1 101 Switching Protocols\r\n"
                                   "Upgrade: websocket\r\n"
                                   "Connection: Upgrade\r\n"
                                   "Sec-WebSocket-Accept: %.*s\r\n"
                                   "%s%.*s%s"
                                   "\r\n",
                                   (int)sizeof accept, accept, has_subprotocol ? "Sec-WebSocket-Protocol: " : "",
                                   (int)subprotocol.count, subprotocol.bytes, has_subprotocol ? "\r\n" : ""));
}

/* Keeps the fields of the request for messages that will come, and for the monitor. Returns 0 or -ENOMEM. */
static int keep_headers(struct sp_ws_session *self, struct sp_handshake *handshake, const struct sp_http_head *head)
{
    const struct sp_socket *socket = handshake->endpoint->socket;

    bool is_wanted = socket->options.ws_peer_headers || socket->monitor != NULL ||
                     handshake->endpoint->options.admission_timeout_ms != 0;

    handshake->peer_headers = self->peer_headers;
    if (!is_wanted || self->peer_headers != NULL)
        return 0; /* the latter when the peer was held, and is answered now */
    self->peer_headers = sp_chunk_create(head->fields.count);
    if (self->peer_headers == NULL)
        return -ENOMEM;
    memcpy(self->peer_headers->bytes, head->fields.bytes, head->fields.count);
    self->attaches_headers = socket->options.ws_peer_headers;
    handshake->peer_headers = self->peer_headers;
    return 0;
}

/* The event has the Origin among the headers. */
static int refuse_page(struct sp_ws_session *session, struct sp_handshake *handshake, const struct sp_http_head *head)
{
    static const char problem[] = "403 Forbidden, web pages of its Origin are not admitted";
    int error = refuse(handshake, &not_of_page);

    describe_problem(handshake, problem, sizeof problem - 1);
    return keep_headers(session, handshake, head) < 0 ? -ENOMEM : error;
}

static int respond_to(struct sp_ws_session *session, struct sp_handshake *handshake, const struct sp_http_head *head)
{
    struct sp_socket *socket = handshake->endpoint->socket;
    const struct refusal *refusal;
    struct sp_text path;
    struct sp_text key;
    struct sp_text subprotocol;

    if ((refusal = check_start(head, &path)) != NULL || (refusal = check_fields(head, &key)) != NULL)
        return refuse(handshake, refusal);
    switch (sp_ws_endpoint_find(sp_ws_endpoint_of(handshake->endpoint), path.bytes, path.count)) {
    case SP_WS_NOWHERE:
        return refuse(handshake, &no_such_path);
    case SP_WS_ELSEWHERE:
        return -EXDEV;
    case SP_WS_HERE:
        break;
    }
    if (!is_page_admitted(handshake->endpoint, head)) {
        socket->statistics.refused_origins++;
        return refuse_page(session, handshake, head);
    }
    if ((refusal = check_subprotocol(head, socket->protocol, &subprotocol)) != NULL)
        return refuse(handshake, refusal);
    if (is_full(socket))
        return refuse(handshake, &is_taken);
    if (keep_headers(session, handshake, head) < 0)
        return -ENOMEM;
    accept_request(handshake, key, subprotocol);
    handshake->taken_bytes = head->bytes;
    return socket->protocol->peer_id;
}

int sp_ws_respond(struct sp_session *session, struct sp_handshake *handshake)
{
    struct sp_http_head head;
    int rc;

    sp_ws_session_of(session)->send_opcode = (uint8_t)handshake->endpoint->socket->options.ws_message_type;
    if (!may_be_request(handshake))
        return refuse(handshake, &bad_request);
    rc = sp_http_head_parse(&head, handshake->received, handshake->received_bytes);
    if (rc == 0)
        return handshake->received_bytes < SP_WS_HEAD_LIMIT_BYTES ? 0 : refuse(handshake, &too_long);
    return rc < 0 ? refuse(handshake, &bad_request) : respond_to(sp_ws_session_of(session), handshake, &head);
}
