/* Parsing internet addresses. */
#include "streams/net_address.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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

static void fill_ipv6(struct sp_socket_address *address, struct in6_addr host, unsigned scope, uint16_t port)
{
    struct sockaddr_in6 *to = (struct sockaddr_in6 *)&address->storage;

    memset(address, 0, sizeof *address);
    to->sin6_family = AF_INET6;
    to->sin6_addr = host;
    to->sin6_scope_id = scope;
    to->sin6_port = htons(port);
    address->length = sizeof *to;
}

/* A kernel may be without it. */
static bool has_ipv6(void)
{
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0)
        close(fd);
    return fd >= 0 || errno != EAFNOSUPPORT;
}

static void fill_any(struct sp_socket_address *address, bool ipv4_only, uint16_t port)
{
    if (ipv4_only || !has_ipv6())
        fill_ipv4(address, (struct in_addr){.s_addr = htonl(INADDR_ANY)}, port);
    else
        fill_ipv6(address, in6addr_any, 0, port);
}

/* Reads an IPv4 or IPv6 literal, in brackets or not, the latter with an optional %scope. Returns its family, or 0 when
 * it is none. */
static int parse_literal(const char *place, uint16_t port, struct sp_socket_address *address)
{
    char text[INET6_ADDRSTRLEN + IF_NAMESIZE + 2];
    size_t length = strlen(place);
    bool is_bracketed = length >= 2 && place[0] == '[' && place[length - 1] == ']';
    struct in_addr ipv4;
    struct in6_addr ipv6;
    unsigned scope = 0;

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
    char *percent = strchr(text, '%');
    if (percent != NULL) {
        *percent = '\0';
        scope = if_nametoindex(percent + 1);
        if (scope == 0)
            return 0;
    }
    if (inet_pton(AF_INET6, text, &ipv6) != 1)
        return 0;
    fill_ipv6(address, ipv6, scope, port);
    return AF_INET6;
}

/* The first address of a network interface. Returns 0 or -ENODEV. */
static int find_interface(const char *name, bool ipv4_only, uint16_t port, struct sp_socket_address *address)
{
    struct ifaddrs *interfaces;
    int rc = -ENODEV;

    if (getifaddrs(&interfaces) < 0)
        return -ENODEV;
    for (const struct ifaddrs *entry = interfaces; entry != NULL && rc < 0; entry = entry->ifa_next) {
        if (entry->ifa_addr == NULL || strcmp(entry->ifa_name, name) != 0)
            continue;
        if (entry->ifa_addr->sa_family == AF_INET) {
            fill_ipv4(address, ((const struct sockaddr_in *)entry->ifa_addr)->sin_addr, port);
            rc = 0;
        } else if (entry->ifa_addr->sa_family == AF_INET6 && !ipv4_only) {
            const struct sockaddr_in6 *from = (const struct sockaddr_in6 *)entry->ifa_addr;
            fill_ipv6(address, from->sin6_addr, from->sin6_scope_id, port);
            rc = 0;
        }
    }
    freeifaddrs(interfaces);
    return rc;
}

/* A place on this machine: `*`, a literal or an interface. */
static int parse_local(const char *place, bool ipv4_only, uint16_t port, struct sp_socket_address *address)
{
    int family;

    if (strcmp(place, "*") == 0) {
        fill_any(address, ipv4_only, port);
        return 0;
    }
    family = parse_literal(place, port, address);
    if (family == 0)
        return find_interface(place, ipv4_only, port, address);
    return family == AF_INET6 && ipv4_only ? -ENODEV : 0;
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

static int look_up_host(const char *name, bool ipv4_only, uint16_t port, struct sp_socket_address *address)
{
    struct addrinfo hints = {.ai_family = ipv4_only ? AF_INET : AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;

    if (!is_host_name(name) || getaddrinfo(name, NULL, &hints, &found) != 0)
        return -ENODEV;
    if (found->ai_family == AF_INET6) {
        const struct sockaddr_in6 *from = (const struct sockaddr_in6 *)found->ai_addr;
        fill_ipv6(address, from->sin6_addr, from->sin6_scope_id, port);
    } else {
        fill_ipv4(address, ((const struct sockaddr_in *)found->ai_addr)->sin_addr, port);
    }
    freeaddrinfo(found);
    return 0;
}

int sp_net_address_to_bind(const char *text, bool ipv4_only, struct sp_socket_address *address)
{
    char place[HOST_LIMIT_BYTES + 1];
    uint16_t port;
    int rc = split_port(text, place, 0, &port);

    if (rc < 0)
        return rc;
    rc = parse_local(place, ipv4_only, port, address);
    if (rc == -ENODEV && parse_literal(place, port, address) == 0)
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
    return strcmp(place, "*") == 0 ? 0 : parse_local(place, ipv4_only, 0, &target->local);
}

static int parse_destination(const char *text, bool ipv4_only, struct sp_dialer_target *target)
{
    char place[HOST_LIMIT_BYTES + 1];
    int rc = split_port(text, place, 1, &target->port);

    if (rc < 0)
        return rc;
    int family = parse_literal(place, target->port, &target->address);
    if (family == AF_INET6 && ipv4_only)
        return -EINVAL;
    if (family == 0 && !is_host_name(place))
        return -EINVAL;
    if (family == 0)
        memcpy(target->host, place, strlen(place) + 1);
    return 0;
}

int sp_net_address_to_connect(const char *text, bool ipv4_only, struct sp_dialer_target *target)
{
    const char *semicolon = strchr(text, ';');

    *target = (struct sp_dialer_target){.family = ipv4_only ? AF_INET : AF_UNSPEC};
    /* The destination comes first: where both parts are wrong, the syntax error is reported. */
    int rc = parse_destination(semicolon != NULL ? semicolon + 1 : text, ipv4_only, target);
    if (rc == 0 && semicolon != NULL)
        rc = parse_source(text, (size_t)(semicolon - text), ipv4_only, target);
    return rc;
}

void sp_net_address_write(const struct sp_socket_address *address, char *buffer, size_t size_bytes)
{
    char host[INET6_ADDRSTRLEN] = "";

    if (address->storage.ss_family == AF_INET6) {
        const struct sockaddr_in6 *from = (const struct sockaddr_in6 *)&address->storage;
        if (IN6_IS_ADDR_V4MAPPED(&from->sin6_addr)) { /* a peer over IPv4 of who listens for both */
            inet_ntop(AF_INET, &from->sin6_addr.s6_addr[12], host, sizeof host);
            snprintf(buffer, size_bytes, "%s:%u", host, ntohs(from->sin6_port));
            return;
        }
        inet_ntop(AF_INET6, &from->sin6_addr, host, sizeof host);
        snprintf(buffer, size_bytes, "[%s]:%u", host, ntohs(from->sin6_port));
    } else {
        const struct sockaddr_in *from = (const struct sockaddr_in *)&address->storage;
        inet_ntop(AF_INET, &from->sin_addr, host, sizeof host);
        snprintf(buffer, size_bytes, "%s:%u", host, ntohs(from->sin_port));
    }
}
