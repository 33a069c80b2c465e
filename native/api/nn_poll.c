/* nn_poll: readiness of several sockets. */
#include "api/fail.h"
#include "core/interest.h"

/* Looks the socket of an entry up, when anything is asked about it. What its type can never do is -ENOPROTOOPT, as for
 * the descriptors that other loops would poll instead. */
static int interest_of(const struct nn_pollfd *entry, struct sp_interest *interest)
{
    interest->events = entry->events & (NN_POLLIN | NN_POLLOUT);
    if (interest->events == 0)
        return 0;

    int rc = sp_socket_acquire(entry->fd, &interest->socket);
    if (rc < 0)
        return rc;
    unsigned flags = sp_socket_protocol(interest->socket)->flags;
    bool can_do_all = ((interest->events & NN_POLLIN) == 0 || (flags & NN_PROTOCOL_RECEIVES) != 0) &&
                      ((interest->events & NN_POLLOUT) == 0 || (flags & NN_PROTOCOL_SENDS) != 0);
    return can_do_all ? 0 : -ENOPROTOOPT;
}

static int poll_interests(struct nn_pollfd *fds, struct sp_interest *interests, int count, int timeout)
{
    sp_time_ns deadline_ns = sp_deadline_after_ms(timeout);
    int rc = 0;

    for (int i = 0; i < count && rc == 0; i++)
        rc = interest_of(&fds[i], &interests[i]);
    if (rc == 0)
        rc = sp_interests_wait(interests, count, deadline_ns);
    /* As ever, an error and a timeout leave the results of the call before. */
    for (int i = 0; i < count && rc > 0; i++)
        fds[i].revents = (short)interests[i].ready;
    for (int i = 0; i < count; i++) {
        if (interests[i].socket != NULL)
            sp_socket_release(interests[i].socket);
    }
    return rc;
}

int nn_poll(struct nn_pollfd *fds, int nfds, int timeout)
{
    if (nfds < 0)
        return nn_fail(-EINVAL);
    if (fds == NULL && nfds > 0)
        return nn_fail(-EFAULT);

    struct sp_interest *interests = sp_interests_create(nfds);
    if (interests == NULL)
        return nn_fail(-ENOMEM);
    int rc = poll_interests(fds, interests, nfds, timeout);
    sp_interests_destroy(interests);
    return nn_result(rc);
}
