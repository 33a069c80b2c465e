/* Parsing internet addresses. */
#include "streams/net_address.h"

#include "core/connection_limits.h"
#include "platform/descriptor.h"
#include "streams/interface.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST_LIMIT_BYTES 255
#define LABEL_LIMIT_BYTES 63

/* ---- Pieces ---- */

/* Splits "place:port" at the last colon. Returns 0 or -EINVAL. */
static int split_port(const char *text, char place[HOST_LIMIT_BYTES + 1], int lowest_port, uint16_t *port)
{
    const char *colon = strrchr(text, ':');
    long number = 0;

    if (colon == NULL || colon[1] == '\0' || (size_t)(colon - text) > HOST_LIMIT_BYTES)
        return -EINVAL;
    for (const char *digit = colon + 1; *digit != '\0'; digit++) {
        if (!isdigit((unsigned char)*digit))
            return -EINVAL;
        number = number * 10 + (*digit - '0');
        if (number > UINT16_MAX)
            return -EINVAL;
    }
    if (number < lowest_port)
        return -EINVAL;
    memcpy(place, text, (size_t)(colon - text));
    place[colon - text] = '\0';
    *port = (uint16_t)number;
    return 0;
}

static void fill_ipv4(struct sp_socket_address *address, struct in_addr host, uint16_t port)
{
    struct sockaddr_in *to = (struct sockaddr_in *)&address->storage;

    memset(address, 0, sizeof *address);
    to->sin_family = AF_INET;
    to->sin_addr = host;
    to->sin_port = htons(port);
    address->length = sizeof *to;
}

/* One of IPv4 that is written as one of IPv6 is one of IPv4: so the kernel takes it, and the interfaces have it. */
static void fill_ipv6(struct sp_socket_address *address, struct in6_addr host, uint16_t port)
{
    struct sockaddr_in6 *to = (struct sockaddr_in6 *)&address->storage;

    if (IN6_IS_ADDR_V4MAPPED(&host)) {
        struct in_addr ipv4;
        memcpy(&ipv4, &host.s6_addr[12], sizeof ipv4);
        fill_ipv4(address, ipv4, port);
        return;
    }
    memset(address, 0, sizeof *address);
    to->sin6_family = AF_INET6;
    to->sin6_addr = host;
    to->sin6_port = htons(port);
    address->length = sizeof *to;
}

/* A kernel may be without it. */
static bool has_ipv6(void)
{
    int fd = sp_fd_socket(AF_INET6);

    if (fd >= 0)
        sp_fd_close(fd);
    return fd != -EAFNOSUPPORT;
}

static void fill_any(struct sp_socket_address *address, bool ipv4_only, uint16_t port)
{
    if (ipv4_only || !has_ipv6())
        fill_ipv4(address, (struct in_addr){.s_addr = htonl(INADDR_ANY)}, port);
    else
        fill_ipv6(address, (struct in6_addr)IN6ADDR_ANY_INIT, port);
}

/* Copies what stands behind the % of a literal, and cuts it off. Returns false where nothing fits to stand there. */
static bool split_scope(char *text, char scope[IF_NAMESIZE])
{
    char *percent = strchr(text, '%');
    size_t count = percent != NULL ? strlen(percent + 1) : 0;

    scope[0] = '\0';
    if (percent == NULL)
        return true;
    if (count == 0 || count >= IF_NAMESIZE)
        return false;
    memcpy(scope, percent + 1, count + 1);
    *percent = '\0';
    return true;
}

/* A scope says nothing about addresses that are the same on all interfaces, and the kernel does not report it again. */
static int take_scope(struct sp_socket_address *address, char scope[IF_NAMESIZE])
{
    if (!sp_interface_is_link_local(address))
        scope[0] = '\0';
    if (scope[0] == '\0')
        return AF_INET6;
    int rc = sp_interface_set_scope(address, scope);
    return rc < 0 ? rc : AF_INET6;
}

/* Reads an IPv4 or IPv6 literal, in brackets or not, the latter with an optional %scope, which is copied where it
 * counts. Returns its family, 0 when it is none, -ENODEV when there is no such interface, or what the system lacks. */
static int parse_literal(const char *place, uint16_t port, struct sp_socket_address *address, char scope[IF_NAMESIZE])
{
    char text[INET6_ADDRSTRLEN + IF_NAMESIZE + 2];
    size_t length = strlen(place);
    bool is_bracketed = length >= 2 && place[0] == '[' && place[length - 1] == ']';
    struct in_addr ipv4;
    struct in6_addr ipv6;

    scope[0] = '\0';
    if (is_bracketed) {
        place++;
        length -= 2;
    }
    if (length >= sizeof text)
        return 0;
    memcpy(text, place, length);
    text[length] = '\0';

    if (inet_pton(AF_INET, text, &ipv4) == 1) {
        fill_ipv4(address, ipv4, port);
        return AF_INET;
    }
    if (!split_scope(text, scope) || inet_pton(AF_INET6, text, &ipv6) != 1)
        return 0;
    fill_ipv6(address, ipv6, port);
    return take_scope(address, scope);
}

/* A place on this machine to bind: `*`, a literal or an interface. */
static int parse_local(const char *place, bool ipv4_only, uint16_t port, struct sp_socket_address *address)
{
    char scope[IF_NAMESIZE];

    if (strcmp(place, "*") == 0) {
        fill_any(address, ipv4_only, port);
        return 0;
    }
    int family = parse_literal(place, port, address, scope);
    if (family != 0)
        return family < 0 ? family : family == AF_INET6 && ipv4_only ? -ENODEV : 0;
    int rc = sp_interface_find(place, ipv4_only, address);
    if (rc == 0)
        sp_net_address_set_port(address, port);
    return rc;
}

static bool is_host_name(const char *text)
{
    size_t label = 0;

    if (*text == '-' || *text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text == '.') {
            if (label == 0)
                return false;
            label = 0;
        } else if (isalnum((unsigned char)*text) || *text == '-') {
            if (++label > LABEL_LIMIT_BYTES)
                return false;
        } else {
            return false;
        }
    }
    return true;
}

/* ---- Whole addresses ---- */

void sp_net_address_set_port(struct sp_socket_address *address, uint16_t port)
{
    if (address->storage.ss_family == AF_INET6)
        ((struct sockaddr_in6 *)&address->storage)->sin6_port = htons(port);
    else
        ((struct sockaddr_in *)&address->storage)->sin_port = htons(port);
}

static int look_up_host(const char *name, bool ipv4_only, uint16_t port, struct sp_socket_address *address)
{
    struct addrinfo *found;

    if (!is_host_name(name) || sp_net_find_host(name, ipv4_only ? AF_INET : AF_UNSPEC, &found) < 0)
        return -ENODEV;
    memset(address, 0, sizeof *address);
    memcpy(&address->storage, found->ai_addr, found->ai_addrlen);
    address->length = (socklen_t)found->ai_addrlen;
    sp_net_address_set_port(address, port);
    freeaddrinfo(found);
    return 0;
}

int sp_net_address_to_bind(const char *text, bool ipv4_only, struct sp_socket_address *address)
{
    char place[HOST_LIMIT_BYTES + 1];
    char scope[IF_NAMESIZE];
    uint16_t port;
    int rc = split_port(text, place, 0, &port);

    if (rc < 0)
        return rc;
    rc = parse_local(place, ipv4_only, port, address);
    if (rc == -ENODEV && parse_literal(place, port, address, scope) == 0)
        rc = look_up_host(place, ipv4_only, port, address);
    return rc;
}

/* Reads what stands before the semicolon; "*" is what the system chooses anyway. */
static int parse_source(const char *text, size_t length, bool ipv4_only, struct sp_dialer_target *target)
{
    char place[HOST_LIMIT_BYTES + 1];

    if (length > HOST_LIMIT_BYTES)
        return -ENODEV;
    memcpy(place, text, length);
    place[length] = '\0';
    if (strcmp(place, "*") == 0)
        return 0;
    int family = parse_literal(place, 0, &target->local, target->local_scope);
    if (family == 0 && place[0] != '\0' && strlen(place) < sizeof target->interface) {
        strcpy(target->interface, place);
        return 0;
    }
    if (family < 0)
        return family;
    if (family == 0 || (family == AF_INET6 && ipv4_only))
        return -ENODEV;
    target->family = target->local.storage.ss_family;
    return 0;
}

static int parse_destination(const char *text, bool ipv4_only, struct sp_dialer_target *target)
{
    char place[HOST_LIMIT_BYTES + 1];
    int rc = split_port(text, place, 1, &target->port);

    if (rc < 0)
        return rc;
    int family = parse_literal(place, target->port, &target->address, target->scope);
    if (family < 0)
        return family;
    if (family == AF_INET6 && ipv4_only)
        return -EINVAL;
    if (family == 0 && !is_host_name(place))
        return -EINVAL;
    if (family == 0)
        memcpy(target->host, place, strlen(place) + 1);
    return 0;
}

int sp_net_address_find_source(const struct sp_dialer_target *target, struct sp_socket_address *destination,
                               struct sp_socket_address *source)
{
    int rc = 0;

    *source = target->local;
    if (target->interface[0] != '\0')
        rc = sp_interface_find_source(target->interface, destination, source);
    else if (target->local_scope[0] != '\0')
        rc = sp_interface_set_scope(source, target->local_scope);
    return rc < 0 ? rc : sp_interface_join_scopes(destination, source);
}

/* Whether there are two ends that fit each other; of a name, as far as can be said before it is looked up. */
static int check_ends(const struct sp_dialer_target *target, bool ipv4_only)
{
    struct sp_socket_address destination = target->address;
    struct sp_socket_address source;

    if (target->host[0] == '\0')
        return sp_net_address_find_source(target, &destination, &source);
    return target->interface[0] != '\0' ? sp_interface_find(target->interface, ipv4_only, &source) : 0;
}

int sp_net_address_to_connect(const char *text, bool ipv4_only, struct sp_dialer_target *target)
{
    const char *semicolon = strchr(text, ';');

    *target = (struct sp_dialer_target){.family = ipv4_only ? AF_INET : AF_UNSPEC};
    /* The destination comes first: where both parts are wrong, the syntax error is reported. */
    int rc = parse_destination(semicolon != NULL ? semicolon + 1 : text, ipv4_only, target);
    if (rc == 0 && semicolon != NULL)
        rc = parse_source(text, (size_t)(semicolon - text), ipv4_only, target);
    return rc == 0 ? check_ends(target, ipv4_only) : rc;
}

/* The interface behind the % of a link-local address, by its name, as long as it has one. */
static void write_scope(unsigned index, char *buffer, size_t size_bytes)
{
    char name[IF_NAMESIZE];

    if (index == 0)
        buffer[0] = '\0';
    else if (if_indextoname(index, name) != NULL)
        snprintf(buffer, size_bytes, "%%%s", name);
    else
        snprintf(buffer, size_bytes, "%%%u", index);
}

void sp_net_address_write(const struct sp_socket_address *address, char *buffer, size_t size_bytes)
{
    char host[INET6_ADDRSTRLEN] = "";
    char scope[IF_NAMESIZE + 1];

    if (address->storage.ss_family == AF_INET6) {
        const struct sockaddr_in6 *from = (const struct sockaddr_in6 *)&address->storage;
        struct in6_addr ip = from->sin6_addr; /* the macro of musl takes no constant one */
        if (IN6_IS_ADDR_V4MAPPED(&ip)) {      /* an IPv4 peer of a socket that listens for both */
            inet_ntop(AF_INET, &from->sin6_addr.s6_addr[12], host, sizeof host);
            snprintf(buffer, size_bytes, "%s:%u", host, ntohs(from->sin6_port));
            return;
        }
        inet_ntop(AF_INET6, &from->sin6_addr, host, sizeof host);
        write_scope(sp_interface_is_link_local(address) ? from->sin6_scope_id : 0, scope, sizeof scope);
        snprintf(buffer, size_bytes, "[%s%s]:%u", host, scope, ntohs(from->sin6_port));
    } else {
        const struct sockaddr_in *from = (const struct sockaddr_in *)&address->storage;
        inet_ntop(AF_INET, &from->sin_addr, host, sizeof host);
        snprintf(buffer, size_bytes, "%s:%u", host, ntohs(from->sin_port));
    }
}

/* Peers of IPv4 may come as such, or mapped to IPv6. */
bool sp_net_address_network(const struct sp_socket_address *address, uint8_t *network)
{
    const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)&address->storage;
    const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)&address->storage;
    uint8_t *end = network + SP_NETWORK_BYTES - sizeof ipv4->sin_addr;

    memset(network, 0, SP_NETWORK_BYTES);
    if (address->length == 0)
        return false;
    if (address->storage.ss_family == AF_INET) {
        memcpy(end, &ipv4->sin_addr, sizeof ipv4->sin_addr);
        return true;
    }
    if (address->storage.ss_family != AF_INET6)
        return false;
    struct in6_addr ip = ipv6->sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&ip))
        memcpy(end, &ip.s6_addr[12], sizeof ipv4->sin_addr);
    else
        memcpy(network, &ip, SP_NETWORK_BYTES);
    return true;
}
