/* An addon that is a function, fail(every, way): from then on each `every`-th call of the addon under test for an
 * object that shows its memory fails (0: none does). It returns how many have failed since the last time. The names are
 * defined by the executable, before which no library can come: the calls are led here by the slots they go through. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef void *handle;
typedef void (*finalizer)(handle env, void *bytes, void *hint);

enum { OK = 0, GENERIC_FAILURE = 9, NO_EXTERNAL_BUFFERS_ALLOWED = 22 };

/* How a call fails. */
enum way {
    REFUSED,   /* the runtime allows no foreign memory: the finalizer never runs */
    FINALIZED, /* Node.js has taken the memory: the finalizer has run, and an exception is pending */
    COLLECTED, /* the same, and the finalizer runs when V8 collects what there is of the object */
    EXHAUSTED  /* as FINALIZED; and there is no memory for a copy either */
};

int napi_get_cb_info(handle env, handle info, size_t *count, handle *arguments, handle *self, void **data);
int napi_get_value_int32(handle env, handle value, int32_t *result);
int napi_create_int32(handle env, int32_t value, handle *result);
int napi_create_function(handle env, const char *name, size_t length, handle call, void *data, handle *result);
int napi_throw_error(handle env, const char *code, const char *message);
int napi_create_buffer_copy(handle env, size_t size, const void *bytes, void **copy, handle *result);
int napi_create_external_buffer(handle env, size_t size, void *bytes, finalizer, void *hint, handle *result);
int napi_create_external_arraybuffer(handle env, void *bytes, size_t size, finalizer, void *hint, handle *result);

static int32_t every, way, calls, failed;

static int fail(handle env, void *bytes, finalizer finalize, void *hint)
{
    failed++;
    if (way == REFUSED)
        return NO_EXTERNAL_BUFFERS_ALLOWED;
    if (way != COLLECTED && finalize != NULL)
        finalize(env, bytes, hint);
    napi_throw_error(env, NULL, "there is no memory");
    return GENERIC_FAILURE;
}

static bool is_due(void)
{
    return every != 0 && ++calls % every == 0;
}

static int create_buffer(handle env, size_t size, void *bytes, finalizer finalize, void *hint, handle *result)
{
    const bool fails = is_due();

    if (!fails || way == COLLECTED) {
        const int status = napi_create_external_buffer(env, size, bytes, finalize, hint, result);
        if (!fails || status != OK)
            return status;
    }
    return fail(env, bytes, finalize, hint);
}

static int create_arraybuffer(handle env, void *bytes, size_t size, finalizer finalize, void *hint, handle *result)
{
    const bool fails = is_due();

    if (!fails || way == COLLECTED) {
        const int status = napi_create_external_arraybuffer(env, bytes, size, finalize, hint, result);
        if (!fails || status != OK)
            return status;
    }
    return fail(env, bytes, finalize, hint);
}

static int create_copy(handle env, size_t size, const void *bytes, void **copy, handle *result)
{
    return way == EXHAUSTED && is_due() ? fail(env, NULL, NULL, NULL)
                                        : napi_create_buffer_copy(env, size, bytes, copy, result);
}

/* ---- The slots of the addon under test ---- */

struct object {
    ElfW(Addr) base;
    const ElfW(Sym) * symbols;
    const char *names;
};

static void lead(const struct object *object, const ElfW(Rela) * slot)
{
    const char *const name = object->names + object->symbols[ELF64_R_SYM(slot->r_info)].st_name;
    void *to = NULL;

    if (strcmp(name, "napi_create_external_buffer") == 0)
        to = (void *)create_buffer;
    else if (strcmp(name, "napi_create_external_arraybuffer") == 0)
        to = (void *)create_arraybuffer;
    else if (strcmp(name, "napi_create_buffer_copy") == 0)
        to = (void *)create_copy;
    if (to == NULL)
        return;
    void **const place = (void **)(object->base + slot->r_offset);
    const uintptr_t page_bytes = (uintptr_t)sysconf(_SC_PAGESIZE);
    mprotect((void *)((uintptr_t)place & ~(page_bytes - 1)), page_bytes, PROT_READ | PROT_WRITE);
    *place = to;
}

static int lead_calls(struct dl_phdr_info *info, size_t size, void *unused)
{
    const ElfW(Dyn) *entry = NULL;
    const ElfW(Rela) * slots[2] = {NULL, NULL};
    size_t slots_bytes[2] = {0, 0};
    struct object object = {info->dlpi_addr, NULL, NULL};

    (void)size;
    (void)unused;
    if (strstr(info->dlpi_name, "nanomsg_native.node") == NULL)
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
            entry = (const ElfW(Dyn) *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
    }
    for (; entry != NULL && entry->d_tag != DT_NULL; entry++) {
        const void *const place = (const void *)entry->d_un.d_ptr;
        if (entry->d_tag == DT_SYMTAB)
            object.symbols = place;
        else if (entry->d_tag == DT_STRTAB)
            object.names = place;
        else if (entry->d_tag == DT_JMPREL || entry->d_tag == DT_RELA)
            slots[entry->d_tag == DT_RELA] = place;
        else if (entry->d_tag == DT_PLTRELSZ || entry->d_tag == DT_RELASZ)
            slots_bytes[entry->d_tag == DT_RELASZ] = entry->d_un.d_val;
    }
    for (int table = 0; table < 2; table++) {
        for (size_t i = 0; i < slots_bytes[table] / sizeof *slots[table]; i++)
            lead(&object, &slots[table][i]);
    }
    return 1;
}

static handle fail_from_now_on(handle env, handle info)
{
    handle arguments[2], result = NULL;
    size_t count = 2;

    napi_create_int32(env, failed, &result);
    calls = failed = 0;
    napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
    napi_get_value_int32(env, arguments[0], &every);
    napi_get_value_int32(env, arguments[1], &way);
    return result;
}

handle napi_register_module_v1(handle env, handle exports)
{
    if (dl_iterate_phdr(lead_calls, NULL) == 0)
        napi_throw_error(env, NULL, "load the addon under test first");
    napi_create_function(env, "fail", sizeof "fail" - 1, (handle)fail_from_now_on, NULL, &exports);
    return exports;
}
