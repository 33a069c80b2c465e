/* A device between two raw sockets whose peers send messages with any header. */
#include "actions.h"
#include "fuzzer.h"

#define FORWARDING 0x60
#define BUDGET 32

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct input input = {bytes, count};
    struct nn_forwarder *forwarder = NULL;
    struct run run;
    int wait_ms;

    run_begin(&run, false);
    for (int i = 0; i < RUN_SOCKETS; i++)
        actions_open_socket(&run, &input, run_plain_link(input_u8(&input)));
    forwarder = nn_forwarder_create(run.sockets[0].s, run.sockets[1].s);
    while (!input_is_empty(&input)) {
        if (*input.bytes < FORWARDING) {
            actions_take(&run, &input);
            continue;
        }
        input_u8(&input);
        if (forwarder != NULL)
            nn_forwarder_run(forwarder, BUDGET, &wait_ms);
        run_settle(&run);
    }
    if (forwarder != NULL)
        nn_forwarder_destroy(forwarder);
    run_end(&run);
    return 0;
}
