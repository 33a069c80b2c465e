/* The same over TLS: what peers say inside of it, and records that they damage, cut and make up. */
#include "actions.h"
#include "fuzzer.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct input input = {bytes, count};
    struct run run;
    uint8_t first = input_u8(&input);

    run_begin(&run, first & 0x80);
    actions_open_socket(&run, &input, run_secure_link(first & 0x7f));
    while (!input_is_empty(&input))
        actions_take(&run, &input);
    run_end(&run);
    return 0;
}
