// Where the functions of Node-API come from.
#pragma once

namespace nanomsg_native
{

// Whether the program has those that the addon calls; before it is asked, none may be called.
bool FindNodeApi();

} // namespace nanomsg_native
