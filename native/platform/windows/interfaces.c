/* GetAdaptersAddresses. An interface's name is that which users see and give, as "Ethernet". */
#include "platform/net.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM_BYTES (16 * 1024)
#define MAX_TRIES 4
#define NAME_BYTES 256

/* Returns 0 or -errno; *list is freed by the caller. */
static int read_adapters(IP_ADAPTER_ADDRESSES **list)
{
    ULONG flags = GAA_FLAG_SKIP_ANYCAST | GAA_FLAG_SKIP_MULTICAST | GAA_FLAG_SKIP_DNS_SERVER;
    ULONG room_bytes = FIRST_ROOM_BYTES;

    for (int i = 0; i < MAX_TRIES; i++) {
        if ((*list = malloc(room_bytes)) == NULL)
            return -ENOMEM;
        ULONG code = GetAdaptersAddresses(AF_UNSPEC, flags, NULL, *list, &room_bytes);
        if (code == ERROR_SUCCESS)
            return 0;
        free(*list);
        *list = NULL;
        if (code == ERROR_NO_DATA)
            return 0;
        if (code != ERROR_BUFFER_OVERFLOW)
            return -sp_windows_errno(code);
    }
    return -ENOMEM; /* it has grown each time */
}

static void set_bits(uint8_t *bytes, size_t size_bytes, unsigned count)
{
    for (size_t i = 0; i < size_bytes && count > 0; i++) {
        unsigned bits = count < 8 ? count : 8;
        bytes[i] = (uint8_t)(0xff00u >> bits);
        count -= bits;
    }
}

static const struct sockaddr *mask_of(const IP_ADAPTER_UNICAST_ADDRESS *entry, struct sockaddr_storage *mask)
{
    memset(mask, 0, sizeof *mask);
    mask->ss_family = (short)entry->Address.lpSockaddr->sa_family;
    if (mask->ss_family == AF_INET)
        set_bits((uint8_t *)&((struct sockaddr_in *)mask)->sin_addr, sizeof(struct in_addr), entry->OnLinkPrefixLength);
    else
        set_bits((uint8_t *)&((struct sockaddr_in6 *)mask)->sin6_addr, sizeof(struct in6_addr),
                 entry->OnLinkPrefixLength);
    return (const struct sockaddr *)mask;
}

int sp_net_visit_interfaces(void (*visit)(void *context, const struct sp_net_interface *found), void *context)
{
    IP_ADAPTER_ADDRESSES *list;
    char name[NAME_BYTES];
    int rc = read_adapters(&list);

    if (rc < 0)
        return rc;
    for (const IP_ADAPTER_ADDRESSES *adapter = list; adapter != NULL; adapter = adapter->Next) {
        if (adapter->OperStatus != IfOperStatusUp ||
            WideCharToMultiByte(CP_UTF8, 0, adapter->FriendlyName, -1, name, sizeof name, NULL, NULL) == 0)
            continue;
        for (const IP_ADAPTER_UNICAST_ADDRESS *entry = adapter->FirstUnicastAddress; entry != NULL;
             entry = entry->Next) {
            struct sockaddr_storage mask;
            struct sp_net_interface found = {
                .name = name, .address = entry->Address.lpSockaddr, .mask = mask_of(entry, &mask)};
            visit(context, &found);
        }
    }
    free(list);
    return 0;
}
