/* Programs that a case starts. */
#include "peers.h"

#include "harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where the case's ends of the pipes are closed by themselves in programs that are started later. */
static void make_pipe(int ends[2])
{
    CHECK_OK(pipe2(ends, O_CLOEXEC));
}

static void become(char *const arguments[], const char *library_path, int input, int output)
{
    if (library_path != NULL)
        setenv("LD_LIBRARY_PATH", library_path, 1);
    dup2(input, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    execvp(arguments[0], arguments);
    perror(arguments[0]);
    _exit(127);
}

struct peer peer_start(char *const arguments[], const char *library_path)
{
    int input[2];
    int output[2];

    make_pipe(input);
    make_pipe(output);
    pid_t pid = (pid_t)CHECK_OK(fork());
    if (pid == 0)
        become(arguments, library_path, input[0], output[1]);
    close(input[0]);
    close(output[1]);
    return (struct peer){.pid = pid, .input = input[1], .output = fdopen(output[0], "r")};
}

void peer_expect(struct peer *self, const char *line)
{
    char text[256] = "";

    do {
        if (fgets(text, sizeof text, self->output) == NULL)
            FAIL("the program ends without saying \"%s\"", line);
        text[strcspn(text, "\n")] = '\0';
    } while (strcmp(text, line) != 0);
}

static int peer_wait(struct peer *self)
{
    int status = -1;

    fclose(self->output);
    CHECK_EQUAL(waitpid(self->pid, &status, 0), self->pid);
    return status;
}

void peer_finish(struct peer *self)
{
    close(self->input);
    CHECK_EQUAL(peer_wait(self), 0);
}

void peer_stop(struct peer *self)
{
    kill(self->pid, SIGKILL);
    close(self->input);
    CHECK(WIFSIGNALED(peer_wait(self)));
}
