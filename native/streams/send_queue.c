/* Pieces on their way to the kernel. */
#include "streams/send_queue.h"

#include "message/chunk.h"
#include "util/memory.h"

#include <errno.h>
#include <string.h>

/* Bodies up to this length are copied behind their prefix: cheaper than a vector of their own in writev. */
#define GATHERED_BODY_BYTES ((size_t)4 * 1024)
/* A first buffer is small, since sending to many peers makes one for each; the spare is of full size. */
#define BUFFER_FIRST_BYTES ((size_t)4 * 1024 + 64)
#define BUFFER_BYTES ((size_t)64 * 1024)
/* They would take 24 GiB. */
#define PIECES_LIMIT ((uint32_t)1 << 30)

static struct sp_piece *piece_at(const struct sp_send_queue *self, uint32_t index)
{
    return &self->pieces[(self->first + index) & (self->capacity - 1)];
}

/* Makes room for `more` pieces. Returns 0 or -ENOMEM. */
static int reserve_pieces(struct sp_send_queue *self, uint32_t more)
{
    uint32_t capacity = self->capacity > 0 ? self->capacity : 4;

    if (self->count + more <= self->capacity)
        return 0;
    while (capacity < self->count + more)
        capacity *= 2;
    if (capacity > PIECES_LIMIT)
        return -ENOMEM;
    struct sp_piece *pieces = sp_alloc(capacity * sizeof *pieces);
    if (pieces == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < self->count; i++)
        pieces[i] = *piece_at(self, i);
    sp_free(self->pieces);
    self->pieces = pieces;
    self->capacity = capacity;
    self->first = 0;
    return 0;
}

static void push_piece(struct sp_send_queue *self, const uint8_t *bytes, size_t count, struct nn_chunk *chunk)
{
    self->count++;
    *piece_at(self, self->count - 1) = (struct sp_piece){.bytes = bytes, .count = count, .chunk = chunk};
    self->bytes += count;
}

static size_t buffer_room(const struct sp_send_queue *self)
{
    return self->buffer != NULL ? self->buffer->capacity_bytes - self->buffer->size_bytes : 0;
}

/* Makes sure that `count` bytes can be gathered. There must be room for a piece. Returns 0 or -ENOMEM. */
static int reserve_buffer(struct sp_send_queue *self, size_t count, struct nn_chunk **spare)
{
    struct nn_chunk *buffer = *spare;

    if (buffer_room(self) >= count)
        return 0;
    if (buffer != NULL && buffer->capacity_bytes >= count) {
        *spare = NULL;
    } else {
        size_t capacity = self->buffer == NULL ? BUFFER_FIRST_BYTES : BUFFER_BYTES;
        buffer = sp_chunk_create(count > capacity ? count : capacity);
        if (buffer == NULL)
            return -ENOMEM;
    }
    buffer->size_bytes = 0;
    if (self->buffer != NULL)
        sp_chunk_release(self->buffer);
    self->buffer = buffer;
    return 0;
}

static uint8_t *gathered_end(const struct sp_send_queue *self)
{
    return self->buffer->bytes + self->buffer->size_bytes;
}

/* Counts in `count` bytes that stand behind those gathered last: more of the last piece, or a new one, for which there
 * must be room. */
static void extend_gathered(struct sp_send_queue *self, size_t count)
{
    uint8_t *from = gathered_end(self);
    struct sp_piece *last = self->count > 0 ? piece_at(self, self->count - 1) : NULL;

    if (count == 0)
        return;
    self->buffer->size_bytes += count;
    if (last != NULL && last->chunk == self->buffer && last->bytes + last->count == from) {
        last->count += count;
        self->bytes += count;
        return;
    }
    sp_chunk_retain(self->buffer);
    push_piece(self, from, count, self->buffer);
}

/* Copies bytes behind those gathered last. There must be room in the buffer and for a piece. */
static void gather(struct sp_send_queue *self, const uint8_t *bytes, size_t count)
{
    if (count > 0)
        memcpy(gathered_end(self), bytes, count);
    extend_gathered(self, count);
}

/* Adds the part of `bytes` behind *skip_bytes, and lowers *skip_bytes by what it left out. */
static void gather_rest(struct sp_send_queue *self, const uint8_t *bytes, size_t count, size_t *skip_bytes)
{
    size_t skipped = *skip_bytes < count ? *skip_bytes : count;

    *skip_bytes -= skipped;
    gather(self, bytes + skipped, count - skipped);
}

/* Copies a borrowed body from `skip_bytes` on. */
static int own_rest(struct nn_message *message, size_t skip_bytes)
{
    if (message->chunk != NULL)
        return 0;
    struct nn_chunk *chunk = sp_chunk_create(message->body_bytes);
    if (chunk == NULL)
        return -ENOMEM;
    memcpy(chunk->bytes + skip_bytes, message->body + skip_bytes, message->body_bytes - skip_bytes);
    message->chunk = chunk;
    message->body = chunk->bytes;
    return 0;
}

/* Adds what follows the first `skip_bytes`. What `is_kept` waits for the kernel, and must not be borrowed. */
static int add(struct sp_send_queue *self, const uint8_t *prefix, size_t prefix_bytes, struct nn_message *message,
               size_t skip_bytes, bool is_kept, struct nn_chunk **spare)
{
    size_t head_bytes = prefix_bytes + message->header_bytes;
    bool is_gathered = message->body_bytes <= GATHERED_BODY_BYTES;

    if (reserve_pieces(self, 3) < 0)
        return -ENOMEM;
    if (reserve_buffer(self, is_gathered ? head_bytes + message->body_bytes : head_bytes, spare) < 0)
        return -ENOMEM;
    if (is_kept && !is_gathered && own_rest(message, skip_bytes > head_bytes ? skip_bytes - head_bytes : 0) < 0)
        return -ENOMEM;

    gather_rest(self, prefix, prefix_bytes, &skip_bytes);
    gather_rest(self, nn_message_header(message), message->header_bytes, &skip_bytes);
    if (is_gathered) {
        gather_rest(self, message->body, message->body_bytes, &skip_bytes);
        nn_message_free(message);
        return 0;
    }
    push_piece(self, message->body + skip_bytes, message->body_bytes - skip_bytes, message->chunk);
    message->chunk = NULL; /* the piece has the reference now */
    nn_message_free(message);
    return 0;
}

static uint8_t *append(uint8_t *to, const uint8_t *bytes, size_t count)
{
    if (count > 0)
        memcpy(to, bytes, count);
    return to + count;
}

/* A whole frame with a short body, as coalesced messages are. */
static int add_short(struct sp_send_queue *self, const uint8_t *prefix, size_t prefix_bytes, struct nn_message *message,
                     struct nn_chunk **spare)
{
    size_t total = prefix_bytes + message->header_bytes + message->body_bytes;

    if (reserve_pieces(self, 1) < 0 || reserve_buffer(self, total, spare) < 0)
        return -ENOMEM;
    uint8_t *to = append(gathered_end(self), prefix, prefix_bytes);
    to = append(to, nn_message_header(message), message->header_bytes);
    append(to, message->body, message->body_bytes);
    extend_gathered(self, total);
    nn_message_free(message);
    return 0;
}

int sp_send_queue_add(struct sp_send_queue *self, const uint8_t *prefix, size_t prefix_bytes,
                      struct nn_message *message, struct nn_chunk **spare)
{
    return message->body_bytes <= GATHERED_BODY_BYTES ? add_short(self, prefix, prefix_bytes, message, spare)
                                                      : add(self, prefix, prefix_bytes, message, 0, false, spare);
}

int sp_send_queue_add_rest(struct sp_send_queue *self, const uint8_t *prefix, size_t prefix_bytes,
                           struct nn_message *message, size_t skip_bytes, struct nn_chunk **spare)
{
    if (skip_bytes == 0 && message->body_bytes <= GATHERED_BODY_BYTES)
        return add_short(self, prefix, prefix_bytes, message, spare);
    return add(self, prefix, prefix_bytes, message, skip_bytes, true, spare);
}

struct sp_send_queue_mark sp_send_queue_mark(const struct sp_send_queue *self)
{
    return (struct sp_send_queue_mark){
        .count = self->count,
        .bytes = self->bytes,
        .last_bytes = self->count > 0 ? piece_at(self, self->count - 1)->count : 0,
    };
}

/* The buffer keeps what was gathered, which no piece names any more. */
void sp_send_queue_undo(struct sp_send_queue *self, struct sp_send_queue_mark mark)
{
    for (; self->count > mark.count; self->count--) {
        struct nn_chunk *chunk = piece_at(self, self->count - 1)->chunk;
        if (chunk != NULL)
            sp_chunk_release(chunk);
    }
    if (self->owned > self->count)
        self->owned = self->count;
    if (self->count > 0)
        piece_at(self, self->count - 1)->count = mark.last_bytes;
    self->bytes = mark.bytes;
}

int sp_send_queue_vectors(const struct sp_send_queue *self, struct iovec *vectors, int limit)
{
    int count = 0;

    while (count < limit && (size_t)count < self->count) {
        const struct sp_piece *piece = piece_at(self, (uint32_t)count);
        vectors[count] = sp_vector_of(piece->bytes, piece->count);
        count++;
    }
    return count;
}

static void return_buffer(struct sp_send_queue *self, struct nn_chunk **spare)
{
    struct nn_chunk *buffer = self->buffer;

    self->buffer = NULL;
    if (buffer == NULL)
        return;
    if (*spare == NULL && buffer->capacity_bytes == BUFFER_BYTES && !sp_chunk_is_shared(buffer))
        *spare = buffer;
    else
        sp_chunk_release(buffer);
}

void sp_send_queue_consume(struct sp_send_queue *self, size_t count, struct nn_chunk **spare)
{
    self->bytes -= count;
    while (count > 0) {
        struct sp_piece *piece = piece_at(self, 0);
        if (piece->count > count) {
            piece->bytes += count;
            piece->count -= count;
            return;
        }
        count -= piece->count;
        if (piece->chunk != NULL)
            sp_chunk_release(piece->chunk);
        self->first = (self->first + 1) & (self->capacity - 1);
        self->count--;
        if (self->owned > 0)
            self->owned--;
    }
    if (self->count == 0) {
        return_buffer(self, spare);
        sp_free(self->pieces);
        self->pieces = NULL;
        self->capacity = 0;
        self->first = 0;
    }
}

void sp_send_queue_take(struct sp_send_queue *self, struct sp_piece *piece, struct nn_chunk **spare)
{
    *piece = *piece_at(self, 0);
    sp_chunk_retain(piece->chunk);
    sp_send_queue_consume(self, piece->count, spare);
}

/* Looks at what has been added since the last time: a long queue costs each send no more than a short one. */
int sp_send_queue_own(struct sp_send_queue *self)
{
    for (; self->owned < self->count; self->owned++) {
        struct sp_piece *piece = piece_at(self, self->owned);
        if (piece->chunk != NULL)
            continue;
        struct nn_chunk *copy = sp_chunk_create(piece->count);
        if (copy == NULL)
            return -ENOMEM;
        memcpy(copy->bytes, piece->bytes, piece->count);
        piece->chunk = copy;
        piece->bytes = copy->bytes;
    }
    return 0;
}

void sp_send_queue_clear(struct sp_send_queue *self)
{
    for (uint32_t i = 0; i < self->count; i++) {
        if (piece_at(self, i)->chunk != NULL)
            sp_chunk_release(piece_at(self, i)->chunk);
    }
    if (self->buffer != NULL)
        sp_chunk_release(self->buffer);
    sp_free(self->pieces);
    *self = (struct sp_send_queue){0};
}
