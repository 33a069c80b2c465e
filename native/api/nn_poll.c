/* nn_poll: readiness of several sockets. */
#include "api/fail.h"
#include "core/poll_entry.h"

/* Looks the socket of an entry up, when anything is asked about it. What its type can never do is -ENOPROTOOPT, as for
 * the descriptors that other loops would poll instead. */
static int poll_entry_of(const struct nn_pollfd *entry, struct sp_poll_entry *polled)
{
    polled->events = entry->events & (NN_POLLIN | NN_POLLOUT);
    if (polled->events == 0)
        return 0;

    int rc = sp_socket_acquire(entry->fd, &polled->socket);
    if (rc < 0)
        return rc;
    unsigned flags = sp_socket_protocol(polled->socket)->flags;
    bool can_do_all = ((polled->events & NN_POLLIN) == 0 || (flags & NN_PROTOCOL_RECEIVES) != 0) &&
                      ((polled->events & NN_POLLOUT) == 0 || (flags & NN_PROTOCOL_SENDS) != 0);
    return can_do_all ? 0 : -ENOPROTOOPT;
}

static int poll_sockets(struct nn_pollfd *fds, struct sp_poll_entry *polled, int count, int timeout)
{
    sp_time_ns deadline_ns = sp_deadline_after_ms(timeout);
    int rc = 0;

    for (int i = 0; i < count && rc == 0; i++)
        rc = poll_entry_of(&fds[i], &polled[i]);
    if (rc == 0)
        rc = sp_poll_entries_wait(polled, count, deadline_ns);
    /* As ever, an error and a timeout leave the results of the call before. */
    for (int i = 0; i < count && rc > 0; i++)
        fds[i].revents = (short)polled[i].ready;
    for (int i = 0; i < count; i++) {
        if (polled[i].socket != NULL)
            sp_socket_release(polled[i].socket);
    }
    return rc;
}

int nn_poll(struct nn_pollfd *fds, int nfds, int timeout)
{
    if (nfds < 0)
        return nn_fail(-EINVAL);
    if (fds == NULL && nfds > 0)
        return nn_fail(-EFAULT);

    struct sp_poll_entry *polled = sp_poll_entries_create(nfds);
    if (polled == NULL)
        return nn_fail(-ENOMEM);
    int rc = poll_sockets(fds, polled, nfds, timeout);
    sp_poll_entries_destroy(polled);
    return nn_result(rc);
}
