/* Which process has a path of ipc: one owner at a time, whatever processes and threads do at the same moment. */
#include "raw_peer.h"
#include "sockets.h"

#include <nanomsg/ipc.h>
#include <nanomsg/pair.h>

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *path_of(const char *address)
{
    return strstr(address, "://") + 3;
}

/* ---- What the engine asks of the system, with something in between ---- */

static void (*before_unlink)(const char *path); /* for one call */
static bool has_links = true;

int unlink(const char *path)
{
    void (*hook)(const char *) = before_unlink;

    before_unlink = NULL;
    if (hook != NULL)
        hook(path);
    return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

int link(const char *from, const char *to)
{
    if (has_links)
        return (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
    errno = EPERM;
    return -1;
}

/* Where another program puts a link to this file in the place of each socket's that is bound; NULL: nowhere. */
static const char *linked_file;

int bind(int fd, const struct sockaddr *address, socklen_t length)
{
    int rc = (int)syscall(SYS_bind, fd, address, length);

    if (rc == 0 && linked_file != NULL) {
        const char *path = ((const struct sockaddr_un *)address)->sun_path;
        CHECK_OK(syscall(SYS_unlinkat, AT_FDCWD, path, 0));
        CHECK_OK(symlink(linked_file, path));
    }
    return rc;
}

/* ---- One owner ---- */

#define PROCESSES 3

struct race {
    atomic_int round; /* that may begin */
    atomic_int answered;
    atomic_int owners;
    atomic_int closed;
};

static void wait_until(atomic_int *value, int wanted)
{
    int64_t deadline_ms = test_wait_deadline();

    while (atomic_load(value) < wanted) {
        if (test_now_ms() > deadline_ms)
            FAIL("another process is late");
        sched_yield();
    }
}

/* None closes before all have answered. */
static void bind_in_each_round(struct race *race, const char *address, int rounds)
{
    for (int round = 1; round <= rounds; round++) {
        int s = SOCKET(NN_PAIR);
        wait_until(&race->round, round);
        if (nn_bind(s, address) >= 0)
            atomic_fetch_add(&race->owners, 1);
        else
            CHECK_EQUAL(errno, EADDRINUSE);
        atomic_fetch_add(&race->answered, 1);
        wait_until(&race->answered, PROCESSES * round);
        CHECK_OK(nn_close(s));
        atomic_fetch_add(&race->closed, 1);
    }
}

static void check_one_owner(bool is_left_by_the_dead, int rounds)
{
    const char *address = test_ipc_address();
    struct race *race = mmap(NULL, sizeof *race, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t processes[PROCESSES];

    CHECK(race != MAP_FAILED);
    for (int i = 0; i < PROCESSES; i++) {
        processes[i] = (pid_t)CHECK_OK(fork());
        if (processes[i] == 0) {
            bind_in_each_round(race, address, rounds);
            _exit(0);
        }
    }
    for (int round = 1; round <= rounds; round++) {
        if (is_left_by_the_dead)
            close(raw_listen(address));
        atomic_store(&race->round, round);
        wait_until(&race->closed, PROCESSES * round);
        CHECK_EQUAL(atomic_load(&race->owners), round);
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status = -1;
        CHECK_EQUAL(waitpid(processes[i], &status, 0), processes[i]);
        CHECK_EQUAL(status, 0);
    }
    munmap(race, sizeof *race);
}

TEST(of_processes_that_bind_a_path_at_once_one_has_it)
{
    check_one_owner(false, 400);
}

TEST(of_processes_that_bind_the_path_of_a_dead_one_at_once_one_has_it)
{
    check_one_owner(true, 100);
}

static const char *contested;
static int owners;

static void bind_contested(void *argument)
{
    (void)argument;
    if (nn_bind(SOCKET(NN_PAIR), contested) >= 0)
        owners++;
    else
        CHECK_EQUAL(errno, EADDRINUSE);
}

/* The other one comes and finishes while the first is about to remove the file. */
static void let_another_bind(const char *path)
{
    (void)path;
    test_thread_join(test_thread_start(bind_contested, NULL));
}

TEST(a_process_that_is_slow_to_remove_a_dead_file_removes_no_living_one)
{
    contested = test_ipc_address();
    close(raw_listen(contested));
    before_unlink = let_another_bind;
    bind_contested(NULL);
    CHECK(before_unlink == NULL);
    CHECK_EQUAL(owners, 1);
    test_socket_connected(NN_PAIR, contested);
}

static atomic_bool is_probing;
static atomic_int refusals;

/* Connects on and on; what others would take for a dead socket's file is a refusal. */
static void probe(void *argument)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path_of(argument));
    while (atomic_load(&is_probing)) {
        int fd = (int)CHECK_OK(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        int rc = connect(fd, (struct sockaddr *)&address, sizeof address);
        if (rc < 0 && errno == ECONNREFUSED)
            atomic_fetch_add(&refusals, 1);
        close(fd);
        if (rc == 0)
            return;
    }
}

TEST(a_path_never_belongs_to_a_socket_that_does_not_listen_yet)
{
    const char *address = test_ipc_address();

    for (int round = 0; round < 300; round++) {
        atomic_store(&is_probing, true);
        struct test_thread *prober = test_thread_start(probe, (void *)address);
        int s = test_socket_bound(NN_PAIR, address);
        test_thread_join(prober);
        CHECK_OK(nn_close(s));
    }
    CHECK_EQUAL(atomic_load(&refusals), 0);
}

TEST(binding_leaves_a_living_socket_of_another_program_alone)
{
    const char *address = test_ipc_address();
    struct stat before;
    struct stat after;
    int fd = raw_listen(address);

    CHECK_OK(lstat(path_of(address), &before));
    CHECK_ERRNO(nn_bind(SOCKET(NN_PAIR), address), EADDRINUSE);
    CHECK_OK(lstat(path_of(address), &after));
    CHECK_EQUAL(after.st_ino, before.st_ino);
    close(raw_connect(address));
    close(fd);
}

/* ---- Files ---- */

static int count_files(const char *folder)
{
    DIR *list = opendir(folder);
    struct dirent *entry;
    int count = 0;

    CHECK(list != NULL);
    while ((entry = readdir(list)) != NULL)
        count += entry->d_name[0] != '.' || strlen(entry->d_name) > 2;
    closedir(list);
    return count;
}

/* A path of this many bytes, in a folder of its own. */
static const char *long_address(size_t path_bytes, char folder[NN_SOCKADDR_MAX])
{
    static char address[NN_SOCKADDR_MAX];

    snprintf(folder, NN_SOCKADDR_MAX, "%s", test_path("folder"));
    mkdir(folder, 0700);
    int count = snprintf(address, sizeof address, "ipc://%s/", folder);
    memset(address + count, 'n', 6 + path_bytes - (size_t)count);
    address[6 + path_bytes] = '\0';
    return address;
}

TEST(nothing_but_the_socket_lies_in_its_folder)
{
    char folder[NN_SOCKADDR_MAX];

    for (size_t bytes = 90; bytes <= 107; bytes++) {
        const char *address = long_address(bytes, folder);
        int s = test_socket_bound(NN_PAIR, address);
        CHECK_EQUAL(count_files(folder), 1);
        CHECK_SENDS(test_socket_connected(NN_PAIR, address), "found");
        CHECK_RECEIVES(s, "found");
        CHECK_OK(nn_close(s));
        CHECK_EQUAL(count_files(folder), 0);
    }
}

TEST(a_path_of_any_length_that_the_dead_have_left_is_bound_again)
{
    char folder[NN_SOCKADDR_MAX];

    for (size_t bytes = 95; bytes <= 107; bytes++) {
        const char *address = long_address(bytes, folder);
        close(raw_listen(address));
        int s = test_socket_bound(NN_PAIR, address);
        CHECK_EQUAL(count_files(folder), 1);
        CHECK_OK(nn_close(s));
    }
    CHECK_EQUAL(count_files(folder), 0);
}

TEST(a_path_in_the_working_directory_is_bound)
{
    char folder[NN_SOCKADDR_MAX];

    long_address(100, folder);
    CHECK_OK(chdir(folder));
    int s = test_socket_bound(NN_PAIR, "ipc://relative");
    CHECK_EQUAL(count_files("."), 1);
    CHECK_OK(nn_close(s));
    CHECK_EQUAL(count_files("."), 0);
}

TEST(the_mode_of_the_file_is_what_the_umask_leaves)
{
    const char *address = test_ipc_address();
    struct stat status;

    umask(027);
    test_socket_bound(NN_PAIR, address);
    CHECK_OK(lstat(path_of(address), &status));
    CHECK(S_ISSOCK(status.st_mode));
    CHECK_EQUAL(status.st_mode & 0777, 0750);
    CHECK_EQUAL(status.st_nlink, 1);
}

static int lock_of(const char *address)
{
    char path[NN_SOCKADDR_MAX];

    snprintf(path, sizeof path, "%s.nn-lock", path_of(address));
    int fd = (int)CHECK_OK(open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    CHECK_OK(flock(fd, LOCK_EX));
    return fd;
}

TEST(a_lock_that_a_dead_process_left_is_no_obstacle_and_goes)
{
    char folder[NN_SOCKADDR_MAX];
    const char *address = long_address(80, folder);

    close(raw_listen(address));
    close(lock_of(address)); /* its holder ends, its file stays */
    test_socket_bound(NN_PAIR, address);
    CHECK_EQUAL(count_files(folder), 1);
}

TEST(a_lock_that_is_held_for_ever_delays_binding_for_a_while_only)
{
    const char *address = test_ipc_address();

    close(raw_listen(address));
    int lock = lock_of(address);
    int s = SOCKET(NN_PAIR);
    CHECK_ERRNO(nn_bind(s, address), EADDRINUSE);
    close(lock);
    CHECK_OK(nn_bind(s, address));
}

TEST(a_file_system_without_links_has_paths_too)
{
    char folder[NN_SOCKADDR_MAX];
    const char *address = long_address(80, folder);

    has_links = false;
    int s = test_socket_bound(NN_PAIR, address);
    CHECK_ERRNO(nn_bind(SOCKET(NN_PAIR), address), EADDRINUSE);
    CHECK_EQUAL(count_files(folder), 1);
    test_socket_connected(NN_PAIR, address);
    CHECK_OK(nn_close(s));
    CHECK_EQUAL(count_files(folder), 0);
    close(raw_listen(address));
    test_socket_bound(NN_PAIR, address);
    CHECK_EQUAL(count_files(folder), 1);
}

TEST(closing_removes_no_file_but_ones_own)
{
    const char *address = test_ipc_address();
    struct stat before;
    struct stat after;
    int s = test_socket_bound(NN_PAIR, address);

    CHECK_OK(unlink(path_of(address)));
    int fd = raw_listen(address);
    CHECK_OK(lstat(path_of(address), &before));
    CHECK_OK(nn_close(s));
    CHECK_OK(lstat(path_of(address), &after));
    CHECK_EQUAL(after.st_ino, before.st_ino);
    close(fd);
}

TEST(a_folder_that_is_not_there_is_ENOENT)
{
    char address[NN_SOCKADDR_MAX];

    snprintf(address, sizeof address, "ipc://%s/a", test_path("nowhere"));
    CHECK_ERRNO(nn_bind(SOCKET(NN_PAIR), address), ENOENT);
    snprintf(address, sizeof address, "ipc:///proc/a");
    CHECK_ERRNO(nn_bind(SOCKET(NN_PAIR), address), ENOENT);
}

/* ---- Rights ---- */

static mode_t mode_of(const char *path)
{
    struct stat status;

    CHECK_OK(stat(path, &status));
    return status.st_mode & 0777;
}

TEST(the_file_has_the_mode_that_is_set)
{
    for (int i = 0; i < 2; i++) {
        const char *address = test_ipc_address();
        int s = SOCKET(NN_PAIR);

        has_links = i == 0;
        CHECK_EQUAL(test_get_int(s, NN_IPC, NN_IPC_MODE), -1);
        SET_INT(s, NN_IPC, NN_IPC_MODE, 0600);
        CHECK_OK(nn_bind(s, address));
        CHECK_EQUAL(mode_of(path_of(address)), 0600);
        const char *open_address = test_ipc_address();
        SET_INT(s, NN_IPC, NN_IPC_MODE, 0666);
        CHECK_OK(nn_bind(s, open_address));
        CHECK_EQUAL(mode_of(path_of(open_address)), 0666);
        CHECK_SENDS(test_socket_connected(NN_PAIR, open_address), "in");
        CHECK_RECEIVES(s, "in");
        CHECK_OK(nn_close(s));
    }
}

TEST(the_file_has_the_owner_that_is_set_or_there_is_none)
{
    const char *address = test_ipc_address();
    int s = SOCKET(NN_PAIR);
    struct stat status;

    SET_INT(s, NN_IPC, NN_IPC_UID, 12345);
    SET_INT(s, NN_IPC, NN_IPC_GID, 23456);
    if (geteuid() != 0) {
        CHECK_ERRNO(nn_bind(s, address), EPERM);
        CHECK(access(path_of(address), F_OK) < 0);
        return;
    }
    CHECK_OK(nn_bind(s, address));
    CHECK_OK(stat(path_of(address), &status));
    CHECK_EQUAL(status.st_uid, 12345);
    CHECK_EQUAL(status.st_gid, 23456);
}

TEST(a_file_that_a_link_in_the_place_of_the_socket_names_keeps_its_mode)
{
    char folder[NN_SOCKADDR_MAX];
    char file[NN_SOCKADDR_MAX + 16];
    const char *address = long_address(80, folder);
    int s = SOCKET(NN_PAIR);

    snprintf(file, sizeof file, "%s.secret", folder);
    close((int)CHECK_OK(open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600)));
    SET_INT(s, NN_IPC, NN_IPC_MODE, 0666);
    linked_file = file;
    CHECK_ERRNO(nn_bind(s, address), EADDRINUSE);
    linked_file = NULL;
    CHECK_EQUAL(mode_of(file), 0600);
    CHECK_EQUAL(count_files(folder), 0);
    CHECK_OK(unlink(file));
    CHECK_OK(nn_bind(s, address));
    CHECK_EQUAL(mode_of(path_of(address)), 0666);
}
