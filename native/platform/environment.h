/* Variables of the environment. */
#ifndef SP_PLATFORM_ENVIRONMENT_H
#define SP_PLATFORM_ENVIRONMENT_H

/* The variable's value; NULL also in a program that has more rights than the process that has started it. */
const char *sp_trusted_variable(const char *name);

#endif
