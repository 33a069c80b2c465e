/* \Device\Afd. */
#include "afd.h"

#include "net_types.h"

#include <errno.h>
#include <stddef.h>

#define IOCTL_AFD_POLL 0x00012024u
#define STATUS_OF_PENDING ((NTSTATUS)0x00000103)

/* Not in all headers of MinGW. */
#ifndef SIO_BASE_HANDLE
#define SIO_BASE_HANDLE 0x48000022
#endif
NTSTATUS NTAPI NtCancelIoFileEx(HANDLE file, IO_STATUS_BLOCK *request, IO_STATUS_BLOCK *status);

int sp_afd_open(HANDLE port, HANDLE *afd)
{
    static WCHAR path[] = L"\\Device\\Afd\\nanomsg";
    UNICODE_STRING name = {.Length = sizeof path - sizeof path[0], .MaximumLength = sizeof path, .Buffer = path};
    OBJECT_ATTRIBUTES attributes = {.Length = sizeof attributes, .ObjectName = &name};
    IO_STATUS_BLOCK status;

    NTSTATUS code = NtCreateFile(afd, SYNCHRONIZE, &attributes, &status, NULL, 0, FILE_SHARE_READ | FILE_SHARE_WRITE,
                                 FILE_OPEN, 0, NULL, 0);
    if (code < 0)
        return -sp_windows_errno(RtlNtStatusToDosError(code));
    if (CreateIoCompletionPort(*afd, port, 0, 0) == NULL) {
        int error = sp_windows_errno(GetLastError());
        CloseHandle(*afd);
        return -error;
    }
    /* No thread waits for the handle itself. */
    SetFileCompletionNotificationModes(*afd, FILE_SKIP_SET_EVENT_ON_HANDLE);
    return 0;
}

HANDLE sp_afd_socket(int fd)
{
    SOCKET base = INVALID_SOCKET;
    DWORD count;

    if (WSAIoctl(sp_socket_of(fd), SIO_BASE_HANDLE, NULL, 0, &base, sizeof base, &count, NULL, NULL) != 0)
        base = sp_socket_of(fd);
    return (HANDLE)base;
}

int sp_afd_ask(HANDLE afd, HANDLE socket, unsigned events, struct sp_afd_poll *poll)
{
    poll->about.timeout.QuadPart = INT64_MAX;
    poll->about.count = 1;
    poll->about.is_exclusive = FALSE;
    poll->about.socket = socket;
    poll->about.events = events;
    poll->about.result = 0;
    poll->status.Status = STATUS_OF_PENDING;
    NTSTATUS code = NtDeviceIoControlFile(afd, NULL, NULL, poll, &poll->status, IOCTL_AFD_POLL, &poll->about,
                                          sizeof poll->about, &poll->about, sizeof poll->about);
    return code < 0 ? -sp_windows_errno(RtlNtStatusToDosError(code)) : 0;
}

void sp_afd_cancel(HANDLE afd, struct sp_afd_poll *poll)
{
    IO_STATUS_BLOCK status;

    if (poll->status.Status == STATUS_OF_PENDING)
        NtCancelIoFileEx(afd, &poll->status, &status);
}

unsigned sp_afd_answer(const struct sp_afd_poll *poll)
{
    if (poll->status.Status < 0 || poll->about.count == 0)
        return 0;
    return poll->about.events;
}
