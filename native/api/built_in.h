/* The protocols and transports that come with the engine. */
#ifndef SP_API_BUILT_IN_H
#define SP_API_BUILT_IN_H

/* Makes them known, once per process: before a socket is opened, and before a user's table is registered. */
void sp_built_in_register(void);

#endif
