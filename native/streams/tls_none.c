/* In place of TLS where the engine is built without OpenSSL. */
#include "streams/tls.h"

int sp_tls_open(struct sp_filter_source **source, const struct sp_options *options,
                const struct sp_dialer_target *target)
{
    (void)source;
    (void)options;
    (void)target;
    return -EPROTONOSUPPORT;
}
