/* Sockets of Winsock: none of them blocks, and no program that the process starts inherits them. */
#include "platform/descriptor.h"

#include "net_types.h"

#include <errno.h>

int sp_fd_opened(int fd)
{
    return fd;
}

void sp_fd_close(int fd)
{
    closesocket(sp_socket_of(fd));
}

/* Returns the descriptor, or -errno with the socket closed. */
static int adopt(SOCKET socket)
{
    u_long is_on = 1;

    if (socket == INVALID_SOCKET)
        return -sp_winsock_errno();
    SetHandleInformation((HANDLE)socket, HANDLE_FLAG_INHERIT, 0);
    if (ioctlsocket(socket, (long)FIONBIO, &is_on) == 0)
        return (int)socket;
    int error = sp_winsock_errno();
    closesocket(socket);
    return -error;
}

int sp_fd_socket(int family)
{
    int rc = sp_winsock_start();

    if (rc < 0)
        return rc;
    return adopt(
        WSASocketW(family, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT));
}

int sp_fd_accept(int fd, struct sockaddr_storage *peer)
{
    int length = sizeof *peer;

    *peer = (struct sockaddr_storage){.ss_family = AF_INET};
    return adopt(accept(sp_socket_of(fd), (struct sockaddr *)peer, &length));
}

int sp_fd_duplicate(int fd)
{
    WSAPROTOCOL_INFOW about;

    if (WSADuplicateSocketW(sp_socket_of(fd), GetCurrentProcessId(), &about) != 0)
        return -sp_winsock_errno();
    return adopt(WSASocketW(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &about, 0,
                            WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT));
}

/* Handles are short only when memory is, which functions report. */
int sp_fd_shortage(void)
{
    return 0;
}

bool sp_fd_has_abstract_names(void)
{
    return false;
}

/* Peers within the machine are those of named pipes, which are no sockets. */
bool sp_fd_peer_process(int fd, struct sp_peer_process *process)
{
    (void)fd;
    (void)process;
    return false;
}
