/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Inverse distributions; see latency.h.
 */
#include "media/latency.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include "config/units.h"
#include "engine/clock.h"

#define TIME_MAX_PS (10 * PS_PER_SECOND)

/* Reads digits and up to six decimals. */
static bool read_percentile(const char **text, uint32_t *at)
{
    const char *c = *text;
    uint32_t whole = 0, part = 0, unit = LATENCY_PERCENT;

    if (!isdigit((unsigned char)*c))
        return false;
    while (isdigit((unsigned char)*c)) {
        whole = whole * 10 + (uint32_t)(*c++ - '0');
        if (whole > 100)
            return false;
    }
    if (*c == '.') {
        c++;
        while (isdigit((unsigned char)*c)) {
            unit /= 10;
            if (unit == 0)
                return false;
            part += (uint32_t)(*c++ - '0') * unit;
        }
    }
    *at = whole * LATENCY_PERCENT + part;
    *text = c;
    return *c == ':' && *at <= LATENCY_WHOLE;
}

static bool read_time(const char **text, uint64_t *ps)
{
    char word[PARAM_TEXT_MAX];
    struct units_fault fault;
    struct param_cost value;
    size_t length = strcspn(*text, " ");

    if (length >= sizeof word)
        return false;
    memcpy(word, *text, length);
    word[length] = '\0';
    if (!units_parse(PARAM_TIME, word, &value, &fault) || value.amount > TIME_MAX_PS)
        return false;
    *ps = value.amount;
    *text += length;
    return true;
}

static const char *read_point(const char **text, struct latency_table *table)
{
    struct latency_point point = {0, 0};
    const struct latency_point *last = &table->points[table->count - (table->count > 0)];

    if (table->count == LATENCY_POINTS_MAX)
        return "has more than 12 points";
    if (!read_percentile(text, &point.at))
        return "must be points like 99.9:300us, with percentiles from 0 to 100 of at most six "
               "decimals";
    ++*text; /* the colon */
    if (!read_time(text, &point.ps))
        return "must have a time of at most 10 s after each colon, like 300us";
    if (table->count == 0 && point.at != 0)
        return "must begin with percentile 0";
    if (table->count > 0 && (point.at <= last->at || point.ps < last->ps))
        return "must have percentiles that increase and times that do not decrease";
    table->points[table->count++] = point;
    return NULL;
}

const char *latency_parse(const char *text, struct latency_table *table)
{
    table->count = 0;
    for (;;) {
        const char *wrong;

        text += strspn(text, " ");
        if (*text == '\0')
            break;
        wrong = read_point(&text, table);
        if (wrong != NULL)
            return wrong;
    }
    if (table->count > 0 && table->points[table->count - 1].at != LATENCY_WHOLE)
        return "must end with percentile 100";
    return NULL;
}

uint64_t latency_at(const struct latency_table *table, uint32_t at)
{
    const struct latency_point *to = &table->points[1];
    uint64_t rise_ps, width, into;

    while (to->at < at)
        to++; /* the last point is at LATENCY_WHOLE */
    rise_ps = to->ps - to[-1].ps;
    width = to->at - to[-1].at;
    into = at - to[-1].at;
    /* rise * into / width without leaving 64 bits: at most 10^13 / width * 10^8 + 10^8 * 10^8. */
    return to[-1].ps + rise_ps / width * into + rise_ps % width * into / width;
}
