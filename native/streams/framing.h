/* How messages are cut out of a byte stream and how peers greet each other. Pure functions of bytes: they see no
 * descriptor and allocate nothing. */
#ifndef SP_STREAMS_FRAMING_H
#define SP_STREAMS_FRAMING_H

#include <stddef.h>
#include <stdint.h>

/* The longest prefix of any framing. */
#define SP_FRAME_PREFIX_LIMIT_BYTES 16
/* The greeting of SP over a byte stream, both ways. */
#define SP_GREETING_BYTES 8

struct sp_frame {
    size_t prefix_bytes; /* before the body */
    size_t body_bytes;
};

struct sp_framing {
    /* Reads the prefix at the start of data. Returns 1 and fills frame (whose body need not be there yet); 0 when
     * more bytes are needed to tell; -EMSGSIZE when the body is longer than limit_bytes; -EPROTO. */
    int (*parse)(const uint8_t *data, size_t available_bytes, size_t limit_bytes, struct sp_frame *frame);
    /* Writes the prefix of a body and returns its length. */
    size_t (*write_prefix)(uint8_t *prefix, size_t body_bytes);
};

/* tcp: a 64-bit length (sp-tcp-mapping-01). ipc: the same behind a type byte of 1. */
extern const struct sp_framing sp_tcp_framing;
extern const struct sp_framing sp_ipc_framing;

void sp_greeting_write(uint8_t greeting[SP_GREETING_BYTES], int protocol_id);

/* Returns the peer's protocol id, or -EPROTO when these are no greeting. Only as many bytes as there are need to be
 * right, so that garbage is noticed early; 0 when more are needed. */
int sp_greeting_parse(const uint8_t *data, size_t available_bytes);

#endif
