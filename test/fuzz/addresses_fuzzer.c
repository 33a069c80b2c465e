/* Addresses of all transports, to bind and to connect. Paths of ipc become names in a folder of the fuzzer's own. */
#include "check.h"
#include "failing_system.h"
#include "run.h"
#include "fuzzer.h"
#include "virtual_system.h"

#include <dirent.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ADDRESS_BYTES 200

/* Where addresses of ipc put their files. */
static char folder[] = "/tmp/nn-fuzz-XXXXXX";

static void remove_folder(void)
{
    DIR *files = opendir(folder);
    struct dirent *file;

    while (files != NULL && (file = readdir(files)) != NULL)
        unlink(file->d_name);
    if (files != NULL)
        closedir(files);
    rmdir(folder);
}

static void enter_folder(void)
{
    static bool has_entered;

    if (has_entered)
        return;
    CHECK(mkdtemp(folder) != NULL && chdir(folder) == 0);
    has_entered = true;
    atexit(remove_folder);
}

static bool begins_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* No address reaches out of the folder, or takes a descriptor of the process. */
static void tame(char *address)
{
    char *path = strstr(address, "://");

    if (path != NULL && begins_with(address, "socket://"))
        path[3] = 'x';
    if (path == NULL || !begins_with(address, "ipc://"))
        return;
    for (path += 3; *path != '\0'; path++) {
        if (*path == '/' || *path == '.')
            *path = '_';
    }
}

/* Local sockets are the kernel's: which process has a path is a question of files. */
static void use_network_of(const char *address)
{
    virtual_network(!begins_with(address, "ipc://") && !begins_with(address, "abstract://"));
}

/* A file where an address of ipc wants to be: that of a dead socket, or one that is none. */
static void leave_file(const char *address, bool is_socket)
{
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    const char *path = address + strlen("ipc://");

    if (!begins_with(address, "ipc://") || *path == '\0' || strlen(path) >= sizeof local.sun_path)
        return;
    strcpy(local.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return; /* that call has failed */
    virtual_network(false);
    if (is_socket)
        (void)!bind(fd, (const struct sockaddr *)&local, sizeof local);
    close(fd);
}

/* Of the calls that follow, which also look for paths and interfaces. */
static void fail_call(struct input *input)
{
    uint8_t call = input_u8(input);
    uint8_t choice = input_u8(input);

    failing_system_arm(call, choice >> 4, choice & 15);
}

static void use_pair(const struct run_socket *socket, bool is_bound)
{
    char address[32];
    int ends[2];

    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    snprintf(address, sizeof address, "socket://%d", ends[0]);
    int rc = is_bound ? nn_bind(socket->s, address) : nn_connect(socket->s, address);
    if (rc < 0)
        close(ends[0]);
    close(ends[1]);
}

static void use_address(struct run_socket *socket, uint8_t choice, struct input *input)
{
    char address[ADDRESS_BYTES];
    char known[NN_EVENT_ADDRESS_BYTES];
    size_t count;
    const uint8_t *bytes = input_take(input, input_u8(input) % (ADDRESS_BYTES - 1), &count);

    if (count > 0)
        memcpy(address, bytes, count);
    address[count] = '\0';
    tame(address);
    if (choice & 0x10)
        leave_file(address, choice & 0x20);
    use_network_of(address);
    int endpoint = choice & 1 ? nn_bind(socket->s, address) : nn_connect(socket->s, address);
    if (endpoint >= 0) {
        CHECK(strstr(address, "://") != NULL);
        int length = nn_endpoint_address(socket->s, endpoint, known, sizeof known);
        CHECK(length > 0 && (size_t)length == strlen(known));
        if (choice & 0x40)
            CHECK(nn_shutdown(socket->s, endpoint) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct input input = {bytes, count};
    struct run run;

    enter_folder();
    run_begin(&run, false);
    struct run_socket *socket = run_open_socket(&run, run_socket_type(0), false, run_plain_link(2));
    socket->link = run_secure_link(0);
    run_set_int(socket, NN_SOL_SOCKET, NN_LINGER, 0);
    while (!input_is_empty(&input)) {
        uint8_t choice = input_u8(&input);
        run_set_int(socket, NN_SOL_SOCKET, NN_IPV4ONLY, choice & 2 ? 1 : 0);
        virtual_set_connect((enum virtual_connect)((choice >> 2) % VIRTUAL_CONNECTS));
        if (choice == 0xff)
            use_pair(socket, input_u8(&input) & 1);
        else if (choice == 0xfe)
            fail_call(&input);
        else
            use_address(socket, choice, &input);
        run_advance_ms(&run, choice & 0x80 ? 300 : 0);
    }
    virtual_network(true);
    run_end(&run);
    return 0;
}
