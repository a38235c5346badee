/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Curves of drives as CSV (RFC 4180, line ends LF): one line per point. What is absent is empty.
 */
#include <inttypes.h>

#include "report/csv_text.h"
#include "report/curve.h"

static void print_sheet_cells(FILE *file, const struct curve_point *point)
{
    if (point->kind != CURVE_SHEET) {
        fputs(",,,,,", file);
        return;
    }
    fprintf(file, ",%.3f,%.3f,%s,%s,%.3f", point->figure->value, curve_sheet_value(point),
            datasheet_unit_name(point->figure->unit), point->figure->fitted ? "yes" : "no",
            curve_sheet_error(point));
}

static void print_point(const struct curves *curves, FILE *file, const struct curve_point *point)
{
    const struct load_result *result = &point->result;
    char link[CURVE_LINK_TEXT] = "";

    fprintf(file, "%s,", curve_kind_name(point->kind));
    csv_text(file, point->drive);
    putc(',', file);
    csv_text(file, curves->driver);
    putc(',', file);
    csv_text(file, curves->host);
    fprintf(file, ",%s,%" PRIu64 ",%" PRIu64 ",%s,%s,%s,", point->load.name, point->depth,
            point->block_bytes, point->state == DRIVE_AS_IS ? "" : drive_state_name(point->state),
            point->kind == CURVE_LINK ? curve_link_text(point->link, link) : "",
            point->kind == CURVE_LINK ? curve_limit(curves, point) : "");
    fprintf(file, "%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64, result->reads, result->writes,
            result->bytes, result->window_ps);
    fprintf(file, ",%.3f,%.3f,%.4f", load_iops(result), load_mb_per_s(result),
            load_mean_latency_us(result));
    fprintf(file, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64,
            result->latency_least_ps, result->p50_ps, result->p99_ps, result->p999_ps,
            result->latency_most_ps);
    fprintf(file, ",%.4f,%.6f", load_mean_in_flight(result), load_link_use(result));
    print_sheet_cells(file, point);
    putc('\n', file);
}

static void print_all(const struct curves *curves, FILE *file)
{
    fputs("curve,drive,driver,host,load,depth,block_bytes,state,link,limited_by,reads,writes,bytes,"
          "window_ps,iops,mb_per_s,mean_us,least_ps,p50_ps,p99_ps,p999_ps,most_ps,in_flight,"
          "link_use,published,model,unit,fitted,error_percent\n",
          file);
    for (size_t i = 0; i < curves->count; i++)
        print_point(curves, file, &curves->points[i]);
}

int curve_csv_write(const struct curves *curves, const char *path, char message[REPORT_MESSAGE_MAX])
{
    struct outfile out;

    if (outfile_open(&out, path, message))
        return -1;
    print_all(curves, out.file);
    return outfile_commit(&out, message);
}
