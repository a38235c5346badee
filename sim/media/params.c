/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The medium's parameters: their rows, and the checks of combinations. Called at creation only.
 */
#include "media/media.h"

#include <stdio.h>

#include "media/ftl.h"
#include "media/latency.h"

#define PARAM_AS_ROWS struct media_params
#include "config/param_begin.h"
const struct param_row media_rows[] = {
#include "media/media.def"
};
#include "config/param_end.h"
const size_t media_row_count = sizeof media_rows / sizeof media_rows[0];

static const char *table_check(const char *name, const char *text)
{
    static char message[256];
    struct latency_table table;
    const char *wrong = latency_parse(text, &table);

    if (wrong == NULL)
        return NULL;
    snprintf(message, sizeof message, "media.%s %s", name, wrong);
    return message;
}

const char *media_params_check(const struct media_params *params, uint64_t capacity)
{
    const char *wrong = table_check("read_latency_table", params->read_latency_table);

    if (wrong == NULL)
        wrong = table_check("write_latency_table", params->write_latency_table);
    if (wrong == NULL && params->kind == MEDIA_NAND)
        wrong = ftl_params_check(params, capacity);
    return wrong;
}
