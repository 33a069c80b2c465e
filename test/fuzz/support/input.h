/* What a fuzzer's input says, read from its start. An input that has ended reads as zeros. */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct input {
    const uint8_t *bytes;
    size_t count;
};

static inline uint8_t input_u8(struct input *self)
{
    if (self->count == 0)
        return 0;
    self->count--;
    return *self->bytes++;
}

static inline uint16_t input_u16(struct input *self)
{
    uint8_t high = input_u8(self);

    return (uint16_t)(high << 8 | input_u8(self));
}

static inline uint32_t input_u32(struct input *self)
{
    uint32_t high = input_u16(self);

    return high << 16 | input_u16(self);
}

static inline bool input_is_empty(const struct input *self)
{
    return self->count == 0;
}

/* The next bytes, at most limit_bytes of them. */
static inline const uint8_t *input_take(struct input *self, size_t limit_bytes, size_t *taken_bytes)
{
    const uint8_t *start = self->bytes;

    *taken_bytes = limit_bytes < self->count ? limit_bytes : self->count;
    self->bytes += *taken_bytes;
    self->count -= *taken_bytes;
    return start;
}

#endif
