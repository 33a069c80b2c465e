/* Prints the layouts of the structures, what the macros with arguments give, and how each function is declared, as the
 * headers that it is compiled with say. */
#include <nanomsg/nn.h>

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define STRUCTURE(name) printf("struct %s %zu\n", #name, sizeof(struct name))
#define MEMBER(structure, member)                                                                                      \
    printf("%s.%s %zu %zu\n", #structure, #member, offsetof(struct structure, member),                                 \
           sizeof(((struct structure *)NULL)->member))
#define FUNCTION(name, type) printf("%s %d\n", #name, _Generic(&name, type : 1, default : 0))
#define VALUE(expression) printf("%s %zu\n", #expression, (size_t)(expression))

static void print_structures(void)
{
    STRUCTURE(nn_iovec);
    MEMBER(nn_iovec, iov_base);
    MEMBER(nn_iovec, iov_len);
    STRUCTURE(nn_msghdr);
    MEMBER(nn_msghdr, msg_iov);
    MEMBER(nn_msghdr, msg_iovlen);
    MEMBER(nn_msghdr, msg_control);
    MEMBER(nn_msghdr, msg_controllen);
    STRUCTURE(nn_cmsghdr);
    MEMBER(nn_cmsghdr, cmsg_len);
    MEMBER(nn_cmsghdr, cmsg_level);
    MEMBER(nn_cmsghdr, cmsg_type);
    STRUCTURE(nn_pollfd);
    MEMBER(nn_pollfd, fd);
    MEMBER(nn_pollfd, events);
    MEMBER(nn_pollfd, revents);
    STRUCTURE(nn_symbol_properties);
    MEMBER(nn_symbol_properties, value);
    MEMBER(nn_symbol_properties, name);
    MEMBER(nn_symbol_properties, ns);
    MEMBER(nn_symbol_properties, type);
    MEMBER(nn_symbol_properties, unit);
}

static void print_macros(void)
{
    struct nn_cmsghdr record;

    for (size_t length = 0; length < 20; length++) {
        VALUE(NN_CMSG_ALIGN_(length));
        VALUE(NN_CMSG_SPACE(length));
        VALUE(NN_CMSG_LEN(length));
    }
    VALUE((char *)NN_CMSG_DATA(&record) - (char *)&record);
    VALUE(sizeof(NN_MSG));
    VALUE(NN_MSG);
}

static void print_functions(void)
{
    FUNCTION(nn_errno, int (*)(void));
    FUNCTION(nn_strerror, const char *(*)(int));
    FUNCTION(nn_symbol, const char *(*)(int, int *));
    FUNCTION(nn_symbol_info, int (*)(int, struct nn_symbol_properties *, int));
    FUNCTION(nn_term, void (*)(void));
    FUNCTION(nn_allocmsg, void *(*)(size_t, int));
    FUNCTION(nn_reallocmsg, void *(*)(void *, size_t));
    FUNCTION(nn_freemsg, int (*)(void *));
    FUNCTION(nn_cmsg_nxthdr_, struct nn_cmsghdr * (*)(const struct nn_msghdr *, const struct nn_cmsghdr *));
    FUNCTION(nn_socket, int (*)(int, int));
    FUNCTION(nn_close, int (*)(int));
    FUNCTION(nn_setsockopt, int (*)(int, int, int, const void *, size_t));
    FUNCTION(nn_getsockopt, int (*)(int, int, int, void *, size_t *));
    FUNCTION(nn_bind, int (*)(int, const char *));
    FUNCTION(nn_connect, int (*)(int, const char *));
    FUNCTION(nn_shutdown, int (*)(int, int));
    FUNCTION(nn_send, int (*)(int, const void *, size_t, int));
    FUNCTION(nn_recv, int (*)(int, void *, size_t, int));
    FUNCTION(nn_sendmsg, int (*)(int, const struct nn_msghdr *, int));
    FUNCTION(nn_recvmsg, int (*)(int, struct nn_msghdr *, int));
    FUNCTION(nn_poll, int (*)(struct nn_pollfd *, int, int));
    FUNCTION(nn_device, int (*)(int, int));
    FUNCTION(nn_get_statistic, uint64_t(*)(int, int));
}

int main(void)
{
    print_structures();
    print_macros();
    print_functions();
    return 0;
}
