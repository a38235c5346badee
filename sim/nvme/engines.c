/* SPDX-License-Identifier: BSD-2-Clause
 *
 * DMA engines: what takes the data of a command to or from the link. Each is a time line. Its
 * set-up is done for one transfer after the other; then it is free again, unless it has a data rate
 * of its own (ctrl.dma_bandwidth), which keeps it busy for as long as the data lasts, or a limit of
 * transfers on their way (ctrl.dma_outstanding), which makes it wait for the oldest of them. A
 * transfer goes to the engine that can begin first, the lowest-numbered of equals.
 */
#include <stdlib.h>

#include "nvme/internal.h"

void dma_init(struct ctrl *ctrl)
{
    const struct ctrl_params *params = &ctrl->params;

    ctrl->transfer.one_engine = params->dma_engines == 1 && params->dma_bandwidth == 0 &&
                                params->dma_outstanding == 0 && !ctrl->paced;
    ctrl->transfer.paced = ctrl->paced && params->dma_outstanding == 0;
    ctrl->transfer.engines = ctrl_allocate(params->dma_engines, sizeof *ctrl->transfer.engines);
    for (uint64_t i = 0; params->dma_outstanding != 0 && i < params->dma_engines; i++)
        ctrl->transfer.engines[i].ends_ps =
            ctrl_allocate(params->dma_outstanding, sizeof(uint64_t));
}

void dma_free(struct ctrl *ctrl)
{
    for (uint64_t i = 0; i < ctrl->params.dma_engines; i++)
        free(ctrl->transfer.engines[i].ends_ps);
    free(ctrl->transfer.engines);
}

void dma_reset(struct ctrl *ctrl)
{
    for (uint64_t i = 0; i < ctrl->params.dma_engines; i++) {
        struct dma_engine *engine = &ctrl->transfer.engines[i];

        engine->free_ps = 0;
        engine->next = 0;
        for (uint64_t j = 0; engine->ends_ps != NULL && j < ctrl->params.dma_outstanding; j++)
            engine->ends_ps[j] = 0;
    }
}

/* With transfers on their way as many as there may be, the oldest must end first. */
static uint64_t begins_ps(const struct dma_engine *engine)
{
    return engine->ends_ps == NULL ? engine->free_ps
                                   : later(engine->free_ps, engine->ends_ps[engine->next]);
}

struct dma_engine *dma_first(struct ctrl *ctrl)
{
    struct dma_engine *first = &ctrl->transfer.engines[0];

    for (uint64_t i = 1; i < ctrl->params.dma_engines; i++) {
        if (begins_ps(&ctrl->transfer.engines[i]) < begins_ps(first))
            first = &ctrl->transfer.engines[i];
    }
    first->free_ps = begins_ps(first);
    return first;
}

uint64_t dma_end(struct ctrl *ctrl, struct dma_engine *engine, uint64_t given_ps,
                 uint64_t arrived_ps, uint32_t bytes)
{
    uint64_t rate = ctrl->params.dma_bandwidth;

    if (rate != 0) {
        engine->free_ps = given_ps + clock_transfer_ps(bytes, rate);
        arrived_ps = later(arrived_ps, engine->free_ps);
    }
    if (engine->ends_ps != NULL) {
        engine->ends_ps[engine->next] = arrived_ps;
        if (++engine->next == ctrl->params.dma_outstanding)
            engine->next = 0;
    }
    return arrived_ps;
}
