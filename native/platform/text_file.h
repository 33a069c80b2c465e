/* Files that users name, read whole. Their names are UTF-8. */
#ifndef SP_PLATFORM_TEXT_FILE_H
#define SP_PLATFORM_TEXT_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* Returns a descriptor, which is not inherited, or -errno. */
int sp_file_open(const char *path);
/* Returns how many bytes were read, 0 at the end, or -errno. */
int sp_file_read(int fd, void *bytes, size_t count);
void sp_file_close(int fd);

bool sp_file_is_readable(const char *path);

#endif
