// The addon: one function, which gives an environment its engine.
#include "functions.h"
#include "host.h"
#include "node_api_functions.h"

#ifdef NN_WITHOUT_ADDON_API
#include <node_api.h>
#else
#include <napi.h>
#endif

namespace
{

using nanomsg_native::Host;
using nanomsg_native::Properties;

// attach(shared): returns the functions of a host of its own. lib/engine/binding.ts says what `shared` holds. Each load
// of the JavaScript calls it: the host ends when none of its functions can be called any more.
napi_value Attach(napi_env env, napi_callback_info info)
{
    napi_value shared;
    size_t count = 1;
    napi_get_cb_info(env, info, &count, &shared, nullptr, nullptr);

    Host *const host = Host::Open(env, shared);
    if (host == nullptr)
        return nullptr;

    Properties properties;
    nanomsg_native::AddSocketFunctions(&properties, host);
    nanomsg_native::AddMessageFunctions(&properties, host);
    nanomsg_native::AddCFunctions(&properties, host);
    nanomsg_native::AddDeviceFunctions(&properties, host);
    nanomsg_native::AddStreamFunctions(&properties, host);
    napi_value functions = nullptr;
    napi_create_object(env, &functions);
    napi_define_properties(env, functions, properties.size(), properties.data());
    host->EndWith(functions, properties);
    return functions;
}

} // namespace

static void AddAttach(napi_env env, napi_value exports)
{
    napi_value attach;
    if (napi_create_function(env, "attach", NAPI_AUTO_LENGTH, Attach, nullptr, &attach) == napi_ok)
        napi_set_named_property(env, exports, "attach", attach);
}

// The registration of the module is all that is used of node-addon-api: it makes no call that can fail. See call.h. An
// installed package that compiles itself does without, so that node-addon-api need not be installed with it.
#ifdef NN_WITHOUT_ADDON_API
NAPI_MODULE_INIT()
{
    if (nanomsg_native::FindNodeApi())
        AddAttach(env, exports);
    return exports;
}
#else
static Napi::Object Register(Napi::Env env, Napi::Object exports)
{
    AddAttach(env, exports);
    return exports;
}

NODE_API_MODULE(nanomsg_native, Register)
#endif
