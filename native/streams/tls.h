/* TLS as a filter of streams. tls_context.c makes it with OpenSSL 3; tls_none.c says that there is none. */
#ifndef SP_STREAMS_TLS_H
#define SP_STREAMS_TLS_H

#include "streams/net_address.h"
#include "streams/stream.h"

/* Prepares TLS as the options say: for a server when target is NULL, or for connecting to the target. Returns 0;
 * -EINVAL when there is no certificate or something else is no PEM; the errno of a file that cannot be read; -ENOMEM;
 * -EPROTONOSUPPORT when the engine is built without TLS. */
int sp_tls_open(struct sp_filter_source **source, const struct sp_options *options,
                const struct sp_dialer_target *target);

#endif
