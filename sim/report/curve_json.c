/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Curves of drives as JSON: everything that the CSV has, and the time series. No dates, paths or
 * compilers, so that equal runs are equal files.
 */
#include "report/curve.h"
#include "report/json.h"

#define DECIMALS 3

static void write_series(struct json *json, const struct load_series *series)
{
    json_key(json, "ended_per_interval");
    json_object_begin(json);
    json_member_uint(json, "interval_ps", series->interval_ps);
    json_key(json, "ended");
    json_array_begin(json);
    for (uint32_t i = 0; i < series->count; i++)
        json_uint(json, series->ended[i]);
    json_array_end(json);
    json_object_end(json);
}

static void write_figures(struct json *json, const struct load_result *result)
{
    json_member_uint(json, "reads", result->reads);
    json_member_uint(json, "writes", result->writes);
    json_member_uint(json, "bytes", result->bytes);
    json_member_uint(json, "window_ps", result->window_ps);
    json_member_uint(json, "latency_sum_ps", result->latency_sum_ps);
    json_member_uint(json, "in_flight_area_ps", result->in_flight_area_ps);
    json_member_decimal(json, "iops", load_iops(result), DECIMALS);
    json_member_decimal(json, "mb_per_s", load_mb_per_s(result), DECIMALS);
    json_member_decimal(json, "mean_us", load_mean_latency_us(result), 6);
    json_member_uint(json, "least_ps", result->latency_least_ps);
    json_member_uint(json, "p50_ps", result->p50_ps);
    json_member_uint(json, "p99_ps", result->p99_ps);
    json_member_uint(json, "p999_ps", result->p999_ps);
    json_member_uint(json, "most_ps", result->latency_most_ps);
    json_member_decimal(json, "in_flight", load_mean_in_flight(result), 6);
    json_member_uint(json, "link_down_busy_ps", result->link_down_busy_ps);
    json_member_uint(json, "link_up_busy_ps", result->link_up_busy_ps);
    write_series(json, &result->series);
}

static void write_sheet(struct json *json, const struct curve_point *point)
{
    json_key(json, "published");
    json_object_begin(json);
    json_member_decimal(json, "value", point->figure->value, DECIMALS);
    json_member_decimal(json, "model", curve_sheet_value(point), DECIMALS);
    json_member_text(json, "unit", datasheet_unit_name(point->figure->unit));
    json_key(json, "fitted");
    json_bool(json, point->figure->fitted);
    json_member_decimal(json, "error_percent", curve_sheet_error(point), DECIMALS);
    json_object_end(json);
}

static void write_point(struct json *json, const struct curves *curves,
                        const struct curve_point *point)
{
    char link[CURVE_LINK_TEXT];

    json_object_begin(json);
    json_member_text(json, "curve", curve_kind_name(point->kind));
    json_member_text(json, "drive", point->drive);
    json_member_text(json, "load", point->load.name);
    json_member_uint(json, "depth", point->depth);
    json_member_uint(json, "block_bytes", point->block_bytes);
    if (point->state != DRIVE_AS_IS)
        json_member_text(json, "state", drive_state_name(point->state));
    if (point->kind == CURVE_LINK) {
        json_member_text(json, "link", curve_link_text(point->link, link));
        json_member_text(json, "limited_by", curve_limit(curves, point));
    }
    write_figures(json, &point->result);
    if (point->kind == CURVE_SHEET)
        write_sheet(json, point);
    json_object_end(json);
}

static void write_all(const struct curves *curves, FILE *file)
{
    struct json json;
    uint64_t verified, mismatched;

    json_begin(&json, file);
    json_object_begin(&json);
    json_member_text(&json, "program", "doorbell");
    json_member_text(&json, "version", curves->version);
    json_member_text(&json, "config_hash", curves->config_hash);
    json_member_uint(&json, "seed", curves->seed);
    json_member_text(&json, "driver", curves->driver);
    json_member_text(&json, "host", curves->host);
    json_key(&json, "points");
    json_array_begin(&json);
    for (size_t i = 0; i < curves->count; i++)
        write_point(&json, curves, &curves->points[i]);
    json_array_end(&json);
    curve_blocks(curves, &verified, &mismatched);
    json_member_uint(&json, "blocks_verified", verified);
    json_member_uint(&json, "blocks_mismatched", mismatched);
    json_object_end(&json);
    json_end(&json);
}

int curve_json_write(const struct curves *curves, const char *path,
                     char message[REPORT_MESSAGE_MAX])
{
    struct outfile out;

    if (outfile_open(&out, path, message))
        return -1;
    write_all(curves, out.file);
    return outfile_commit(&out, message);
}
