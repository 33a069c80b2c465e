/* Modes of files. */
#include "platform/file.h"

#include <errno.h>
#include <fcntl.h>

int sp_file_set_mode(const char *path, mode_t mode)
{
    return fchmodat(AT_FDCWD, path, mode, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}
