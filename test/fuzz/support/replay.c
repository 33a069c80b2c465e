/* Runs a fuzzer once with each file of the folders and files that are named: where there is no libFuzzer, and to
 * measure coverage. The last line is "N passed, 0 failed". */
#include "check.h"
#include "fuzzer.h"

#include <dirent.h>
#include <sys/stat.h>

#define PATH_BYTES 4096

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat status;

    CHECK(file != NULL && fstat(fileno(file), &status) == 0);
    size_t count = (size_t)status.st_size;
    uint8_t *bytes = malloc(count > 0 ? count : 1); /* of exactly this size, for the sanitizers */
    CHECK(bytes != NULL && fread(bytes, 1, count, file) == count);
    fclose(file);
    LLVMFuzzerTestOneInput(bytes, count);
    free(bytes);
    return 1;
}

static int replay_folder(const char *path, DIR *folder)
{
    char file[PATH_BYTES];
    struct dirent *entry;
    int count = 0;

    while ((entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        count += replay_file(file);
    }
    closedir(folder);
    return count;
}

int main(int argc, char **argv)
{
    int count = 0;

    for (int i = 1; i < argc; i++) {
        DIR *folder = opendir(argv[i]);
        count += folder != NULL ? replay_folder(argv[i], folder) : replay_file(argv[i]);
    }
    printf("%d passed, 0 failed\n", count);
    return count > 0 ? 0 : 1;
}
