/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The questions that every printer asks of a report. See report.h. Nothing here prints.
 */
#include "report/report.h"

#include <inttypes.h>
#include <string.h>

#define ABSENT (-1.0)

static const struct {
    const char *name, *text;
} counters[] = {
#define RESULT_LABEL(name, text) {#name, text},
    RESULT_COUNTERS(RESULT_LABEL)
#undef RESULT_LABEL
};

size_t report_counter_count(void)
{
    return sizeof(counters) / sizeof(counters[0]);
}

uint64_t report_counter_value(const struct result_counters *values, size_t index)
{
    const uint64_t list[] = {
#define RESULT_VALUE(name, text) values->name,
        RESULT_COUNTERS(RESULT_VALUE)
#undef RESULT_VALUE
    };

    return list[index];
}

const char *report_counter_name(size_t index)
{
    return counters[index].name;
}

const char *report_counter_text(size_t index)
{
    return counters[index].text;
}

const struct result *report_suite(const struct report *report, size_t index)
{
    for (size_t i = 0; i < report->count; i++) {
        size_t before = 0;

        while (before < i && strcmp(report->results[before].suite, report->results[i].suite) != 0)
            before++;
        if (before == i && index-- == 0)
            return &report->results[i];
    }
    return NULL;
}

bool report_block_size(const struct report *report, const char *suite, size_t index,
                       uint64_t *block_bytes)
{
    uint64_t above = 0;
    bool first = true;

    do {
        bool found = false;

        for (size_t i = 0; i < report->count; i++) {
            const struct result *result = &report->results[i];

            if (strcmp(result->suite, suite) == 0 && (first || result->block_bytes > above) &&
                (!found || result->block_bytes < *block_bytes)) {
                *block_bytes = result->block_bytes;
                found = true;
            }
        }
        if (!found)
            return false;
        above = *block_bytes;
        first = false;
    } while (index-- > 0);
    return true;
}

const struct result *report_find(const struct report *report, const char *suite,
                                 uint64_t block_bytes, const char *driver)
{
    for (size_t i = 0; i < report->count; i++) {
        const struct result *result = &report->results[i];

        if (result->block_bytes == block_bytes && strcmp(result->driver, driver) == 0 &&
            strcmp(result->suite, suite) == 0)
            return result;
    }
    return NULL;
}

static double published_value(const struct report *report, const char *suite, uint64_t block_bytes,
                              const char *driver)
{
    const struct published_figure *figure =
        published_find(report->published, report->published_set, driver, suite, block_bytes);

    return figure ? figure->mib_per_s : ABSENT;
}

struct report_figure report_cell(const struct report *report, const char *suite,
                                 uint64_t block_bytes, const char *driver)
{
    const struct result *result = report_find(report, suite, block_bytes, driver);
    struct report_figure figure = {ABSENT, published_value(report, suite, block_bytes, driver)};

    if (result && !result->error)
        figure.mib_per_s = result_mib_per_s(result);
    return figure;
}

struct report_figure report_total(const struct report *report, const char *suite,
                                  const char *driver)
{
    struct report_figure total = {0, published_value(report, suite, PUBLISHED_TOTAL, driver)};

    for (size_t i = 0; i < report->block_size_count; i++) {
        const struct report_figure cell =
            report_cell(report, suite, report->block_sizes[i], driver);

        if (cell.mib_per_s < 0)
            return (struct report_figure){ABSENT, total.published};
        total.mib_per_s += cell.mib_per_s;
    }
    if (report->block_size_count == 0)
        total.mib_per_s = ABSENT;
    return total;
}

bool report_error_percent(struct report_figure figure, double *percent)
{
    if (figure.mib_per_s < 0 || figure.published <= 0)
        return false;
    *percent = (figure.mib_per_s / figure.published - 1) * 100;
    return true;
}

struct result_counters report_counters(const struct report *report, const char *driver)
{
    struct result_counters sum = {0};

    for (size_t i = 0; i < report->count; i++) {
        const struct result *result = &report->results[i];

        if (driver && strcmp(result->driver, driver) != 0)
            continue;
#define RESULT_ADD(name, text) sum.name += result->counters.name;
        RESULT_COUNTERS(RESULT_ADD)
#undef RESULT_ADD
    }
    return sum;
}

void report_blocks(const struct report *report, uint64_t *verified, uint64_t *mismatched)
{
    *verified = *mismatched = 0;
    for (size_t i = 0; i < report->count; i++) {
        *verified += report->results[i].blocks_verified;
        *mismatched += report->results[i].blocks_mismatched;
    }
}

const char *report_size_text(uint64_t bytes, char text[REPORT_SIZE_TEXT])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB"};
    unsigned unit = 0;

    while (unit < 3 && bytes >= 1024 && bytes % 1024 == 0) {
        bytes /= 1024;
        unit++;
    }
    if (bytes == 0)
        snprintf(text, REPORT_SIZE_TEXT, "none");
    else if (bytes < 100000000)
        snprintf(text, REPORT_SIZE_TEXT, "%" PRIu64 " %s", bytes, units[unit]);
    else
        snprintf(text, REPORT_SIZE_TEXT, "%" PRIu64, bytes);
    return text;
}
