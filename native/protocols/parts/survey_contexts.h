/* Surveys that go on side by side: each has a number of its user's, and goes on until it is forgotten. */
#ifndef SP_PROTOCOLS_PARTS_SURVEY_CONTEXTS_H
#define SP_PROTOCOLS_PARTS_SURVEY_CONTEXTS_H

#include "util/id_map.h"

#include <nanomsg/protocol.h>

struct sp_survey_contexts {
    struct sp_id_map by_id; /* that answers bear */
    struct sp_id_map by_number;
};

void sp_survey_contexts_init(struct sp_survey_contexts *self);
void sp_survey_contexts_destroy(struct sp_survey_contexts *self);

/* Returns 0, -EEXIST when the number is in use, -ENOMEM. */
int sp_survey_contexts_begin(struct sp_survey_contexts *self, uint32_t number, uint32_t id);
void sp_survey_contexts_close(struct sp_survey_contexts *self, uint32_t number);

/* The number of the survey that an answer (whose header is the id) belongs to; 0 when it is none of these. */
uint32_t sp_survey_contexts_of(const struct sp_survey_contexts *self, const struct nn_message *answer);

static inline bool sp_survey_contexts_is_used(const struct sp_survey_contexts *self, uint32_t id)
{
    return sp_id_map_find(&self->by_id, id) != NULL;
}

static inline bool sp_survey_contexts_is_empty(const struct sp_survey_contexts *self)
{
    return self->by_id.item_count == 0;
}

#endif
