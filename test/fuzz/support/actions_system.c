/* What the system does. */
#include "actions_list.h"

#include "failing_system.h"
#include "virtual_system.h"

#define LONG_MS 100000000u

void action_fail_call(struct run *run, struct input *input)
{
    uint8_t call = input_u8(input);
    uint8_t choice = input_u8(input);

    (void)run;
    failing_system_arm(call, choice >> 4, choice & 15);
}

void action_use_addresses(struct run *run, struct input *input)
{
    (void)run;
    virtual_use_addresses((enum virtual_addresses)(input_u8(input) % VIRTUAL_ADDRESSES));
}

/* Days. */
void action_advance_long(struct run *run, struct input *input)
{
    run_advance_ms(run, LONG_MS * (1 + input_u8(input) % 30u));
}
