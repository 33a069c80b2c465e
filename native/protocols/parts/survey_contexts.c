/* Each survey is in two tables. */
#include "protocols/parts/survey_contexts.h"

#include "util/bytes.h"
#include "util/list.h"
#include "util/memory.h"

#include <errno.h>

struct survey {
    struct sp_id_map_item by_id;
    struct sp_id_map_item by_number;
};

void sp_survey_contexts_init(struct sp_survey_contexts *self)
{
    sp_id_map_init(&self->by_id);
    sp_id_map_init(&self->by_number);
}

static void survey_end(struct sp_id_map_item *item, void *context)
{
    struct sp_survey_contexts *self = context;
    struct survey *survey = SP_CONTAINER(item, struct survey, by_number);

    sp_id_map_remove(&self->by_id, &survey->by_id);
    sp_free(survey);
}

void sp_survey_contexts_destroy(struct sp_survey_contexts *self)
{
    sp_id_map_drain(&self->by_number, survey_end, self);
    sp_id_map_destroy(&self->by_number);
    sp_id_map_destroy(&self->by_id);
}

int sp_survey_contexts_begin(struct sp_survey_contexts *self, uint32_t number, uint32_t id)
{
    if (sp_id_map_find(&self->by_number, number) != NULL)
        return -EEXIST;
    struct survey *survey = sp_zalloc(sizeof *survey);
    if (survey == NULL)
        return -ENOMEM;
    sp_id_map_add(&self->by_id, &survey->by_id, id);
    sp_id_map_add(&self->by_number, &survey->by_number, number);
    return 0;
}

void sp_survey_contexts_close(struct sp_survey_contexts *self, uint32_t number)
{
    struct sp_id_map_item *item = sp_id_map_find(&self->by_number, number);

    if (item == NULL)
        return;
    sp_id_map_remove(&self->by_number, item);
    survey_end(item, self);
}

uint32_t sp_survey_contexts_of(const struct sp_survey_contexts *self, const struct nn_message *answer)
{
    struct sp_id_map_item *item = sp_id_map_find(&self->by_id, sp_get_u32(nn_message_header(answer)));

    return item != NULL ? SP_CONTAINER(item, struct survey, by_id)->by_number.id : 0;
}
