// The functions of Node-API, which a library for Windows must name where they come from when it is linked: they are
// looked for in the program that runs instead, whatever it is called. node-gyp's own way is a hook of its linker.
#include "node_api_functions.h"

#ifdef NN_FIND_NODE_API
#include "platform/host_function.h"

#define NODE_API_FUNCTIONS(X)                                                                                          \
    X(napi_add_async_cleanup_hook)                                                                                     \
    X(napi_add_env_cleanup_hook)                                                                                       \
    X(napi_add_finalizer)                                                                                              \
    X(napi_adjust_external_memory)                                                                                     \
    X(napi_async_destroy)                                                                                              \
    X(napi_async_init)                                                                                                 \
    X(napi_call_function)                                                                                              \
    X(napi_call_threadsafe_function)                                                                                   \
    X(napi_close_handle_scope)                                                                                         \
    X(napi_create_array)                                                                                               \
    X(napi_create_array_with_length)                                                                                   \
    X(napi_create_arraybuffer)                                                                                         \
    X(napi_create_buffer_copy)                                                                                         \
    X(napi_create_double)                                                                                              \
    X(napi_create_external_arraybuffer)                                                                                \
    X(napi_create_external_buffer)                                                                                     \
    X(napi_create_function)                                                                                            \
    X(napi_create_int32)                                                                                               \
    X(napi_create_object)                                                                                              \
    X(napi_create_reference)                                                                                           \
    X(napi_create_string_utf8)                                                                                         \
    X(napi_create_threadsafe_function)                                                                                 \
    X(napi_define_properties)                                                                                          \
    X(napi_delete_reference)                                                                                           \
    X(napi_detach_arraybuffer)                                                                                         \
    X(napi_fatal_exception)                                                                                            \
    X(napi_get_and_clear_last_exception)                                                                               \
    X(napi_get_array_length)                                                                                           \
    X(napi_get_boolean)                                                                                                \
    X(napi_get_cb_info)                                                                                                \
    X(napi_get_element)                                                                                                \
    X(napi_get_global)                                                                                                 \
    X(napi_get_instance_data)                                                                                          \
    X(napi_get_named_property)                                                                                         \
    X(napi_get_reference_value)                                                                                        \
    X(napi_get_typedarray_info)                                                                                        \
    X(napi_get_undefined)                                                                                              \
    X(napi_get_uv_event_loop)                                                                                          \
    X(napi_get_value_bool)                                                                                             \
    X(napi_get_value_double)                                                                                           \
    X(napi_get_value_int32)                                                                                            \
    X(napi_get_value_int64)                                                                                            \
    X(napi_get_value_string_utf8)                                                                                      \
    X(napi_is_array)                                                                                                   \
    X(napi_is_detached_arraybuffer)                                                                                    \
    X(napi_is_exception_pending)                                                                                       \
    X(napi_is_typedarray)                                                                                              \
    X(napi_make_callback)                                                                                              \
    X(napi_open_handle_scope)                                                                                          \
    X(napi_ref_threadsafe_function)                                                                                    \
    X(napi_reference_ref)                                                                                              \
    X(napi_reference_unref)                                                                                            \
    X(napi_release_threadsafe_function)                                                                                \
    X(napi_remove_async_cleanup_hook)                                                                                  \
    X(napi_remove_env_cleanup_hook)                                                                                    \
    X(napi_set_element)                                                                                                \
    X(napi_set_instance_data)                                                                                          \
    X(napi_set_named_property)                                                                                         \
    X(napi_strict_equals)                                                                                              \
    X(napi_throw_type_error)                                                                                           \
    X(napi_typeof)                                                                                                     \
    X(napi_unref_threadsafe_function)

NODE_API_FUNCTIONS(SP_HOST_DEFINE)
#endif

namespace nanomsg_native
{

bool FindNodeApi()
{
#ifdef NN_FIND_NODE_API
    bool has_all = true;
#define FIND(name) has_all = SP_HOST_ADDRESS(name) != nullptr && has_all;
    NODE_API_FUNCTIONS(FIND)
    return has_all;
#else
    return true;
#endif
}

} // namespace nanomsg_native
