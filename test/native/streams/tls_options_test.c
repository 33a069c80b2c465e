/* The options of TLS, and what bind and connect make of them. */
#include "sockets.h"
#include "tls_peer.h"

#include <nanomsg/pair.h>
#include <nanomsg/tcp.h>
#include <nanomsg/tls.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *file_with(const char *name, const char *text)
{
    const char *path = test_path(name);
    FILE *file = fopen(path, "w");

    CHECK(file != NULL);
    CHECK(fputs(text, file) >= 0);
    CHECK(fclose(file) == 0);
    return path;
}

static const char *together(const char *one, const char *other)
{
    char *text = tls_keep(malloc(strlen(one) + strlen(other) + 1));

    strcpy(text, one);
    strcat(text, other);
    return text;
}

/* Both sockets, and a message to see that they know each other. */
static void check_talk(int bound, int connecting, const char *address)
{
    CHECK_OK(nn_bind(bound, address));
    CHECK_OK(nn_connect(connecting, address));
    CHECK_SENDS(connecting, "question");
    CHECK_RECEIVES(bound, "question");
}

/* ---- Values ---- */

TEST(what_is_set_can_be_read_back_but_for_the_key)
{
    int pair = SOCKET(NN_PAIR);
    char text[64] = "";
    size_t size = sizeof text;

    CHECK_EQUAL(test_get_int(pair, NN_TLS, NN_TLS_VERIFY), 1);
    CHECK_EQUAL(test_get_int(pair, NN_TLS, NN_TLS_REQUIRE_CLIENT_CERT), 0);
    CHECK_OK(nn_getsockopt(pair, NN_TLS, NN_TLS_CERT, text, &size));
    CHECK_EQUAL(size, 0);

    SET_TLS(pair, NN_TLS_SERVER_NAME, "example.org");
    size = 8;
    CHECK_OK(nn_getsockopt(pair, NN_TLS, NN_TLS_SERVER_NAME, text, &size));
    CHECK_EQUAL(size, strlen("example.org"));
    CHECK_STRING(text, "example.");

    SET_TLS(pair, NN_TLS_KEY, "key.pem");
    size = sizeof text;
    CHECK_ERRNO(nn_getsockopt(pair, NN_TLS, NN_TLS_KEY, text, &size), ENOPROTOOPT);

    CHECK_OK(nn_setsockopt(pair, NN_TLS, NN_TLS_SERVER_NAME, NULL, 0));
    size = sizeof text;
    CHECK_OK(nn_getsockopt(pair, NN_TLS, NN_TLS_SERVER_NAME, text, &size));
    CHECK_EQUAL(size, 0);
}

TEST(values_that_cannot_be_are_refused)
{
    int pair = SOCKET(NN_PAIR);
    int two = 2;
    size_t too_many = 1024 * 1024 + 1;
    char *long_text = malloc(too_many);

    CHECK(long_text != NULL);
    memset(long_text, 'x', too_many);
    CHECK_ERRNO(nn_setsockopt(pair, NN_TLS, NN_TLS_VERIFY, &two, sizeof two), EINVAL);
    CHECK_ERRNO(nn_setsockopt(pair, NN_TLS, NN_TLS_REQUIRE_CLIENT_CERT, "1", 1), EINVAL);
    CHECK_ERRNO(nn_setsockopt(pair, NN_TLS, NN_TLS_CERT, "a\0b", 3), EINVAL);
    CHECK_ERRNO(nn_setsockopt(pair, NN_TLS, NN_TLS_CA, long_text, too_many), EINVAL);
    CHECK_OK(nn_setsockopt(pair, NN_TLS, NN_TLS_CA, long_text, too_many - 1));
    CHECK_ERRNO(nn_setsockopt(pair, NN_TLS, NN_TLS_PEER_CERTIFICATE + 1, &two, sizeof two), ENOPROTOOPT);
    free(long_text);
}

TEST(a_text_with_line_breaks_is_no_file)
{
    static const int options[] = {NN_TLS_CERT, NN_TLS_KEY, NN_TLS_CA};
    static const char *const texts[] = {"MIIB\nAAAA\n", "/etc/passwd\r", "\n"};
    int pair = SOCKET(NN_PAIR);

    for (int i = 0; i < 9; i++)
        CHECK_ERRNO(nn_setsockopt(pair, NN_TLS, options[i / 3], texts[i % 3], strlen(texts[i % 3])), EINVAL);
}

/* To OpenSSL it would mean all names that end like this. */
TEST(a_name_with_a_leading_dot_is_refused)
{
    int pair = SOCKET(NN_PAIR);

    CHECK_ERRNO(nn_setsockopt(pair, NN_TLS, NN_TLS_SERVER_NAME, ".example.org", 12), EINVAL);
    CHECK_ERRNO(nn_setsockopt(pair, NN_TLS, NN_TLS_SERVER_NAME, ".", 1), EINVAL);
    SET_TLS(pair, NN_TLS_CA, tls_ca()->cert);
    CHECK_ERRNO(nn_connect(pair, "tls+tcp://.localhost:5555"), EINVAL);
    CHECK_ERRNO(nn_connect(pair, "wss://.localhost:5555/"), EINVAL);
}

/* ---- Keys ---- */

/* A sanitizer's own memory is too much to be looked through. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

#define SECRET_BYTES 128
/* What is looked for, in the middle of it: malloc writes to both ends of memory that is freed. */
#define MARK_AT 40
#define MARK_BYTES 48

/* A text that stands nowhere else: neither does what it is made of. */
static char letter(int i)
{
    return (char)('a' + (i * 7 + i / 5) % 26);
}

static void make_secret(char secret[SECRET_BYTES])
{
    for (int i = 0; i < SECRET_BYTES; i++)
        secret[i] = letter(i);
}

static bool is_mark(const char *bytes)
{
    for (int i = 0; i < MARK_BYTES; i++) {
        if (bytes[i] != letter(MARK_AT + i))
            return false;
    }
    return true;
}

/* How often the mark stands in memory that can be written to, apart from this function's own. */
static int count_marks(void)
{
    static char page[4096 + MARK_BYTES];
    FILE *maps = fopen("/proc/self/maps", "r");
    int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    char line[512];
    int found = 0;

    CHECK(maps != NULL && memory >= 0);
    while (fgets(line, sizeof line, maps) != NULL) {
        unsigned long begin;
        unsigned long end;
        char rights[8];
        if (sscanf(line, "%lx-%lx %7s", &begin, &end, rights) != 3 || strncmp(rights, "rw-p", 4) != 0)
            continue;
        for (unsigned long at = begin; at < end; at += 4096) {
            if (at + sizeof page > (unsigned long)page && at < (unsigned long)page + sizeof page)
                continue;
            ssize_t count = pread(memory, page, sizeof page, (off_t)at);
            for (ssize_t i = 0; i < 4096 && i + MARK_BYTES <= count; i++)
                found += is_mark(page + i);
        }
    }
    fclose(maps);
    close(memory);
    return found;
}

TEST(keys_leave_nothing_behind_in_memory)
{
    int pair = SOCKET(NN_PAIR);
    char secret[SECRET_BYTES];

    make_secret(secret);
    CHECK_OK(nn_setsockopt(pair, NN_TLS, NN_TLS_KEY, secret, sizeof secret));
    CHECK_OK(nn_setsockopt(pair, NN_TLS, NN_TLS_CERT, secret, sizeof secret));
    CHECK_ERRNO(nn_bind(pair, tls_address()), ENOENT);
    CHECK_EQUAL(count_marks(), 3);
    CHECK_OK(nn_setsockopt(pair, NN_TLS, NN_TLS_KEY, NULL, 0));
    CHECK_EQUAL(count_marks(), 2);
    CHECK_OK(nn_close(pair));
    int64_t deadline_ms = test_wait_deadline();
    while (count_marks() > 1)
        CHECK(!test_pause(deadline_ms));
}

/* The file is longer than any that is taken, so that what is read of it goes no further. Its beginning memcpy leaves in
 * registers, which the loader saves on the stack when it looks up a function: the secret is not there. */
TEST(files_of_keys_leave_nothing_behind_in_memory)
{
    int pair = SOCKET(NN_PAIR);
    const char *path = test_path("long.pem");
    int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    char secret[SECRET_BYTES];

    make_secret(secret);
    CHECK(file >= 0);
    CHECK_EQUAL(pwrite(file, secret, sizeof secret, 10000), SECRET_BYTES);
    CHECK_OK(ftruncate(file, 8 * 1024 * 1024));
    close(file);
    SET_TLS(pair, NN_TLS_CERT, path);
    CHECK_ERRNO(nn_bind(pair, tls_address()), EINVAL);
    CHECK_EQUAL(count_marks(), 1);
}

#endif

/* ---- Our certificate ---- */

TEST(binding_without_a_certificate_is_invalid)
{
    int pair = SOCKET(NN_PAIR);

    CHECK_ERRNO(nn_bind(pair, tls_address()), EINVAL);
    CHECK_ERRNO(nn_bind(pair, tls_wss_address()), EINVAL);
    SET_TLS(pair, NN_TLS_KEY, tls_server()->key);
    CHECK_ERRNO(nn_bind(pair, tls_address()), EINVAL);
    CHECK_EQUAL(nn_get_statistic(pair, NN_STAT_BIND_ERRORS), 3);
}

TEST(a_certificate_without_a_key_is_invalid)
{
    int pair = SOCKET(NN_PAIR);

    SET_TLS(pair, NN_TLS_CERT, tls_server()->cert);
    CHECK_ERRNO(nn_bind(pair, tls_address()), EINVAL);
    CHECK_ERRNO(nn_connect(pair, tls_address()), EINVAL);
}

TEST(the_key_of_another_certificate_is_invalid)
{
    int pair = SOCKET(NN_PAIR);

    tls_use(pair, tls_server());
    SET_TLS(pair, NN_TLS_KEY, tls_ca()->key);
    CHECK_ERRNO(nn_bind(pair, tls_address()), EINVAL);
}

/* Nor is its password asked for on the terminal. */
TEST(a_key_with_a_password_is_invalid)
{
    int pair = SOCKET(NN_PAIR);

    tls_use(pair, tls_server());
    SET_TLS(pair, NN_TLS_KEY, tls_key_with_password(tls_server()));
    CHECK_ERRNO(nn_bind(pair, tls_address()), EINVAL);
}

static char *damaged(const char *pem)
{
    char *copy = tls_keep(strdup(pem));

    strstr(copy, "\n")[20] = '!';
    return copy;
}

TEST(damaged_pem_is_invalid)
{
    static const int options[] = {NN_TLS_CERT, NN_TLS_KEY, NN_TLS_CA};

    for (int i = 0; i < 3; i++) {
        int pair = SOCKET(NN_PAIR);
        tls_use(pair, tls_server());
        SET_TLS(pair, NN_TLS_CA, tls_ca()->cert);
        const char *good = options[i] == NN_TLS_KEY ? tls_server()->key : tls_ca()->cert;
        SET_TLS(pair, options[i], damaged(good));
        CHECK_ERRNO(nn_connect(pair, tls_address()), EINVAL);
        SET_TLS(pair, options[i], "-----BEGIN NOTHING-----\n-----END NOTHING-----\n");
        CHECK_ERRNO(nn_connect(pair, tls_address()), EINVAL);
    }
}

TEST(damage_behind_a_good_certificate_is_invalid)
{
    int pair = SOCKET(NN_PAIR);

    SET_TLS(pair, NN_TLS_CA, together(tls_ca()->cert, damaged(tls_ca()->cert)));
    CHECK_ERRNO(nn_connect(pair, tls_address()), EINVAL);
}

TEST(requiring_certificates_without_an_authority_is_invalid)
{
    int pair = SOCKET(NN_PAIR);

    tls_use(pair, tls_server());
    SET_INT(pair, NN_TLS, NN_TLS_REQUIRE_CLIENT_CERT, 1);
    CHECK_ERRNO(nn_bind(pair, tls_address()), EINVAL);
    SET_TLS(pair, NN_TLS_CA, tls_ca()->cert);
    CHECK_OK(nn_bind(pair, tls_address()));
}

TEST(what_has_failed_can_be_corrected)
{
    int pair = SOCKET(NN_PAIR);
    const char *address = tls_address();

    CHECK_ERRNO(nn_bind(pair, address), EINVAL);
    tls_use(pair, tls_server());
    check_talk(pair, tls_connected(NN_PAIR, address), tls_address());
}

/* ---- Files ---- */

TEST(files_are_as_good_as_text)
{
    int bound = SOCKET(NN_PAIR);
    int connecting = SOCKET(NN_PAIR);

    SET_TLS(bound, NN_TLS_CERT, file_with("cert.pem", tls_server()->cert));
    SET_TLS(bound, NN_TLS_KEY, file_with("key.pem", tls_server()->key));
    /* Longer than one step of reading. */
    char *notes = tls_keep(malloc(100001));
    memset(notes, '\n', 100000);
    notes[100000] = '\0';
    SET_TLS(connecting, NN_TLS_CA, file_with("ca.pem", together(notes, tls_ca()->cert)));
    check_talk(bound, connecting, tls_address());
}

TEST(a_certificate_may_bring_its_key_along)
{
    int bound = SOCKET(NN_PAIR);
    int connecting = SOCKET(NN_PAIR);

    SET_TLS(bound, NN_TLS_CERT, file_with("both.pem", together(tls_server()->key, tls_server()->cert)));
    SET_TLS(connecting, NN_TLS_CA, tls_ca()->cert);
    check_talk(bound, connecting, tls_address());
}

TEST(a_file_that_cannot_be_read_is_reported_as_such)
{
    int pair = SOCKET(NN_PAIR);

    tls_use(pair, tls_server());
    SET_TLS(pair, NN_TLS_KEY, test_path("nowhere"));
    CHECK_ERRNO(nn_bind(pair, tls_address()), ENOENT);
    SET_TLS(pair, NN_TLS_KEY, "/");
    CHECK_ERRNO(nn_bind(pair, tls_address()), EISDIR);
    SET_TLS(pair, NN_TLS_KEY, "/dev/null");
    CHECK_ERRNO(nn_bind(pair, tls_address()), EINVAL);
    SET_TLS(pair, NN_TLS_KEY, "/dev/zero");
    CHECK_ERRNO(nn_bind(pair, tls_address()), EINVAL);
    const char *fifo = test_path("fifo");
    CHECK_OK(mkfifo(fifo, 0600));
    SET_TLS(pair, NN_TLS_KEY, fifo);
    CHECK_ERRNO(nn_bind(pair, tls_address()), EINVAL);
}

/* ---- Endpoints ---- */

TEST(options_hold_for_later_endpoints)
{
    const char *address = tls_address();
    int bound = tls_bound(NN_PAIR, address);

    CHECK_OK(nn_setsockopt(bound, NN_TLS, NN_TLS_CERT, NULL, 0));
    int connecting = tls_connected(NN_PAIR, address);
    CHECK_SENDS(connecting, "still there");
    CHECK_RECEIVES(bound, "still there");
    CHECK_ERRNO(nn_bind(bound, tls_address()), EINVAL);
}

TEST(addresses_are_those_of_tcp_and_ws)
{
    int pair = SOCKET(NN_PAIR);

    tls_use(pair, tls_server());
    CHECK_ERRNO(nn_bind(pair, "tls+tcp://127.0.0.1"), EINVAL);
    CHECK_ERRNO(nn_bind(pair, "tls+tcp://127.0.0.1:65536"), EINVAL);
    CHECK_ERRNO(nn_bind(pair, "tls+tcp://no-such-interface:5555"), ENODEV);
    CHECK_ERRNO(nn_connect(pair, "tls+tcp://127.0.0.1:0"), EINVAL);
    CHECK_ERRNO(nn_bind(pair, "wss://127.0.0.1:0/a b"), EINVAL);
    CHECK_ERRNO(nn_bind(pair, "tls://127.0.0.1:5555"), EPROTONOSUPPORT);
    CHECK_OK(nn_connect(pair, "wss://localhost/without/a/port"));
}

TEST(a_port_that_is_taken_is_reported)
{
    const char *address = tls_address();
    int bound = tls_bound(NN_PAIR, address);

    CHECK_ERRNO(nn_bind(bound, address), EADDRINUSE);
}
