/* Winsock is started once, and stays. */
#include "net_types.h"

#include "platform/thread.h"

static struct sp_once once = SP_ONCE_INIT;
static int result;

static void start(void)
{
    WSADATA unused;
    int code = WSAStartup(MAKEWORD(2, 2), &unused);

    result = code == 0 ? 0 : -sp_windows_errno((DWORD)code);
}

int sp_winsock_start(void)
{
    sp_once_run(&once, start);
    return result;
}
