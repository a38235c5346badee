/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Interrupt coalescing (NVMe 1.4 section 5.21.1.8): the controller holds an interrupt back until so
 * many entries have come, or for so long. Set once at bring-up, or switched on and off by load:
 * called by features.c at bring-up, and by controller.c at each step while READY. Left out: single
 * vectors (5.21.1.9); the feature is one for all queues, so the weakest of them decides.
 *
 * Adaptive: it begins switched off. It pays where a queue has so much in flight, and ends commands
 * so fast, that interrupts would come by number and long before the time: then interrupts become
 * rare, and no entry waits for long. It costs where they come by time: a load of depth 1 would wait
 * for all of it at every request. So on needs every queue that is busy to be twice as deep and
 * twice as fast as needed, at two looks in a row; off needs one busy queue whose interrupts find
 * less than half of the entries, or no busy queue at all, at one look.
 */
#include "internal.h"

#if !defined(NVME_NO_FEATURES)

#define LOOK_NS       10000000u /* between two looks at least: what a shallow load pays at worst */
#define TIME_UNIT_NS  100000u   /* TIME (5.21.1.8) */
#define TIME_SHIFT    8
#define LOOKS_TO_TURN 2 /* on */

static void fill(const struct nvme *nvme, struct nvme_command *command)
{
    const struct nvme_config *config = &nvme->config;

    command->opcode = NVME_ADMIN_SET_FEATURES;
    command->cdw10 = NVME_FEATURE_COALESCING;
    command->cdw11 = 0;
    if (nvme->coalescing.on)
        command->cdw11 = config->coalescing_entries | (uint32_t)config->coalescing_time_100us
                                                          << TIME_SHIFT;
}

bool nvme_coalescing_begin(struct nvme *nvme, struct nvme_command *command)
{
    struct nvme_coalescing *coalescing = &nvme->coalescing;

    coalescing->on = nvme->config.coalescing == NVME_COALESCING_FIXED;
    coalescing->looked_ns = nvme->now_ns;
    coalescing->good_looks = 0;
    coalescing->request.error = NVME_OK; /* none is in flight: this is a new life of the queue */
    fill(nvme, command);
    return nvme->config.coalescing != NVME_COALESCING_OFF &&
           nvme->config.completion == NVME_COMPLETION_INTERRUPT;
}

/* What has happened to the queue since the last look. True: coalescing is, or would be, good for
 * it. */
static bool is_good(struct nvme *nvme, struct nvme_queue *queue, uint64_t elapsed_ns, bool *busy)
{
    uint64_t interrupts = queue->stats.interrupts - queue->stats.empty_interrupts;
    uint64_t ended = queue->stats.completions - queue->seen_completions;
    uint64_t worked = interrupts - queue->seen_interrupts;
    uint64_t entries = nvme->config.coalescing_entries + 1u;
    uint64_t time_ns = nvme->config.coalescing_time_100us * (uint64_t)TIME_UNIT_NS;

    queue->seen_completions += ended;
    queue->seen_interrupts += worked;
    if (ended == 0)
        return true; /* no opinion */
    *busy = true;
    if (nvme->coalescing.on)
        return 2 * ended >= worked * entries;
    return nvme_in_flight(queue) >= 2 * entries && ended * time_ns >= 2 * entries * elapsed_ns;
}

void nvme_coalescing_look(struct nvme *nvme)
{
    struct nvme_coalescing *coalescing = &nvme->coalescing;
    uint64_t elapsed_ns = nvme->now_ns - coalescing->looked_ns;
    bool good = true, busy = false;

    /* A controller that has refused it once is not asked again. */
    if (nvme->config.coalescing != NVME_COALESCING_ADAPTIVE || elapsed_ns < LOOK_NS ||
        coalescing->request.error != NVME_OK ||
        nvme->config.completion != NVME_COMPLETION_INTERRUPT)
        return;
    coalescing->looked_ns = nvme->now_ns;
    for (uint32_t i = 0; i < nvme->info.io_queues; i++)
        good &= is_good(nvme, &nvme->queues[i], elapsed_ns, &busy);
    good &= busy;
    coalescing->good_looks = (uint8_t)(good && !coalescing->on ? coalescing->good_looks + 1 : 0);
    if (good ? coalescing->good_looks < LOOKS_TO_TURN : !coalescing->on)
        return;
    coalescing->on = good;
    coalescing->good_looks = 0;
    fill(nvme, &coalescing->request.command);
    if (nvme_admin_send_internal(nvme, &coalescing->request, 0) != NVME_OK)
        coalescing->on = !good; /* busy: at the next look */
}

#endif
