/* The whole engine with connections whose peers speak as the input says: SP over tcp, ipc and streams of the host, and
 * WebSocket on both sides, with every type of socket, cooked and raw. */
#include "actions.h"
#include "fuzzer.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct input input = {bytes, count};
    struct run run;
    uint8_t first = input_u8(&input);

    run_begin(&run, first & 0x80);
    actions_open_socket(&run, &input, run_plain_link(first & 0x7f));
    while (!input_is_empty(&input))
        actions_take(&run, &input);
    run_end(&run);
    return 0;
}
