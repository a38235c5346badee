/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Curves of drives as text: one table per drive and curve, ASCII, at most 120 columns; the
 * comparison with data sheets, what was fitted apart from what was not; the verdict on the data.
 */
#include <inttypes.h>
#include <string.h>

#include "report/curve.h"
#include "report/report.h"

/* A time series has more points than a terminal has lines. */
#define CLIFF_ROWS 16u

static void print_heading(FILE *file, const struct curves *curves, const char *what,
                          const char *drive)
{
    fprintf(file, "%s: drive %s, driver %s, host %s\n", what, drive, curves->driver, curves->host);
}

static void print_load_columns(FILE *file)
{
    fprintf(file, "%12s %10s %10s %10s %10s %10s %10s %8s\n", "IOPS", "MB/s", "mean us", "p50 us",
            "p99 us", "p99.9 us", "in flight", "link");
}

static void print_load(FILE *file, const struct load_result *result)
{
    fprintf(file, "%12.0f %10.1f %10.2f %10.2f %10.2f %10.2f %10.2f %6.1f %%\n", load_iops(result),
            load_mb_per_s(result), load_mean_latency_us(result), (double)result->p50_ps / 1e6,
            (double)result->p99_ps / 1e6, (double)result->p999_ps / 1e6,
            load_mean_in_flight(result), load_link_use(result) * 100);
}

static const struct curve_point *first_of(const struct curves *curves, enum curve_kind kind,
                                          const char *drive)
{
    for (size_t i = 0; i < curves->count; i++)
        if (curves->points[i].kind == kind && strcmp(curves->points[i].drive, drive) == 0)
            return &curves->points[i];
    return NULL;
}

static bool belongs(const struct curve_point *point, const struct curve_point *first)
{
    return point->kind == first->kind && strcmp(point->drive, first->drive) == 0;
}

#define FOR_EACH(point, curves, first)                                                             \
    for (const struct curve_point *point = (curves)->points;                                       \
         point < (curves)->points + (curves)->count; point++)                                      \
        if (belongs(point, first))

static void print_depths(const struct curves *curves, const struct curve_point *first, FILE *file)
{
    print_heading(file, curves, "requests of 4 KiB over depth", first->drive);
    fprintf(file, "%-11s %6s", "load", "depth");
    print_load_columns(file);
    FOR_EACH(point, curves, first)
    {
        fprintf(file, "%-11s %6" PRIu64, point->load.name, point->depth);
        print_load(file, &point->result);
    }
    fputc('\n', file);
}

static void print_blocks(const struct curves *curves, const struct curve_point *first, FILE *file)
{
    char text[REPORT_SIZE_TEXT];

    print_heading(file, curves, "requests over block size", first->drive);
    fprintf(file, "%-10s %5s %8s", "load", "depth", "block");
    print_load_columns(file);
    FOR_EACH(point, curves, first)
    {
        fprintf(file, "%-10s %5" PRIu64 " %8s", point->load.name, point->depth,
                report_size_text(point->block_bytes, text));
        print_load(file, &point->result);
    }
    fputc('\n', file);
}

static void print_links(const struct curves *curves, const struct curve_point *first, FILE *file)
{
    char size[REPORT_SIZE_TEXT], link[CURVE_LINK_TEXT];

    print_heading(file, curves, "behind other links", first->drive);
    fprintf(file, "%-10s %5s %8s  %-12s %12s %10s %10s %8s  %s\n", "load", "depth", "block", "link",
            "IOPS", "MB/s", "mean us", "used", "limited by");
    FOR_EACH(point, curves, first)
    {
        fprintf(file, "%-10s %5" PRIu64 " %8s  %-12s %12.0f %10.1f %10.2f %6.1f %%  %s\n",
                point->load.name, point->depth, report_size_text(point->block_bytes, size),
                curve_link_text(point->link, link), load_iops(&point->result),
                load_mb_per_s(&point->result), load_mean_latency_us(&point->result),
                load_link_use(&point->result) * 100, curve_limit(curves, point));
    }
    fputc('\n', file);
}

static void print_series(const struct curve_point *point, FILE *file)
{
    const struct load_series *series = &point->result.series;
    const uint32_t step = (series->count + CLIFF_ROWS - 1) / CLIFF_ROWS;
    const double seconds = (double)step * (double)series->interval_ps / 1e12;
    uint64_t before = 0;

    for (uint32_t i = 0; step > 0 && i + step < series->count; i += step) {
        uint64_t ended = 0;

        for (uint32_t j = i; j < i + step; j++)
            ended += series->ended[j];
        before += ended;
        fprintf(file, "%-7s %10.3f %12.1f %12.0f\n", drive_state_name(point->state),
                (double)(i / step + 1) * seconds, (double)(before * point->block_bytes) / 1e6,
                (double)ended / seconds);
    }
}

static void print_cliff(const struct curves *curves, const struct curve_point *first, FILE *file)
{
    char text[REPORT_SIZE_TEXT];

    print_heading(file, curves, "random writes over time", first->drive);
    fprintf(file, "depth %" PRIu64 ", blocks of %s\n%-7s %10s %12s %12s\n", first->depth,
            report_size_text(first->block_bytes, text), "from", "seconds", "MB so far", "IOPS");
    FOR_EACH(point, curves, first)
    {
        if (point->state != DRIVE_STEADY)
            print_series(point, file);
        else
            fprintf(file, "%-7s %10s %12s %12.0f\n", drive_state_name(point->state), "", "",
                    load_iops(&point->result));
    }
    fputc('\n', file);
}

static void print_sheet_part(const struct curves *curves, const struct curve_point *first,
                             bool fitted, FILE *file)
{
    char text[REPORT_SIZE_TEXT];

    FOR_EACH(point, curves, first)
    {
        const char *unit = datasheet_unit_name(point->figure->unit);

        if (point->figure->fitted != fitted)
            continue;
        fprintf(file, "%-10s %-11s %5" PRIu64 " %8s %-6s %12.1f %12.1f %-5s %+8.1f %%\n",
                fitted ? "fitted" : "predicted", point->load.name, point->depth,
                report_size_text(point->block_bytes, text), drive_state_name(point->state),
                point->figure->value, curve_sheet_value(point), unit, curve_sheet_error(point));
    }
}

static void print_sheet(const struct curves *curves, const struct curve_point *first, FILE *file)
{
    print_heading(file, curves, "beside published figures", first->drive);
    fprintf(file, "%-10s %-11s %5s %8s %-6s %12s %12s %-5s %10s\n", "", "load", "depth", "block",
            "state", "published", "model", "unit", "error");
    print_sheet_part(curves, first, true, file);
    print_sheet_part(curves, first, false, file);
    fputc('\n', file);
}

void curve_table_print(const struct curves *curves, FILE *file)
{
    static void (*const print[CURVE_KINDS])(const struct curves *curves,
                                            const struct curve_point *first, FILE *file) = {
        print_depths, print_blocks, print_links, print_cliff, print_sheet};
    uint64_t verified, mismatched;

    for (size_t d = 0; d < curves->drive_count; d++) {
        for (unsigned kind = 0; kind < CURVE_KINDS; kind++) {
            const struct curve_point *first =
                first_of(curves, (enum curve_kind)kind, curves->drives[d]);

            if (first)
                print[kind](curves, first, file);
        }
    }
    curve_blocks(curves, &verified, &mismatched);
    fprintf(file, "blocks verified: %" PRIu64 ", mismatched: %" PRIu64 "\n", verified, mismatched);
}
