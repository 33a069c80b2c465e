/* An addon that is a function: the bytes of the heap that the process has not freed, in all of malloc's arenas. What
 * stays resident says less: malloc keeps pages that it may use again. */
#include <malloc.h>
#include <stddef.h>

typedef void *handle;

int napi_create_double(handle env, double value, handle *result);
int napi_create_function(handle env, const char *name, size_t length, handle call, void *data, handle *result);

static handle heap_in_use(handle env, handle info)
{
    const struct mallinfo2 heap = mallinfo2();
    handle result = NULL;

    (void)info;
    napi_create_double(env, (double)(heap.uordblks + heap.hblkhd), &result);
    return result;
}

handle napi_register_module_v1(handle env, handle exports)
{
    (void)exports;
    napi_create_function(env, "heapInUse", sizeof "heapInUse" - 1, (handle)heap_in_use, NULL, &exports);
    return exports;
}
