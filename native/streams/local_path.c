/* Taking a path. A socket listens under a private name first, and link(2), which replaces nothing, gives it the path:
 * so a path never belongs to a socket that is bound and does not listen yet, which others would take for a dead one. A
 * dead socket's file is removed by the holder of a lock only: otherwise two processes that have both seen it could
 * remove each other's new one. The lock is a file beside the path, which exists for the time of the removal; when its
 * process dies, the kernel unlocks it, and the next holder removes it. */
#include "streams/local_path.h"

#include "platform/clock.h"
#include "platform/descriptor.h"
#include "platform/file.h"
#include "util/random.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* Implementations that bind to the path itself have a moment between bind and listen in which they refuse: a file that
 * is younger than this is looked at again. */
#define LISTENS_WITHIN_MS 20
/* How long we retry while other processes hold the path; then it is theirs. */
#define RETRY_LIMIT_NS (500 * SP_NS_PER_MS)
#define NAME_TRIES 8

int sp_local_path_address(const char *path, struct sp_socket_address *address)
{
    struct sockaddr_un *unix_address = (struct sockaddr_un *)&address->storage;
    size_t length = strlen(path);

    if (length >= sizeof unix_address->sun_path)
        return -ENAMETOOLONG;
    memset(unix_address, 0, sizeof *unix_address);
    unix_address->sun_family = AF_UNIX;
    memcpy(unix_address->sun_path, path, length + 1);
    address->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (length > 0 ? length + 1 : 0));
    return 0;
}

/* ---- What is at the path ---- */

enum occupant {
    OCCUPANT_NONE,
    DEAD,          /* a socket that refuses */
    NEWCOMER,      /* the same, but so young that it may be about to listen */
    OCCUPANT_OTHER /* a living socket, or any other file */
};

static bool is_young(const struct stat *status)
{
    int64_t age_ms = sp_file_age_ms(status);

    return age_ms > -LISTENS_WITHIN_MS && age_ms < LISTENS_WITHIN_MS;
}

/* Returns an occupant, or -errno when it cannot be determined. */
static int look_at(const char *path, const struct sp_socket_address *address, const struct sp_options *options)
{
    struct stat status;
    bool is_connected;

    if (lstat(path, &status) < 0)
        return OCCUPANT_NONE; /* bind reports any other error */
    if (!S_ISSOCK(status.st_mode))
        return OCCUPANT_OTHER;
    int fd = sp_descriptor_connect(address, NULL, options, &is_connected);
    if (fd >= 0)
        sp_descriptor_close(fd);
    if (sp_descriptor_is_shortage(fd))
        return fd;
    if (fd == -ECONNREFUSED)
        return is_young(&status) ? NEWCOMER : DEAD;
    return fd == -ENOENT ? OCCUPANT_NONE : OCCUPANT_OTHER;
}

/* ---- Giving the path to a new socket ---- */

/* A name in the path's folder that no other process uses. */
struct private_name {
    char text[sizeof(((struct sockaddr_un *)0)->sun_path)];
    char folder_path[32]; /* a short one, while folder is open */
    int folder;           /* -1: the name needs none */
};

static int open_folder(struct private_name *self, const char *path)
{
    char folder[sizeof(((struct sockaddr_un *)0)->sun_path)];
    const char *end = strrchr(path, '/');

    if (end == NULL)
        snprintf(folder, sizeof folder, ".");
    else
        snprintf(folder, sizeof folder, "%.*s", end == path ? 1 : (int)(end - path), path);
    return sp_folder_open(folder, self->folder_path, sizeof self->folder_path);
}

/* The name is the path and a suffix, by which users know in lists of sockets what it is. Where that is longer than
 * names of sockets may be, the folder's descriptor shortens it. Returns 0 or -errno. */
static int private_name_choose(struct private_name *self, const char *path)
{
    uint32_t suffix = sp_random_unpredictable_u32();

    if (self->folder < 0 && strlen(path) + sizeof ".01234567" > sizeof self->text) {
        self->folder = open_folder(self, path);
        if (self->folder < 0)
            return self->folder;
    }
    if (self->folder >= 0)
        snprintf(self->text, sizeof self->text, "%s/.nn-%08x", self->folder_path, (unsigned)suffix);
    else
        snprintf(self->text, sizeof self->text, "%s.%08x", path, (unsigned)suffix);
    return 0;
}

static void private_name_forget(struct private_name *self)
{
    if (self->folder >= 0)
        sp_fd_close(self->folder);
}

/* The file is as the options want it before any peer can connect. It is given away last: its new owner may replace it
 * in folders such as /tmp. Returns 0 or -errno. */
static int give_rights(const char *path, const struct sp_options *options)
{
    bool has_owner = options->ipc_uid >= 0 || options->ipc_gid >= 0;
    int rc = options->ipc_mode >= 0 ? sp_file_set_mode(path, (mode_t)options->ipc_mode) : 0;

    if (rc == 0 && has_owner && lchown(path, (uid_t)options->ipc_uid, (gid_t)options->ipc_gid) < 0)
        return -errno;
    return rc;
}

/* Listens at a name that is a file. Returns the descriptor or -errno. */
static int listen_at(const struct sp_socket_address *address, const struct sp_options *options)
{
    const char *path = ((const struct sockaddr_un *)&address->storage)->sun_path;
    int fd = sp_descriptor_open(AF_UNIX, options);

    if (fd < 0)
        return fd;
    int rc = sp_net_bind(fd, (const struct sockaddr *)&address->storage, address->length);
    if (rc == 0 && (rc = give_rights(path, options)) < 0)
        unlink(path);
    if (rc == 0)
        rc = sp_net_listen(fd);
    if (rc < 0)
        sp_descriptor_close(fd);
    return rc < 0 ? rc : fd;
}

/* Returns the descriptor of a socket that listens under the private name, or -errno. */
static int listen_privately(struct private_name *name, const char *path, const struct sp_options *options)
{
    struct sp_socket_address address;
    int rc = -EADDRINUSE;

    for (int i = 0; i < NAME_TRIES && rc == -EADDRINUSE; i++) {
        if ((rc = private_name_choose(name, path)) < 0 || (rc = sp_local_path_address(name->text, &address)) < 0)
            return rc;
        rc = listen_at(&address, options);
    }
    return rc;
}

static bool file_identify(struct sp_local_file *file, const char *path)
{
    struct stat status;

    if (lstat(path, &status) < 0)
        return false;
    *file = (struct sp_local_file){.device = status.st_dev, .inode = status.st_ino};
    return true;
}

/* Returns the descriptor; -EEXIST when another socket has the path; another -errno when there can be no private name,
 * or it cannot be linked. */
static int publish_linked(const char *path, const struct sp_options *options, struct sp_local_file *file)
{
    struct private_name name = {.folder = -1};
    int fd = listen_privately(&name, path, options);

    if (fd >= 0) {
        int rc = file_identify(file, name.text) && link(name.text, path) == 0 ? 0 : -errno;
        unlink(name.text);
        if (rc < 0) {
            sp_descriptor_close(fd);
            fd = rc;
        }
    }
    private_name_forget(&name);
    return fd;
}

/* In file systems without links, and where the program may make no name but the path, the socket is bound to the path
 * itself. Returns as publish_linked. */
static int publish(const char *path, const struct sp_socket_address *address, const struct sp_options *options,
                   struct sp_local_file *file)
{
    int fd = publish_linked(path, options, file);

    if (fd >= 0 || fd == -EEXIST || sp_descriptor_is_shortage(fd))
        return fd;
    fd = listen_at(address, options);
    if (fd < 0)
        return fd == -EADDRINUSE ? -EEXIST : fd;
    if (!file_identify(file, path))
        *file = (struct sp_local_file){.inode = 0};
    return fd;
}

/* ---- Removing a dead socket's file ---- */

struct removal_lock {
    char path[sizeof(((struct sockaddr_un *)0)->sun_path) + sizeof ".nn-lock"];
    int fd; /* -1: none */
};

/* Whether the locked file is the one that others find: the holder before may have removed it meanwhile. */
static bool is_lock_in_place(const struct removal_lock *self)
{
    struct stat own;
    struct stat found;

    return fstat(self->fd, &own) == 0 && lstat(self->path, &found) == 0 && own.st_dev == found.st_dev &&
           own.st_ino == found.st_ino;
}

/* Returns 0; -EAGAIN when another process or thread has the lock; another -errno when descriptors or memory are
 * missing. Where there can be no lock (another user's file, a policy that knows the path only, a file system without
 * locks), removing is as safe as it can be without. */
static int removal_lock_take(struct removal_lock *self, const char *path)
{
    snprintf(self->path, sizeof self->path, "%s.nn-lock", path);
    self->fd = open(self->path, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
    if (self->fd < 0)
        return sp_descriptor_is_shortage(-errno) ? -errno : 0;
    sp_fd_opened(self->fd);
    int rc = sp_fd_lock(self->fd);
    if (rc == 0 && is_lock_in_place(self))
        return 0;
    sp_fd_close(self->fd);
    self->fd = -1;
    return rc == 0 || rc == -EWOULDBLOCK || rc == -EINTR ? -EAGAIN : 0;
}

/* The file goes before the lock does, so that no process finds a lock that is held and gone. */
static void removal_lock_release(const struct removal_lock *self)
{
    if (self->fd < 0)
        return;
    unlink(self->path);
    sp_fd_close(self->fd);
}

/* Returns the descriptor; -EAGAIN when it must be looked again; another -errno. */
static int replace_dead(const char *path, const struct sp_socket_address *address, const struct sp_options *options,
                        struct sp_local_file *file)
{
    struct removal_lock lock;
    int occupant;
    int rc = removal_lock_take(&lock, path);

    if (rc < 0)
        return rc;
    occupant = look_at(path, address, options);
    if (occupant != DEAD)
        rc = occupant < 0 ? occupant : -EAGAIN;
    else if (unlink(path) < 0 && errno != ENOENT)
        rc = -errno;
    else
        rc = publish(path, address, options, file);
    removal_lock_release(&lock);
    return rc;
}

/* ---- The whole ---- */

static int try_listen(const char *path, const struct sp_socket_address *address, const struct sp_options *options,
                      struct sp_local_file *file)
{
    int rc = look_at(path, address, options);

    switch (rc) {
    case OCCUPANT_NONE:
        rc = publish(path, address, options, file);
        break;
    case DEAD:
        rc = replace_dead(path, address, options, file);
        break;
    case NEWCOMER:
        rc = -EAGAIN;
        break;
    case OCCUPANT_OTHER:
        rc = -EADDRINUSE;
        break;
    default:
        break;
    }
    return rc == -EEXIST ? -EAGAIN : rc;
}

int sp_local_path_listen(const char *path, const struct sp_options *options, struct sp_local_file *file)
{
    struct sp_socket_address address;
    int rc = sp_local_path_address(path, &address);

    *file = (struct sp_local_file){.inode = 0};
    if (rc < 0)
        return rc;
    if (*path == '\0')
        return sp_descriptor_listen(&address, options);
    uint64_t deadline_ns = sp_now_ns() + RETRY_LIMIT_NS;
    while ((rc = try_listen(path, &address, options, file)) == -EAGAIN) {
        if (sp_now_ns() >= deadline_ns)
            return -EADDRINUSE;
        sp_pause_1_ms();
    }
    return rc;
}

void sp_local_path_remove(const char *path, const struct sp_local_file *file)
{
    struct sp_local_file found;

    if (file->inode != 0 && file_identify(&found, path) && found.device == file->device && found.inode == file->inode)
        unlink(path);
}
