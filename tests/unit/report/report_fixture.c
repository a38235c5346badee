/* SPDX-License-Identifier: BSD-2-Clause
 *
 * See report_fixture.h.
 */
#include "report_fixture.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define PS_PER_SECOND UINT64_C(1000000000000)

const uint64_t fixture_sizes[FIXTURE_SIZES] = {4096, 16384, 32768, 65536, 131072, 262144, 1048576};

static struct result *add(struct fixture *fixture, const char *suite, uint64_t block, size_t driver,
                          uint64_t mib)
{
    struct result *result = &fixture->results[fixture->report.count++];

    memset(result, 0, sizeof(*result));
    snprintf(result->suite, sizeof(result->suite), "%s", suite);
    snprintf(result->driver, sizeof(result->driver), "%s", fixture->drivers[driver]);
    snprintf(result->drive, sizeof(result->drive), "disk");
    snprintf(result->host, sizeof(result->host), "host");
    result->block_bytes = block;
    result->passes = 2;
    for (unsigned i = 0; i < 2; i++) {
        result->pass_bytes[i] = mib << 20;
        result->pass_ps[i] = PS_PER_SECOND;
        result->pass_ops[i] = 5;
    }
    result->counters.requests = 10;
    result->counters.commands = 20;
    result->counters.polls = 25 + driver;
    result->blocks_verified = 100;
    result->requests_total = 12;
    return result;
}

static void publish(struct fixture *fixture, const char *driver, uint64_t block, double mib)
{
    struct published_figure *figure = &fixture->figures[fixture->published.count++];

    snprintf(figure->set, sizeof(figure->set), "set");
    snprintf(figure->driver, sizeof(figure->driver), "%s", driver);
    snprintf(figure->suite, sizeof(figure->suite), "MixedRW70/30");
    figure->block_bytes = block;
    figure->mib_per_s = mib;
}

void fixture_make(struct fixture *fixture, size_t drivers)
{
    memset(fixture, 0, sizeof(*fixture));
    for (size_t d = 0; d < drivers; d++) {
        snprintf(fixture->names[d], sizeof(fixture->names[d]), "drv-%zu", d);
        fixture->drivers[d] = fixture->names[d];
    }
    for (size_t d = 0; d < drivers && d < 6; d++) {
        for (size_t i = 0; i < FIXTURE_SIZES; i++)
            add(fixture, "MixedRW70/30", fixture_sizes[FIXTURE_SIZES - 1 - i], d,
                (FIXTURE_SIZES - i) * (d + 10));
        add(fixture, "DailyGrind", 0, d, 3);
    }
    fixture->published.figures = fixture->figures;
    publish(fixture, "drv-0", 65536, 50);
    publish(fixture, "drv-1", 65536, 40);
    publish(fixture, "drv-1", PUBLISHED_TOTAL, 280);
    fixture->report.results = fixture->results;
    fixture->report.drivers = fixture->drivers;
    fixture->report.driver_count = drivers;
    fixture->report.block_sizes = fixture_sizes;
    fixture->report.block_size_count = FIXTURE_SIZES;
    fixture->report.published = &fixture->published;
    fixture->report.published_set = "set";
    fixture->report.seed = 1;
    fixture->report.version = "0.1.0";
    fixture->report.config_hash = "0123abcd";
}

char *fixture_text(FILE *file)
{
    const long length = (fflush(file), ftell(file));
    char *text = calloc(1, (size_t)length + 1);

    ck_assert_ptr_nonnull(text);
    rewind(file);
    ck_assert_uint_eq(fread(text, 1, (size_t)length, file), (size_t)length);
    fclose(file);
    return text;
}
