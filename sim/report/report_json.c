/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The bench as JSON: everything that the CSV has, and every pass. No dates, paths or compilers, so
 * that equal runs are equal files.
 */
#include "report/json.h"
#include "report/report.h"

#define DECIMALS 3

static void member_figure(struct json *json, struct report_figure figure)
{
    double percent;

    json_key(json, "mib_per_s");
    if (figure.mib_per_s >= 0)
        json_decimal(json, figure.mib_per_s, DECIMALS);
    else
        json_null(json);
    json_key(json, "published_mib_per_s");
    if (figure.published >= 0)
        json_decimal(json, figure.published, DECIMALS);
    else
        json_null(json);
    json_key(json, "error_percent");
    if (report_error_percent(figure, &percent))
        json_decimal(json, percent, DECIMALS);
    else
        json_null(json);
}

static void write_passes(struct json *json, const struct result *result)
{
    json_key(json, "passes");
    json_array_begin(json);
    for (uint32_t i = 0; i < result->passes; i++) {
        json_object_begin(json);
        json_member_uint(json, "bytes", result->pass_bytes[i]);
        json_member_uint(json, "ps", result->pass_ps[i]);
        json_member_uint(json, "ops", result->pass_ops[i]);
        json_object_end(json);
    }
    json_array_end(json);
}

static void write_device(struct json *json, const struct result_device *device)
{
    json_key(json, "device");
    json_object_begin(json);
    json_member_text(json, "serial", device->serial);
    json_member_text(json, "model", device->model);
    json_member_text(json, "firmware", device->firmware);
    json_member_uint(json, "vendor_id", device->vendor_id);
    json_member_uint(json, "device_id", device->device_id);
    json_member_uint(json, "subsystem_vendor_id", device->subsystem_vendor_id);
    json_member_uint(json, "subsystem_id", device->subsystem_id);
    json_member_uint(json, "cap", device->cap);
    json_member_uint(json, "version", device->version);
    json_member_uint(json, "block_bytes", device->block_bytes);
    json_member_uint(json, "blocks", device->blocks);
    json_member_uint(json, "max_transfer_bytes", device->max_transfer);
    json_member_uint(json, "io_queues", device->io_queues);
    json_member_uint(json, "io_depth", device->io_depth);
    json_member_uint(json, "slots", device->slots);
    json_member_uint(json, "volatile_write_cache", device->volatile_write_cache);
    json_member_uint(json, "bring_up_ps", device->bring_up_ps);
    json_member_uint(json, "shutdown_ps", device->shutdown_ps);
    json_member_uint(json, "admin_commands", device->admin_commands);
    json_object_end(json);
}

static void write_run(struct json *json, const struct report *report, const struct result *result)
{
    json_object_begin(json);
    json_member_text(json, "suite", result->suite);
    json_key(json, "block_size_bytes");
    if (result->block_bytes)
        json_uint(json, result->block_bytes);
    else
        json_null(json);
    json_member_text(json, "driver", result->driver);
    json_member_text(json, "drive", result->drive);
    json_member_text(json, "host", result->host);
    json_key(json, "error");
    json_int(json, result->error);
    member_figure(json, report_cell(report, result->suite, result->block_bytes, result->driver));
    write_device(json, &result->device);
    write_passes(json, result);
    json_key(json, "counters");
    json_object_begin(json);
    for (size_t i = 0; i < report_counter_count(); i++)
        json_member_uint(json, report_counter_name(i), report_counter_value(&result->counters, i));
    json_object_end(json);
    if (result->usage.cpus > 1)
        usage_json(json, &result->usage);
    json_member_uint(json, "requests_total", result->requests_total);
    json_member_uint(json, "blocks_verified", result->blocks_verified);
    json_member_uint(json, "blocks_mismatched", result->blocks_mismatched);
    json_object_end(json);
}

static void write_runs(struct json *json, const struct report *report)
{
    const struct result *first;

    json_key(json, "runs");
    json_array_begin(json);
    for (size_t s = 0; (first = report_suite(report, s)) != NULL; s++) {
        uint64_t block_bytes;

        for (size_t b = 0; report_block_size(report, first->suite, b, &block_bytes); b++) {
            for (size_t d = 0; d < report->driver_count; d++) {
                const struct result *result =
                    report_find(report, first->suite, block_bytes, report->drivers[d]);

                if (result)
                    write_run(json, report, result);
            }
        }
    }
    json_array_end(json);
}

static void write_totals(struct json *json, const struct report *report)
{
    const struct result *first;

    json_key(json, "totals");
    json_array_begin(json);
    for (size_t s = 0; (first = report_suite(report, s)) != NULL; s++) {
        for (size_t d = 0; d < report->driver_count; d++) {
            const struct report_figure total =
                report_total(report, first->suite, report->drivers[d]);

            if (total.mib_per_s < 0)
                continue;
            json_object_begin(json);
            json_member_text(json, "suite", first->suite);
            json_member_text(json, "driver", report->drivers[d]);
            member_figure(json, total);
            json_object_end(json);
        }
    }
    json_array_end(json);
}

void report_json_print(const struct report *report, FILE *file)
{
    struct json json;
    uint64_t verified, mismatched;

    json_begin(&json, file);
    json_object_begin(&json);
    json_member_text(&json, "program", "doorbell");
    json_member_text(&json, "version", report->version);
    json_member_text(&json, "config_hash", report->config_hash);
    json_member_uint(&json, "seed", report->seed);
    json_member_text(&json, "published_set", report->published ? report->published_set : NULL);
    json_key(&json, "drivers");
    json_array_begin(&json);
    for (size_t d = 0; d < report->driver_count; d++)
        json_text(&json, report->drivers[d]);
    json_array_end(&json);
    write_runs(&json, report);
    write_totals(&json, report);
    report_blocks(report, &verified, &mismatched);
    json_member_uint(&json, "blocks_verified", verified);
    json_member_uint(&json, "blocks_mismatched", mismatched);
    json_object_end(&json);
    json_end(&json);
}

int report_json_write(const struct report *report, const char *path,
                      char message[REPORT_MESSAGE_MAX])
{
    struct outfile out;

    if (outfile_open(&out, path, message))
        return -1;
    report_json_print(report, out.file);
    return outfile_commit(&out, message);
}
