/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Begin and end of every run, and the counters of its timed part; see run.h and state.h.
 */
#include "run/state.h"

#include <stdio.h>
#include <string.h>

static void name_copy(char to[RESULT_NAME_MAX], const char *from)
{
    snprintf(to, RESULT_NAME_MAX, "%s", from == NULL ? "" : from);
}

static int trace_begin(struct run *run)
{
    char why[REPORT_MESSAGE_MAX];
    if (run->spec->trace == NULL)
        return RUN_OK;
    if (outfile_open(&run->out, run->spec->trace, why) != 0) {
        snprintf(run->message, RUN_MESSAGE_MAX, "%s", why);
        return RUN_E_OUTPUT;
    }
    run->tracing = true;
    iolog_writer_begin(&run->writer, run->out.file, "nvme0n1",
                       host_now(machine_host(run->machine)));
    iolog_tap_init(&run->tap, run->device, &run->writer);
    run->device = &run->tap.device;
    return RUN_OK;
}

static int trace_end(struct run *run, int error)
{
    char why[REPORT_MESSAGE_MAX];
    if (!run->tracing)
        return error;
    if (error != RUN_OK) {
        outfile_abandon(&run->out);
        return error;
    }
    iolog_writer_end(&run->writer, host_now(machine_host(run->machine)));
    if (outfile_commit(&run->out, why) != 0) {
        snprintf(run->message, RUN_MESSAGE_MAX, "%s", why);
        return RUN_E_OUTPUT;
    }
    return RUN_OK;
}

static void describe_device(struct run *run, uint64_t began_ps)
{
    struct result_device *device = &run->result->device;
    const struct nvme_info *info = nvme_get_info(machine_nvme(run->machine));
    const struct block_device *block = machine_device(run->machine);
    *device = (struct result_device){
        .cap = info->cap,
        .version = info->version,
        .block_bytes = block->block_bytes,
        .blocks = block->blocks,
        .max_transfer = info->max_transfer,
        .io_queues = info->io_queues,
        .io_depth = info->io_depth,
        .slots = info->slots,
        .volatile_write_cache = info->volatile_write_cache,
        .bring_up_ps = host_now(machine_host(run->machine)) - began_ps,
    };
    snprintf(device->serial, sizeof device->serial, "%s", info->serial);
    snprintf(device->model, sizeof device->model, "%s", info->model);
    snprintf(device->firmware, sizeof device->firmware, "%s", info->firmware);
    const struct host_pci_ids ids = host_pci_ids(machine_host(run->machine));
    device->vendor_id = ids.vendor;
    device->device_id = ids.device;
    device->subsystem_vendor_id = ids.subsystem_vendor;
    device->subsystem_id = ids.subsystem;
}

/* What the checker says comes before whatever else went wrong: it was there first. */
static int take_down(struct run *run, int error)
{
    struct rules_verdict verdict;
    if (run->spec->unobserve != NULL)
        run->spec->unobserve(run->spec->observe_ctx, run->machine);
    judged_end(run->rules, &verdict);
    machine_destroy(run->machine);
    run->result->rules = (struct result_rules){.judged = verdict.judged,
                                               .violations = verdict.violations,
                                               .suppressed = verdict.suppressed};
    if (verdict.violations == 0)
        return error;
    if (run->spec->rules.mode == RULES_REPORT) {
        if (run->spec->told != NULL)
            run->spec->told(verdict.text);
        return error;
    }
    snprintf(run->message, RUN_MESSAGE_MAX, "%s", verdict.text);
    return RUN_E_RULES;
}

int run_begin(struct run *run, const struct run_spec *spec, struct result *result, char *message)
{
    const char *why;
    memset(result, 0, sizeof *result);
    name_copy(result->driver, spec->driver);
    name_copy(result->drive, spec->drive);
    name_copy(result->host, spec->host);
    *run = (struct run){.spec = spec, .result = result, .message = message};
    run->machine = machine_create(&spec->params->machine, &spec->options);
    if (spec->observe != NULL)
        spec->observe(spec->observe_ctx, run->machine);
    run->rules = judged_begin(run->machine, &spec->params->machine, &spec->rules);
    uint64_t began_ps = host_now(machine_host(run->machine));
    int error = machine_start(run->machine, &why);
    if (error != NVME_OK) {
        result->error = error;
        snprintf(message, RUN_MESSAGE_MAX, "driver %s, drive %s: %s", result->driver, result->drive,
                 why);
        return take_down(run, RUN_E_START);
    }
    run->device = machine_device(run->machine);
    describe_device(run, began_ps);
    error = trace_begin(run);
    return error == RUN_OK ? RUN_OK : take_down(run, error);
}

int run_end(struct run *run, int error)
{
    struct result *result = run->result;
    error = trace_end(run, error);
    if (run->spec->ending != NULL && error == RUN_OK)
        run->spec->ending(run->spec->observe_ctx, run->machine);
    uint64_t began_ps = host_now(machine_host(run->machine));
    int stopped = machine_stop(run->machine);
    result->device.shutdown_ps = host_now(machine_host(run->machine)) - began_ps;
    struct machine_snapshot total;
    machine_snapshot(run->machine, &total);
    result->device.admin_commands = total.ctrl.admin_commands;
    if (error == RUN_OK && stopped != NVME_OK) {
        result->error = stopped;
        snprintf(run->message, RUN_MESSAGE_MAX, "shutdown failed: %s", nvme_error_text(stopped));
        error = RUN_E_WORKLOAD;
    }
    const struct machine_verdict *verdict = machine_verdict(run->machine);
    result->blocks_verified = verdict->blocks_verified;
    result->blocks_mismatched = verdict->blocks_mismatched;
    result->requests_total = verdict->requests;
    return take_down(run, error);
}

int run_on_first(struct run *run, void (*program)(void *ctx), void *ctx)
{
    struct host_program programs[HOST_CPUS_MAX] = {{program, ctx}};
    return host_run(machine_host(run->machine), programs);
}

void run_counters(const struct machine *machine, struct result_counters *counters)
{
    struct machine_snapshot now;
    machine_snapshot(machine, &now);
    *counters = (struct result_counters){
        .requests = now.requests,
        .commands = now.ctrl.commands,
        .sq_doorbells = now.ctrl.sq_doorbells,
        .cq_doorbells = now.ctrl.cq_doorbells,
        .other_register_writes = now.ctrl.register_writes,
        .register_reads = now.ctrl.register_reads,
        .bytes_copied = now.host.bytes_copied,
        .bounced = now.queue.bounced,
        .direct = now.queue.direct,
        .lines_dirty = now.host.lines.dirty,
        .lines_clean = now.host.lines.clean,
        .lines_absent = now.host.lines.absent,
        .prp_lists = now.ctrl.prp_lists,
        .polls = now.queue.polls,
        .interrupts = now.host.interrupts,
        .splits = now.queue.splits,
    };
}

void run_counters_add(struct result_counters *sum, const struct result_counters *before,
                      const struct result_counters *after)
{
#define ADD_DIFFERENCE(name, text) sum->name += after->name - before->name;
    RESULT_COUNTERS(ADD_DIFFERENCE)
#undef ADD_DIFFERENCE
}

void run_timed_begin(struct run *run)
{
    if (run->spec->timed != NULL)
        run->spec->timed(run->spec->observe_ctx, true);
    run_counters(run->machine, &run->before);
    run_usage(run->machine, &run->usage_before);
}

void run_timed_end(struct run *run)
{
    struct result_counters now;
    run_counters(run->machine, &now);
    run_counters_add(&run->result->counters, &run->before, &now);
    struct usage usage;
    run_usage(run->machine, &usage);
    run_usage_add(&run->result->usage, &run->usage_before, &usage);
    if (run->spec->timed != NULL)
        run->spec->timed(run->spec->observe_ctx, false);
}
