/* Files, where systems of POSIX differ. */
#ifndef SP_PLATFORM_FILE_H
#define SP_PLATFORM_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/* Milliseconds since what stands in the file's inode was changed; negative after the clock was set back. */
int64_t sp_file_age_ms(const struct stat *status);

/* Opens a folder and writes a path of it that is always short, for names that have no room for the real one. Returns a
 * descriptor, which the path needs, or -errno (-ENOTSUP: this system has no such paths). */
int sp_folder_open(const char *path, char *short_path, size_t bytes);

/* Gives a socket's file another mode. Follows no symbolic link, which others may have put in its place. Returns 0 or
 * -errno: -EEXIST where the system shows that the file is no socket (any more), -ENOTSUP where it has no way. */
int sp_file_set_mode(const char *path, mode_t mode);

#endif
