/* Whether the host's OpenSSL is one that we know. */
#include "streams/tls_openssl.h"

#ifdef NN_TLS_OF_HOST
#include "platform/library.h"
#include "platform/thread.h"

/* Versions of one number have one interface. Others may have changed what the headers that we were compiled with
 * say. */
#define KNOWN_MAJOR 3

#define ADDRESS_OF(name) SP_HOST_ADDRESS(name),

TLS_FUNCTIONS_OF_CRYPTO(SP_HOST_DEFINE)
TLS_FUNCTIONS_OF_SSL(SP_HOST_DEFINE)

/* Names may be found in several libraries, when some host has loaded a second OpenSSL, or another library with
 * the same names: what one makes the other must not be given. */
static bool are_of_one_object(const void *const *functions, size_t count)
{
    const void *object = sp_library_of(functions[0]);

    for (size_t i = 1; i < count; i++) {
        if (sp_library_of(functions[i]) != object)
            return false;
    }
    return object != NULL;
}

static bool is_known;

/* The two libraries of OpenSSL may be one object, as in Node.js itself, or two, as for a Node.js of a distribution. */
static void look(void)
{
    const void *const of_crypto[] = {TLS_FUNCTIONS_OF_CRYPTO(ADDRESS_OF)};
    const void *const of_ssl[] = {TLS_FUNCTIONS_OF_SSL(ADDRESS_OF)};

    is_known = are_of_one_object(of_crypto, sizeof of_crypto / sizeof of_crypto[0]) &&
               are_of_one_object(of_ssl, sizeof of_ssl / sizeof of_ssl[0]) && OPENSSL_version_major() == KNOWN_MAJOR;
}

bool tls_is_openssl_there(void)
{
    static struct sp_once once = SP_ONCE_INIT;

    sp_once_run(&once, look);
    return is_known;
}

#else

bool tls_is_openssl_there(void)
{
    return true; /* the one that the library was linked with */
}

#endif
