/* Which web pages may open a WebSocket: browsers say in Origin where the page is from (RFC 6454). */
#ifndef SP_UTIL_ORIGINS_H
#define SP_UTIL_ORIGINS_H

#include "util/http_head.h"

#include <stdbool.h>
#include <stddef.h>

/* Whether the text is a list of NN_WS_ORIGINS: origins, "self", "null" and "*", with single spaces between. */
bool sp_origins_are_valid(const char *list, size_t size);

/* Whether such a list admits a request. One without Origin comes from no page. */
bool sp_origins_admit(const char *list, const struct sp_http_head *request);

#endif
