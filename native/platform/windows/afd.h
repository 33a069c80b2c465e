/* What Winsock itself asks the kernel's driver of sockets: to tell when a socket is ready. It is in no header of the
 * system, and has not changed since Windows 2000. */
#ifndef SP_PLATFORM_WINDOWS_AFD_H
#define SP_PLATFORM_WINDOWS_AFD_H

#include "windows_headers.h"

#include <winternl.h>

#define SP_AFD_RECEIVE 0x001u
#define SP_AFD_SEND 0x004u
#define SP_AFD_DISCONNECT 0x008u /* the peer sends nothing more */
#define SP_AFD_ABORT 0x010u
#define SP_AFD_LOCAL_CLOSE 0x020u
#define SP_AFD_ACCEPT 0x080u
#define SP_AFD_CONNECT_FAIL 0x100u

/* One question at a time: it must stay in place until its answer has come by the completion port. */
struct sp_afd_poll {
    IO_STATUS_BLOCK status;
    struct {
        LARGE_INTEGER timeout;
        ULONG count;
        ULONG is_exclusive;
        HANDLE socket;
        ULONG events;
        NTSTATUS result;
    } about;
};

/* A handle to ask by, whose answers go to the port. Returns 0 or -errno. */
int sp_afd_open(HANDLE port, HANDLE *afd);

/* The handle of a socket below the layers that some programs put on top of sockets. */
HANDLE sp_afd_socket(int fd);

/* Asks for any of the events; the answer names `poll`. Returns 0, or -errno when no answer will come. */
int sp_afd_ask(HANDLE afd, HANDLE socket, unsigned events, struct sp_afd_poll *poll);
/* Has the answer come soon. */
void sp_afd_cancel(HANDLE afd, struct sp_afd_poll *poll);

/* What has happened; 0: it was cancelled, or failed. */
unsigned sp_afd_answer(const struct sp_afd_poll *poll);

#endif
