/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a caller asks of a controller once it runs (info, namespaces, queues, failure), and the
 * blocking forms of start, stop and reset for callers that have nothing else to do. Nothing here
 * talks to the device but through nvme_step().
 */
#include "internal.h"

enum nvme_state nvme_state(const struct nvme *nvme)
{
    return nvme->state;
}

int nvme_failure(const struct nvme *nvme, uint16_t *status)
{
    if (status)
        *status = nvme->failure == NVME_E_STATUS ? nvme->failure_status : 0;
    return nvme->failure;
}

const struct nvme_info *nvme_get_info(const struct nvme *nvme)
{
    return &nvme->info;
}

unsigned nvme_namespace_count(const struct nvme *nvme)
{
    return nvme->ns_count;
}

const struct nvme_namespace *nvme_get_namespace(const struct nvme *nvme, unsigned index)
{
    return index < nvme->ns_count && nvme->ns[index].public.nsid != 0 ? &nvme->ns[index].public
                                                                      : NULL;
}

struct nvme_queue *nvme_get_queue(struct nvme *nvme, unsigned index)
{
    return index < nvme->info.io_queues ? &nvme->queues[index] : NULL;
}

int nvme_set_priority(struct nvme *nvme, unsigned index, uint8_t priority)
{
    if (index >= nvme->config.io_queues || priority > NVME_QPRIO_LOW)
        return NVME_E_INVAL;
    nvme->queues[index].priority = priority;
    return NVME_OK;
}

void nvme_get_admin_stats(const struct nvme *nvme, struct nvme_admin_stats *stats)
{
    *stats = nvme->admin.stats;
}

/* Step until the state is no longer `passing`. Every wait inside has a deadline, so this ends. */
static int step_through(struct nvme *nvme, enum nvme_state passing)
{
    while (nvme_step(nvme, nvme->ops->now_ns(nvme->ctx)) == passing)
        if (nvme->ops->relax)
            nvme->ops->relax(nvme->ctx);
    return nvme->failure;
}

static int blocking(struct nvme *nvme, int (*begin)(struct nvme *), enum nvme_state passing)
{
    int error = begin(nvme);

    return error == NVME_OK ? step_through(nvme, passing) : error;
}

int nvme_start_blocking(struct nvme *nvme)
{
    return blocking(nvme, nvme_start, NVME_STATE_STARTING);
}

int nvme_stop_blocking(struct nvme *nvme)
{
    return blocking(nvme, nvme_stop, NVME_STATE_STOPPING);
}

int nvme_reset_blocking(struct nvme *nvme)
{
    return blocking(nvme, nvme_reset, NVME_STATE_STARTING);
}

static void note_end(struct nvme_admin_request *request)
{
    request->user = request;
}

int nvme_admin_blocking(struct nvme *nvme, struct nvme_admin_request *request)
{
    bool failed = false;
    int error;

    request->done = note_end;
    request->user = NULL;
    error = nvme_admin_submit(nvme, request);
    if (error != NVME_OK)
        return error;
    while (request->user != request) {
        if (nvme_step(nvme, nvme->ops->now_ns(nvme->ctx)) == NVME_STATE_FAILED) {
            /* Only a reset ends the request; and if that fails, too, only its owner can go on. */
            if (failed || nvme_reset(nvme) != NVME_OK)
                return nvme->failure;
            failed = true;
        } else if (nvme->ops->relax) {
            nvme->ops->relax(nvme->ctx);
        }
    }
    if (failed)
        step_through(nvme, NVME_STATE_STARTING);
    return request->error;
}
