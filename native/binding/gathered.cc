#include "gathered.h"

#include <algorithm>
#include <cerrno>

namespace nanomsg_native
{

namespace
{

// What JavaScript hears of the records of one socket, in the first of them: ~descriptor when messages wait in
// the socket, and the number of messages that were refused, with the errno.
void ReportRun(int32_t *first, int s, int32_t refused, int error)
{
    first[0] = refused > 0 || nn_socket_queued_bytes(s) > 0 ? ~s : s;
    first[1] = refused;
    first[2] = error;
}

// Puts the numbers of records in order: those of each socket together, and as they were among themselves. So messages
// that were sent through many sockets in turn leave in one call for each socket.
void GroupBySocket(const int32_t *records, std::vector<uint32_t> *order, size_t count)
{
    const auto is_before = [records](uint32_t left, uint32_t right) {
        const int32_t left_s = records[kRecordNumbers * left];
        const int32_t right_s = records[kRecordNumbers * right];
        return left_s != right_s ? left_s < right_s : left < right;
    };
    bool is_grouped = true;
    order->resize(count);
    for (size_t i = 0; i < count; i++) {
        (*order)[i] = static_cast<uint32_t>(i);
        is_grouped = is_grouped && (i == 0 || records[kRecordNumbers * i] >= records[kRecordNumbers * (i - 1)]);
    }
    if (!is_grouped)
        std::sort(order->begin(), order->end(), is_before);
}

} // namespace

int SendGathered(Host &host, size_t given)
{
    int32_t *const records = host.records.elements;
    const size_t count = given < host.outgoing_batch.size() ? given : host.outgoing_batch.size();

    std::vector<uint32_t> &order = host.outgoing_order;
    GroupBySocket(records, &order, count);
    for (size_t begin = 0; begin < count;) {
        int32_t *const first = records + kRecordNumbers * order[begin];
        const int s = first[0];
        size_t end = begin;
        for (; end < count && records[kRecordNumbers * order[end]] == s; end++) {
            const int32_t *const record = records + kRecordNumbers * order[end];
            if (!IsInOutgoing(host, record[1], record[2]))
                return -EFAULT;
            host.outgoing_batch[end] = {host.outgoing.elements + record[1], static_cast<size_t>(record[2]), nullptr,
                                        static_cast<uint32_t>(record[3])};
        }
        const int taken = nn_socket_send_batch(s, &host.outgoing_batch[begin], static_cast<int>(end - begin), SIZE_MAX);
        const int error = taken < 0 ? nn_errno() : ENOBUFS;
        ReportRun(first, s, static_cast<int32_t>(end - begin) - (taken < 0 ? 0 : taken), error);
        begin = end;
    }
    return 0;
}

} // namespace nanomsg_native
