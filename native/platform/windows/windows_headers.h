/* The headers of Windows, without what the engine does not use and with the sockets' before the rest. */
#ifndef SP_PLATFORM_WINDOWS_HEADERS_H
#define SP_PLATFORM_WINDOWS_HEADERS_H

#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#ifndef NOMINMAX
#define NOMINMAX
#endif

#include <winsock2.h>
#include <windows.h>

/* Which some headers take as words of their own. */
#undef interface
#undef small
#undef near
#undef far

#endif
