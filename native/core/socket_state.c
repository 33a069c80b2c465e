/* References to sockets, and what of them never changes. */
#include "core/socket_state.h"

#include "core/loop_state.h"
#include "core/socket.h"
#include "util/invariant.h"

#include <stdio.h>
#include <string.h>

void sp_socket_retain(struct sp_socket *self)
{
    unsigned before = atomic_fetch_add(&self->references, 1);

    SP_INVARIANT(before > 0, "a socket without references is retained");
}

void sp_socket_release_reference(struct sp_socket *self)
{
    unsigned before = atomic_fetch_sub(&self->references, 1);

    SP_INVARIANT(before > 0, "a socket without references is released");
    if (before == 1)
        sp_loop_discard(&self->loop->base, &self->release);
}

const struct nn_protocol *sp_socket_protocol(const struct sp_socket *self)
{
    return self->protocol;
}

int sp_socket_domain(const struct sp_socket *self)
{
    return self->domain;
}

/* ---- Those of a loop ---- */

/* Not one that only waits to be freed. */
static bool try_retain(struct sp_socket *socket)
{
    unsigned references = atomic_load(&socket->references);

    while (references > 0) {
        if (atomic_compare_exchange_weak(&socket->references, &references, references + 1))
            return true;
    }
    return false;
}

struct sp_socket *sp_loop_next_socket(struct nn_loop *self)
{
    struct sp_socket *found = NULL;

    sp_mutex_lock(&self->base.lock);
    for (struct sp_list_item *item = sp_list_first(&self->sockets); item != NULL && found == NULL;
         item = sp_list_next(&self->sockets, item)) {
        struct sp_socket *socket = SP_CONTAINER(item, struct sp_socket, loop_item);
        if (try_retain(socket))
            found = socket;
    }
    if (found != NULL) {
        /* To the end, so that a socket that another thread still uses does not hide the others. */
        sp_list_remove(&found->loop_item);
        sp_list_append(&self->sockets, &found->loop_item);
    }
    sp_mutex_unlock(&self->base.lock);
    return found;
}

/* ---- Name ---- */

void sp_socket_name(const struct sp_socket *self, char *buffer, size_t *size)
{
    char number[16];
    const char *name = self->options.name;

    if (!self->options.has_name) {
        snprintf(number, sizeof number, "%d", self->descriptor);
        name = number;
    }
    strncpy(buffer, name, *size);
    *size = strlen(name);
}
