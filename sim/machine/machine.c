/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Putting a machine together and starting it; see machine.h. Its block device is in device.c, its
 * data oracle in oracle.c.
 */
#include "machine/state.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nvme/spec.h>

#include "engine/clock.h"

/* How often nvme_step() is called: what nvme.h recommends for time-outs, as often as the core looks
 * at the load (config.h, NVME_COALESCING_ADAPTIVE), else for failures. */
#define STEPS_PER_TIMEOUT  8u
#define STEP_COALESCING_PS (10 * PS_PER_MS)
#define STEP_IDLE_PS       (100 * PS_PER_MS)

struct machine *machine_create(const struct machine_params *params,
                               const struct machine_options *options)
{
    struct machine *machine = calloc(1, sizeof *machine);
    if (machine == NULL)
        abort();
    machine->params = *params;
    machine->options = *options;
    machine->engine = engine_create(options->seed);
    machine->port = pcie_port_create(machine->engine, &params->link);
    machine->media =
        media_create(machine->engine, &params->media, ctrl_params_capacity(&params->ctrl));
    machine->ctrl = ctrl_create(machine->engine, machine->port, machine->media, &params->ctrl, 0);
    machine->host =
        host_create(machine->engine, machine->port, &params->host, &params->cache, options->form);
    machine->cpus = cpu_set_create(machine->engine);
    bool holds_devices = params->host.emulation == HOST_EMULATION_SINGLE_THREAD;
    for (uint64_t i = 0; i < params->host.cpus; i++)
        host_set_cpu(machine->host, cpu_add(machine->cpus, NULL, NULL, holds_devices));
    oracle_create(&machine->oracle, params->ctrl.namespace_size, options->verify);
    return machine;
}

void machine_destroy(struct machine *machine)
{
    if (machine == NULL)
        return;
    for (unsigned i = 0; i < HOST_CPUS_MAX; i++)
        os_destroy(machine->os[i]);
    ctrl_destroy(machine->ctrl);
    media_destroy(machine->media);
    host_destroy(machine->host);
    cpu_set_destroy(machine->cpus);
    pcie_port_destroy(machine->port);
    oracle_destroy(&machine->oracle);
    engine_destroy(machine->engine);
    free(machine->nvme_allocation);
    free(machine);
}

static int start_failed(struct machine *machine, int error, const char **why)
{
    uint16_t status = 0;
    if (machine->nvme != NULL)
        nvme_failure(machine->nvme, &status);
    if (error == NVME_E_STATUS)
        snprintf(machine->why, sizeof machine->why, "bring-up failed: %s (status %03xh)",
                 nvme_status_text(status), status);
    else
        snprintf(machine->why, sizeof machine->why, "bring-up failed: %s", nvme_error_text(error));
    *why = machine->why;
    return error;
}

static void machine_interrupt(void *ctx, unsigned vector)
{
    struct machine *machine = ctx;
    nvme_interrupt(machine->nvme, vector);
}

static bool machine_hard(void *ctx, unsigned vector)
{
    struct machine *machine = ctx;
    return nvme_interrupt_claim(machine->nvme, vector);
}

static void machine_soft(void *ctx, unsigned vector)
{
    struct machine *machine = ctx;
    nvme_interrupt_work(machine->nvme, vector);
}

static void listen(struct machine *machine)
{
    if (machine->params.driver.deferred)
        host_set_split_handler(machine->host, machine_hard, machine_soft, machine);
    else
        host_set_interrupt_handler(machine->host, machine_interrupt, machine);
}

static void create_paths(struct machine *machine, const struct nvme_config *config)
{
    const struct nvme_info *info = nvme_get_info(machine->nvme);
    machine->queue_count = info->io_queues;
    for (unsigned i = 0; i < machine->queue_count; i++)
        machine->queues[i] = nvme_get_queue(machine->nvme, i);
    bool watches = config->recovery != NVME_RECOVERY_NONE || config->retries != 0 ||
                   config->coalescing == NVME_COALESCING_ADAPTIVE;
    uint64_t step_ps = config->io_timeout_ms * (PS_PER_MS / STEPS_PER_TIMEOUT);
    if (step_ps == 0 && watches)
        step_ps = STEP_IDLE_PS;
    if (config->coalescing == NVME_COALESCING_ADAPTIVE && step_ps > STEP_COALESCING_PS)
        step_ps = STEP_COALESCING_PS;
    struct os_config os = {
        .step_ps = step_ps,
        .stepper = (enum os_stepper)machine->params.driver.stepper,
        .steps = &machine->steps,
        .host = machine->host,
        .nvme = machine->nvme,
        .queues = machine->queues,
        .queue_count = machine->queue_count,
        .slots = info->slots,
        .choice = (enum os_queue_choice)machine->params.driver.queue_choice,
        .interrupts = config->completion == NVME_COMPLETION_INTERRUPT,
        .ring = config->ring,
        .hybrid_spins = (uint32_t)machine->params.driver.hybrid_spins,
        .hybrid_sleep = machine->params.driver.hybrid_sleep != 0,
    };
    for (os.cpu = 0; os.cpu < host_cpus(machine->host); os.cpu++)
        machine->os[os.cpu] = os_create(&machine->params.os, &os);
}

static void set_priorities(struct machine *machine, unsigned queues)
{
    const char *wrong;
    for (unsigned i = 0; i < queues; i++) {
        int qprio = machine_priority(machine->params.driver.priorities, i, &wrong);
        assert(qprio >= 0); /* machine_params_check() */
        nvme_set_priority(machine->nvme, i, (uint8_t)qprio);
    }
}

#define CORE_ALIGN 64u

int machine_start(struct machine *machine, const char **why)
{
    int error = host_enumerate(machine->host, why);
    if (error != NVME_OK)
        return error;
    struct nvme_config config;
    machine_driver_config(&machine->params, &config);
    size_t bytes = nvme_memory_size(&config);
    machine->nvme_allocation = calloc(1, bytes + CORE_ALIGN);
    if (machine->nvme_allocation == NULL)
        abort();
    uintptr_t start =
        ((uintptr_t)machine->nvme_allocation + CORE_ALIGN - 1) & ~(uintptr_t)(CORE_ALIGN - 1);
    machine->nvme = nvme_init((void *)start, bytes, host_platform(machine->host), &config);
    if (machine->nvme == NULL)
        return start_failed(machine, NVME_E_INVAL, why);
    set_priorities(machine, config.io_queues);
    /* Bring-up already causes interrupts: the admin queue's completions. */
    listen(machine);
    error = nvme_start_blocking(machine->nvme);
    RECORD_EMIT(engine_stream(machine->engine), host_now(machine->host), 0, RECORD_BROUGHT_UP,
                error, 0, 0, 0);
    if (error != NVME_OK)
        return start_failed(machine, error, why);
    if (nvme_namespace_count(machine->nvme) == 0)
        return start_failed(machine, NVME_E_UNSUPPORTED, why);
    machine->ns = *nvme_get_namespace(machine->nvme, 0);
    create_paths(machine, &config);
    device_init(machine);
    return NVME_OK;
}

void machine_condemn(struct machine *machine)
{
    for (unsigned cpu = 0; cpu < host_cpus(machine->host); cpu++) {
        if (machine->os[cpu] != NULL)
            os_condemn(machine->os[cpu]);
    }
}

int machine_stop(struct machine *machine)
{
    return nvme_stop_blocking(machine->nvme);
}

struct engine *machine_engine(struct machine *machine)
{
    return machine->engine;
}

struct host *machine_host(struct machine *machine)
{
    return machine->host;
}

struct ctrl *machine_ctrl(struct machine *machine)
{
    return machine->ctrl;
}

struct media *machine_media(struct machine *machine)
{
    return machine->media;
}

struct link *machine_link(struct machine *machine)
{
    return pcie_port_link(machine->port);
}

struct os *machine_os(struct machine *machine, unsigned cpu)
{
    return machine->os[cpu];
}

uint64_t machine_steps(const struct machine *machine, unsigned cpu)
{
    return machine->steps.count[cpu];
}

struct nvme *machine_nvme(struct machine *machine)
{
    return machine->nvme;
}

unsigned machine_queues(const struct machine *machine)
{
    return machine->queue_count;
}

struct nvme_queue *machine_queue(struct machine *machine, unsigned index)
{
    return machine->queues[index];
}

struct block_device *machine_device(struct machine *machine)
{
    return &machine->device;
}

#define STATS_WORDS (sizeof(struct nvme_queue_stats) / sizeof(uint64_t))

/* Counters of a queue are words, all of them: the sum of the structures is the sum of the words. */
static void sum_queues(const struct machine *machine, struct nvme_queue_stats *sum)
{
    uint64_t peak = 0;
    uint64_t words[STATS_WORDS] = {0}, one_words[STATS_WORDS];
    _Static_assert(sizeof words == sizeof *sum, "a counter is no word");
    for (unsigned i = 0; i < machine->queue_count; i++) {
        struct nvme_queue_stats one;
        nvme_get_queue_stats(machine->queues[i], &one);
        memcpy(one_words, &one, sizeof one_words);
        for (size_t w = 0; w < STATS_WORDS; w++)
            words[w] += one_words[w];
        if (one.in_flight_peak > peak)
            peak = one.in_flight_peak;
    }
    memcpy(sum, words, sizeof words);
    sum->in_flight_peak = peak;
}

void machine_snapshot(const struct machine *machine, struct machine_snapshot *snapshot)
{
    ctrl_get_stats(machine->ctrl, &snapshot->ctrl);
    snapshot->host = *host_get_stats(machine->host);
    sum_queues(machine, &snapshot->queue);
    snapshot->requests = machine->oracle.verdict.requests;
}
