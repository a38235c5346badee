/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The driver's parameters and the driver core's configuration made of them; see params.h. What may
 * not go together is in check.c.
 */
#include "machine/params.h"

#include <string.h>

#include "engine/clock.h"

#define PARAM_AS_ROWS struct driver_params
#include "config/param_begin.h"
const struct param_row driver_rows[] = {
#include "machine/driver.def"
};
#include "config/param_end.h"

const size_t driver_row_count = sizeof driver_rows / sizeof driver_rows[0];

enum nvme_irq_mode machine_irq_mode(const struct driver_params *driver)
{
    static const enum nvme_irq_mode modes[] = {NVME_IRQ_INTX, NVME_IRQ_MSI, NVME_IRQ_MSIX};
    return modes[driver->irq];
}

static const char *const classes[] = {"urgent", "high", "medium", "low"}; /* by QPRIO */
#define CLASSES ((int)(sizeof classes / sizeof classes[0]))

/* The class at the start of *text, which is moved behind it and the blanks around it. */
static int read_class(const char **text)
{
    const char *at = *text + strspn(*text, " \t");
    size_t length = strcspn(at, ", \t");
    for (int qprio = 0; qprio < CLASSES; qprio++) {
        if (strlen(classes[qprio]) == length && strncmp(at, classes[qprio], length) == 0) {
            *text = at + length + strspn(at + length, " \t");
            return qprio;
        }
    }
    *text = at;
    return -1;
}

int machine_priority(const char *list, unsigned index, const char **wrong)
{
    int found[MACHINE_PRIORITIES_MAX];
    unsigned count = 0;
    *wrong = list;
    for (;;) {
        int qprio = count < MACHINE_PRIORITIES_MAX ? read_class(wrong) : -1;
        if (qprio < 0)
            return -1;
        found[count++] = qprio;
        if (**wrong == '\0')
            return found[index % count];
        if (**wrong != ',')
            return -1;
        ++*wrong;
    }
}

static uint64_t queues_wanted(const struct machine_params *p)
{
    return p->driver.io_queues != 0 ? p->driver.io_queues : p->host.cpus;
}

uint64_t machine_io_queues(const struct machine_params *p)
{
    uint64_t wanted = queues_wanted(p);
    return wanted < p->ctrl.max_io_queues ? wanted : p->ctrl.max_io_queues;
}

void machine_driver_config(const struct machine_params *params, struct nvme_config *config)
{
    const struct driver_params *p = &params->driver;
    nvme_config_defaults(config);
    config->admin_depth = (uint16_t)p->admin_depth;
    config->io_queues = (uint16_t)queues_wanted(params);
    config->io_depth = (uint16_t)p->io_depth;
    config->slots = (uint16_t)p->slots;
    config->cid_base = (uint16_t)p->cid_base;
    config->cid_generation = p->cid_generation != 0;
    config->cid = (enum nvme_cid_policy)p->cid;
    config->negotiate_queues = p->negotiate_queues != 0;
    config->full = (enum nvme_full_policy)p->full;
    config->bounce_bytes = (uint32_t)p->bounce_bytes;
    config->read =
        (struct nvme_transfer_policy){(uint32_t)p->read_direct_min, (uint32_t)p->read_direct_align};
    config->write = (struct nvme_transfer_policy){(uint32_t)p->write_direct_min,
                                                  (uint32_t)p->write_direct_align};
    config->copy = (enum nvme_copy_routine)p->copy;
    config->dma_list = (enum nvme_dma_list_policy)p->dma_list;
    config->list_pages = (uint16_t)p->list_pages;
    config->transfer_cap = (uint32_t)p->transfer_cap;
    config->transfer_no_mdts = (uint32_t)p->transfer_no_mdts;
    config->split = (enum nvme_split_policy)p->split;
    config->split_at_boundary = p->split_at_boundary != 0;
    config->sgl = (enum nvme_sgl_policy)p->sgl;
    config->sgl_min_bytes = (uint32_t)p->sgl_min;
    config->ring = (enum nvme_ring_policy)p->ring;
    config->cq_ring = (enum nvme_cq_ring_policy)p->cq_ring;
    config->shadow_doorbells = p->shadow_doorbells != 0;
    config->drain_most = (uint16_t)p->drain_most;
    config->coalescing = (enum nvme_coalescing_policy)p->coalescing;
    config->coalescing_entries = (uint8_t)p->coalescing_entries;
    config->coalescing_time_100us = (uint8_t)(p->coalescing_time / MACHINE_COALESCING_UNIT_PS);
    config->completion = (enum nvme_completion_policy)p->completion;
    config->irq = p->completion == NVME_COMPLETION_INTERRUPT ? machine_irq_mode(p) : NVME_IRQ_NONE;
    config->poll_unmasks = p->poll_unmasks != 0;
    config->aer_count = (uint8_t)p->aer_count;
    config->host_memory_bytes = (uint32_t)p->host_memory;
    config->host_behavior = p->host_behavior != 0;
    config->weighted = p->weighted != 0;
    config->burst_log2 = (uint8_t)p->arbitration_burst;
    config->weights[0] = (uint8_t)(p->weight_high - 1);
    config->weights[1] = (uint8_t)(p->weight_medium - 1);
    config->weights[2] = (uint8_t)(p->weight_low - 1);
    config->admin_requests = (uint8_t)p->admin_requests;
    config->flush_always = p->flush_always != 0;
    config->delete_queues = p->delete_queues != 0;
    config->retries = (uint8_t)p->retries;
    config->io_timeout_ms = (uint32_t)(p->io_timeout / PS_PER_MS);
    config->late = (enum nvme_late_policy)p->late;
    config->abort_timeout_ms = (uint32_t)(p->abort_timeout / PS_PER_MS);
    config->recovery = (enum nvme_recovery_policy)p->recovery;
    config->reset_limit = (uint8_t)p->reset_limit;
    config->after_reset = (enum nvme_after_reset_policy)p->after_reset;
    config->admin_timeout_ms = (uint32_t)(p->admin_timeout / PS_PER_MS);
    config->ready_min_ms = 0; /* the modelled controller keeps to its CAP.TO */
    config->shutdown_timeout_ms = (uint32_t)(p->shutdown_timeout / PS_PER_MS);
}
