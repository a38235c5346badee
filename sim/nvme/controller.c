/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Creation and the end of a controller, and what others may look at. Its life is in life.c.
 */
#include <stdio.h>
#include <stdlib.h>

#include "nvme/internal.h"

void *ctrl_allocate(size_t count, size_t bytes)
{
    void *memory = calloc(count > 0 ? count : 1, bytes);

    if (memory == NULL) {
        fprintf(stderr, "doorbell: out of memory for an NVMe controller\n");
        exit(4);
    }
    return memory;
}

void *ctrl_grow(void *memory, size_t count, size_t bytes)
{
    void *bigger = count <= SIZE_MAX / bytes ? realloc(memory, count * bytes) : NULL;

    if (bigger == NULL) {
        fprintf(stderr, "doorbell: out of memory for an NVMe controller\n");
        exit(4);
    }
    return bigger;
}

struct ctrl *ctrl_create(struct engine *engine, struct pcie_port *port, struct media *media,
                         const struct ctrl_params *params, unsigned index)
{
    struct ctrl *ctrl = ctrl_allocate(1, sizeof *ctrl);
    size_t queues = (size_t)params->max_io_queues + 1;
    struct pcie_link_identity link = pcie_link_identity(port);
    struct configspace_identity identity = {
        .vendor = (uint16_t)params->vendor_id,
        .device = (uint16_t)params->device_id,
        .subsystem_vendor = (uint16_t)params->subsystem_vendor_id,
        .subsystem = (uint16_t)params->subsystem_id,
        .class_code = CLASS_NVME,
        .msi_vectors = (uint8_t)params->msi_vectors,
        .msix_vectors = (uint16_t)params->msix_vectors,
        .soft_reset = params->pm_soft_reset,
    };

    ctrl->engine = engine;
    ctrl->stream = engine_stream(engine);
    ctrl->port = port;
    ctrl->paced = pcie_is_paced(port);
    ctrl->media = media;
    ctrl->params = *params;
    ctrl->index = index;
    ctrl_derive(ctrl);
    identity.link_generation = link.generation;
    identity.link_lanes = link.lanes;
    identity.payload_bytes = link.payload_bytes;
    identity.request_bytes = link.request_bytes;
    identity.tags = link.tags;
    identity.bar0_bytes = ctrl->bar.bytes;
    identity.msix_table = (uint32_t)ctrl->bar.msix_table_at;
    identity.msix_pending = (uint32_t)ctrl->bar.msix_pending_at;
    configspace_init(&ctrl->config, &identity);
    msi_init(&ctrl->msi, &ctrl->config, interrupt_vector_due, ctrl);
    msix_init(&ctrl->msix, (unsigned)params->msix_vectors, interrupt_vector_due, ctrl);
    namespaces_init(ctrl);
    ctrl->queues.sqs = ctrl_allocate(queues, sizeof *ctrl->queues.sqs);
    ctrl->queues.cqs = ctrl_allocate(queues, sizeof *ctrl->queues.cqs);
    fetch_init(ctrl);
    watch_init(ctrl);
    shadow_init(ctrl);
    commands_init(ctrl);
    dma_init(ctrl);
    cmb_init(ctrl);
    interrupt_init(ctrl);
    opcodes_bind(ctrl);
    firmware_init(ctrl);
    features_init(ctrl);
    health_init(ctrl);
    faults_init(ctrl);
    pcie_port_attach_device(port, &ctrl_device_ops, ctrl);
    return ctrl;
}

void ctrl_destroy(struct ctrl *ctrl)
{
    if (ctrl == NULL)
        return;
    life_cancel_timers(ctrl);
    selftest_stop(ctrl);
    queues_close_all(ctrl);
    features_free(ctrl);
    firmware_free(ctrl);
    commands_free(ctrl);
    msix_free(&ctrl->msix);
    namespaces_free(ctrl);
    transfer_free(ctrl);
    cmb_free(ctrl);
    free(ctrl->queues.sqs);
    free(ctrl->queues.cqs);
    fetch_free(ctrl);
    shadow_free(ctrl);
    free(ctrl->interrupts.vectors);
    free(ctrl);
}

void ctrl_get_stats(const struct ctrl *ctrl, struct ctrl_stats *stats)
{
    *stats = ctrl->stats;
}

struct store *ctrl_contents(struct ctrl *ctrl, uint32_t nsid, uint64_t *first_unit)
{
    struct namespace *ns = namespace_find(ctrl, nsid);

    if (ns == NULL)
        return NULL;
    *first_unit = ns->first_unit;
    return ns->store;
}
