/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Curves of drivers as text, CSV (RFC 4180, line ends LF) and JSON; see driver_curve.h. No dates,
 * paths or compilers, so that equal runs are equal files.
 */
#include <inttypes.h>

#include "report/csv_text.h"
#include "report/driver_curve.h"
#include "report/json.h"
#include "report/report.h"

#define DECIMALS 3

/* ---- text ---- */

static void print_x(const struct driver_curve *curve, const struct driver_point *point, FILE *file)
{
    char text[REPORT_SIZE_TEXT];

    if (curve->x_is_size)
        fprintf(file, " %8s", report_size_text(driver_point_x(point), text));
    else
        fprintf(file, " %8" PRIu64, driver_point_x(point));
}

static void print_points(const struct driver_curves *curves, const struct driver_curve *curve,
                         const struct driver_point *first, FILE *file)
{
    for (const struct driver_point *at = first; at < driver_curve_end(curves, first); at++) {
        fprintf(file, "%-22s", at->driver);
        print_x(curve, at, file);
        for (unsigned i = 0; i < DRIVER_FIGURES_MAX && curve->figures[i]; i++)
            fprintf(file, " %11.*f", (int)curve->figures[i]->decimals,
                    curve->figures[i]->value(at));
        fputc('\n', file);
    }
}

static void print_curve(const struct driver_curves *curves, enum driver_curve_kind kind, FILE *file)
{
    const struct driver_curve *curve = driver_curve_of(kind);
    const struct driver_point *first = driver_curve_first(curves, kind);

    if (!first)
        return;
    fprintf(file, "%s: drive %s, host %s\n%-22s %8s", curve->title, first->drive, first->host,
            "driver", curve->x_name);
    for (unsigned i = 0; i < DRIVER_FIGURES_MAX && curve->figures[i]; i++)
        fprintf(file, " %11s", curve->figures[i]->heading);
    fputc('\n', file);
    for (; first; first = driver_curve_next(curves, first))
        print_points(curves, curve, first, file);
    fputc('\n', file);
}

void driver_table_print(const struct driver_curves *curves, FILE *file)
{
    uint64_t verified, mismatched;

    for (unsigned kind = 0; kind < DRIVER_CURVE_KINDS; kind++)
        print_curve(curves, (enum driver_curve_kind)kind, file);
    driver_curve_blocks(curves, &verified, &mismatched);
    fprintf(file, "blocks verified: %" PRIu64 ", mismatched: %" PRIu64 "\n", verified, mismatched);
}

/* ---- CSV ---- */

static void print_csv_point(const struct driver_point *point, FILE *file)
{
    const struct load_result *result = &point->result;
    const char *const names[] = {driver_curve_name(point->kind), point->driver, point->drive,
                                 point->host};

    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        csv_text(file, names[i]);
        putc(',', file);
    }
    fprintf(file, "%" PRIu64 ",%" PRIu64 ",%" PRIu64, point->cpus, point->depth,
            point->block_bytes);
    fprintf(file, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64, result->reads + result->writes,
            result->refused, result->bytes, result->window_ps);
    for (unsigned i = 0; driver_figures[i]; i++)
        fprintf(file, ",%.*f", DECIMALS, driver_figures[i]->value(point));
    putc('\n', file);
}

int driver_csv_write(const struct driver_curves *curves, const char *path,
                     char message[REPORT_MESSAGE_MAX])
{
    struct outfile out;

    if (outfile_open(&out, path, message))
        return -1;
    fputs("curve,driver,drive,host,cpus,depth,block_bytes,requests,refused,bytes,window_ps",
          out.file);
    for (unsigned i = 0; driver_figures[i]; i++)
        fprintf(out.file, ",%s", driver_figures[i]->name);
    putc('\n', out.file);
    for (size_t i = 0; i < curves->count; i++)
        print_csv_point(&curves->points[i], out.file);
    return outfile_commit(&out, message);
}

/* ---- JSON ---- */

static void write_point(struct json *json, const struct driver_point *point)
{
    json_object_begin(json);
    json_member_text(json, "curve", driver_curve_name(point->kind));
    json_member_text(json, "driver", point->driver);
    json_member_text(json, "drive", point->drive);
    json_member_text(json, "host", point->host);
    json_member_uint(json, "cpus", point->cpus);
    json_member_uint(json, "depth", point->depth);
    json_member_uint(json, "block_bytes", point->block_bytes);
    json_member_uint(json, "requests", point->result.reads + point->result.writes);
    json_member_uint(json, "refused", point->result.refused);
    json_member_uint(json, "bytes", point->result.bytes);
    json_member_uint(json, "window_ps", point->result.window_ps);
    for (unsigned i = 0; driver_figures[i]; i++)
        json_member_decimal(json, driver_figures[i]->name, driver_figures[i]->value(point),
                            DECIMALS);
    json_object_end(json);
}

int driver_json_write(const struct driver_curves *curves, const char *path,
                      char message[REPORT_MESSAGE_MAX])
{
    struct outfile out;
    struct json json;
    uint64_t verified, mismatched;

    if (outfile_open(&out, path, message))
        return -1;
    json_begin(&json, out.file);
    json_object_begin(&json);
    json_member_text(&json, "program", "doorbell");
    json_member_text(&json, "version", curves->version);
    json_member_text(&json, "config_hash", curves->config_hash);
    json_member_uint(&json, "seed", curves->seed);
    json_key(&json, "points");
    json_array_begin(&json);
    for (size_t i = 0; i < curves->count; i++)
        write_point(&json, &curves->points[i]);
    json_array_end(&json);
    driver_curve_blocks(curves, &verified, &mismatched);
    json_member_uint(&json, "blocks_verified", verified);
    json_member_uint(&json, "blocks_mismatched", mismatched);
    json_object_end(&json);
    json_end(&json);
    return outfile_commit(&out, message);
}
