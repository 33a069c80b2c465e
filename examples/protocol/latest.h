/* LATEST: a pattern of our own. A SOURCE has a value that changes; every VIEW gets the newest one, and misses values
 * that were replaced before it looked. No socket waits for a slow view, and a late one gets the value at once. */
#ifndef LATEST_H
#define LATEST_H

/* Socket types, and their numbers in handshakes: family * 16 + role. The families of the SP specification are small
 * numbers; ours is far away from them. */
#define LATEST_FAMILY 200
#define LATEST_SOURCE (LATEST_FAMILY * 16 + 0)
#define LATEST_VIEW (LATEST_FAMILY * 16 + 1)

/* Option of level LATEST_VIEW, int, read-only: values that came and were replaced before they were received. */
#define LATEST_MISSED 1

/* Makes both types known to nn_socket(). Returns 0, or -1 and errno as nn_protocol_register(). */
int latest_register(void);

#endif
