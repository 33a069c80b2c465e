#include "libuv.h"

UV_FUNCTIONS(SP_HOST_DEFINE)

namespace nanomsg_native
{

bool HasLibuv()
{
#define IS_THERE(name) SP_HOST_ADDRESS(name) != nullptr &&
    return UV_FUNCTIONS(IS_THERE) true;
}

} // namespace nanomsg_native
