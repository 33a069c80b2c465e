/* Of the C library, with names of UTF-16. */
#include "platform/text_file.h"

#include "windows_headers.h"

#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <limits.h>

#define MODE_READABLE 4 /* what R_OK is elsewhere */

/* Longer ones the functions of files do not take. */
#define PATH_UNITS 32768

static bool path_to_units(const char *path, wchar_t units[PATH_UNITS])
{
    return MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, units, PATH_UNITS) > 0;
}

int sp_file_open(const char *path)
{
    wchar_t units[PATH_UNITS];

    if (!path_to_units(path, units))
        return -ENOENT;
    int fd = _wopen(units, _O_RDONLY | _O_BINARY | _O_NOINHERIT);
    return fd < 0 ? -errno : fd;
}

int sp_file_read(int fd, void *bytes, size_t count)
{
    int rc = _read(fd, bytes, count <= INT_MAX ? (unsigned)count : INT_MAX);

    return rc < 0 ? -errno : rc;
}

void sp_file_close(int fd)
{
    _close(fd);
}

bool sp_file_is_readable(const char *path)
{
    wchar_t units[PATH_UNITS];

    return path_to_units(path, units) && _waccess(units, MODE_READABLE) == 0;
}
