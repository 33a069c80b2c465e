/* Surveys that go on side by side: each has a number of its user's, and goes on until it is forgotten. */
#ifndef SP_PROTOCOLS_PARTS_SURVEY_CONVERSATIONS_H
#define SP_PROTOCOLS_PARTS_SURVEY_CONVERSATIONS_H

#include "util/id_map.h"

#include <nanomsg/protocol.h>

struct sp_survey_conversations {
    struct sp_id_map by_id; /* that answers bear */
    struct sp_id_map by_number;
};

void sp_survey_conversations_init(struct sp_survey_conversations *self);
void sp_survey_conversations_destroy(struct sp_survey_conversations *self);

/* Returns 0, -EEXIST when the number is in use, -ENOMEM. */
int sp_survey_conversations_begin(struct sp_survey_conversations *self, uint32_t number, uint32_t id);
void sp_survey_conversations_forget(struct sp_survey_conversations *self, uint32_t number);

/* The number of the survey that an answer (whose header is the id) belongs to; 0 when it is none of these. */
uint32_t sp_survey_conversations_of(const struct sp_survey_conversations *self, const struct nn_message *answer);

static inline bool sp_survey_conversations_is_used(const struct sp_survey_conversations *self, uint32_t id)
{
    return sp_id_map_find(&self->by_id, id) != NULL;
}

static inline bool sp_survey_conversations_is_empty(const struct sp_survey_conversations *self)
{
    return self->by_id.item_count == 0;
}

#endif
