// Messages that JavaScript has gathered: bodies in Host::outgoing, and a record of each in Host::records.
#pragma once

#include "host.h"

#include <cstddef>
#include <cstdint>

namespace nanomsg_native
{

// The numbers of a record: descriptor, offset, length, context.
constexpr size_t kRecordNumbers = 4;

inline bool IsInOutgoing(const Host &host, int32_t offset, int32_t size_bytes)
{
    return offset >= 0 && size_bytes >= 0 && static_cast<size_t>(offset) <= host.outgoing.count &&
           static_cast<size_t>(size_bytes) <= host.outgoing.count - static_cast<size_t>(offset);
}

// Sends what the first `count` records name. Returns 0 or a negative errno.
int SendGathered(Host &host, size_t count);

} // namespace nanomsg_native
