/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The raw host of the controller's tests; see rig.h.
 */
#include "unit/nvme/rig.h"

#include <stdlib.h>
#include <string.h>

#include "engine/pattern.h"

static bool is_inside(uint64_t bus, uint64_t bytes)
{
    return bus >= RIG_BASE && bytes <= RIG_BYTES && bus - RIG_BASE <= RIG_BYTES - bytes;
}

uint8_t *rig_at(struct rig *rig, uint64_t bus)
{
    if (!is_inside(bus, 1))
        ck_abort_msg("address outside the rig's memory");
    return rig->memory + (bus - RIG_BASE);
}

static int host_read(void *ctx, uint64_t bus, void *to, uint32_t bytes)
{
    struct rig *rig = ctx;

    if (!is_inside(bus, bytes))
        return PCIE_E_ABORT;
    rig->dma_reads++;
    memcpy(to, rig_at(rig, bus), bytes);
    return PCIE_OK;
}

static int host_write(void *ctx, uint64_t bus, const void *from, uint32_t bytes)
{
    struct rig *rig = ctx;

    if (!is_inside(bus, bytes))
        return PCIE_E_ABORT;
    rig->dma_writes++;
    memcpy(rig_at(rig, bus), from, bytes);
    return PCIE_OK;
}

/* Memory is bytes here: tags are found in it, when every segment is whole units. */
static bool segments_are_units(const struct pcie_segment *segments, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (segments[i].bytes % PATTERN_BYTES != 0 ||
            !is_inside(segments[i].bus, segments[i].bytes))
            return false;
    }
    return true;
}

static bool host_read_tags(void *ctx, const struct pcie_segment *segments, unsigned count,
                           uint64_t *tags, uint32_t ntags)
{
    struct rig *rig = ctx;
    uint32_t n = 0;

    if (!rig->params.tags || !segments_are_units(segments, count))
        return false;
    for (unsigned i = 0; i < count; i++) {
        for (uint32_t at = 0; at < segments[i].bytes; at += PATTERN_BYTES) {
            if (!pattern_recognise(rig_at(rig, segments[i].bus + at), &tags[n++]))
                return false;
        }
    }
    ck_assert_uint_eq(n, ntags);
    rig->tag_moves++;
    return true;
}

static bool host_write_tags(void *ctx, const struct pcie_segment *segments, unsigned count,
                            const uint64_t *tags, uint32_t ntags)
{
    struct rig *rig = ctx;
    uint32_t n = 0;

    if (!rig->params.tags || !segments_are_units(segments, count))
        return false;
    for (unsigned i = 0; i < count; i++) {
        for (uint32_t at = 0; at < segments[i].bytes; at += PATTERN_BYTES)
            pattern_expand(tags[n++], rig_at(rig, segments[i].bus + at));
    }
    ck_assert_uint_eq(n, ntags);
    rig->tag_moves++;
    return true;
}

static void host_msi(void *ctx, uint64_t address, uint32_t data)
{
    struct rig *rig = ctx;

    if (address != rig->msi_address)
        ck_assert_uint_eq(address, UINT64_C(0xfee00000) + data * 4);
    ck_assert_uint_lt(data, RIG_VECTORS);
    rig->messages[data]++;
    rig->message_ps = engine_now(rig->engine);
}

static void host_intx(void *ctx, bool asserted)
{
    struct rig *rig = ctx;

    ck_assert(rig->pin != asserted); /* only changes are told */
    rig->pin = asserted;
    rig->pin_rises += asserted;
}

static const struct pcie_host_ops host_ops = {
    .dma_read = host_read,
    .dma_write = host_write,
    .dma_read_tags = host_read_tags,
    .dma_write_tags = host_write_tags,
    .msi = host_msi,
    .intx = host_intx,
};

void rig_defaults(struct rig_params *params)
{
    struct ctrl_params *ctrl = &params->ctrl;

    memset(params, 0, sizeof *params);
    ctrl->vendor_id = 0x1b36;
    ctrl->device_id = 0x0010;
    ctrl->subsystem_vendor_id = 0x1af4;
    ctrl->subsystem_id = 0x1100;
    strcpy(ctrl->serial, "SERIAL");
    strcpy(ctrl->model, "MODEL");
    strcpy(ctrl->firmware, "FW");
    ctrl->version = 1;
    ctrl->cap_mqes = 255;
    ctrl->cap_cqr = 1;
    ctrl->cap_to = 15;
    ctrl->cap_mpsmax = 4;
    ctrl->mdts = 5;
    ctrl->acl = 3;
    ctrl->aerl = 3;
    ctrl->vwc = 1;
    ctrl->compare = ctrl->write_uncorrectable = ctrl->dataset_management = 1;
    ctrl->write_zeroes = ctrl->verify = ctrl->fused = 1;
    ctrl->max_io_queues = 4;
    ctrl->msix_vectors = 5;
    ctrl->namespace_size = UINT64_C(64) << 20;
    ctrl->namespace_granularity = UINT64_C(1) << 20;
    ctrl->clock = 1000000000;
    ctrl->contexts = 64;
    ctrl->arbitration_burst = 3;
    ctrl->fetch_burst = 4;
    ctrl->fetch_engines = 1;
    ctrl->shadow_reread = 1;
    ctrl->shadow_cq_eventidx = 1;
    ctrl->shadow_admin = 1;
    ctrl->shadow_poll = RIG_US;
    ctrl->shadow_poll_time = 20 * RIG_US;
    ctrl->firmware_slots = 1;
    ctrl->temperature = 313;
    ctrl->warning_temperature = 343;
    ctrl->critical_temperature = 358;
    ctrl->sgl_descriptors = 4096;
    ctrl->list_cache_entries = 1;
    ctrl->dma_engines = 1;
    params->media.kind = MEDIA_NULL;
    params->media.units = 32;
    params->media.workers = 1;
    params->media.read_bandwidth = params->media.write_bandwidth = UINT64_C(1000000000000);
    params->media.cache_read_bandwidth = params->media.cache_write_bandwidth =
        UINT64_C(1000000000000);
    params->link.kind = LINK_EMULATED;
    params->link.generation = 3;
    params->link.lanes = 4;
    params->link.max_payload = 256;
    params->link.max_read_request = 512;
    params->link.completion_payload = 64;
    params->link.tags = 64;
    params->link.propagation = 150 * RIG_NS;
    params->link.memory_latency = 120 * RIG_NS;
    params->link.packet_overhead = 24;
    params->link.completion_overhead = 20;
    params->admin_size = 16;
    params->cc = 0x00460001;
}

void rig_open_on(struct rig *rig, const struct rig_params *params, struct engine *engine,
                 unsigned index)
{
    memset(rig, 0, sizeof *rig);
    rig->params = *params;
    ck_assert_ptr_null(ctrl_params_check(&params->ctrl));
    rig->engine = engine;
    rig->memory = calloc(1, RIG_BYTES);
    ck_assert_ptr_nonnull(rig->memory);
    rig->port = pcie_port_create(engine, &rig->params.link);
    rig->media = media_create(engine, &rig->params.media, ctrl_params_capacity(&rig->params.ctrl));
    pcie_port_attach_host(rig->port, &host_ops, rig);
    rig->ctrl = ctrl_create(engine, rig->port, rig->media, &rig->params.ctrl, index);
}

void rig_open(struct rig *rig, const struct rig_params *params)
{
    rig_open_on(rig, params, engine_create(1), 0);
    rig->owns_engine = true;
}

void rig_close(struct rig *rig)
{
    ctrl_destroy(rig->ctrl);
    media_destroy(rig->media);
    pcie_port_destroy(rig->port);
    if (rig->owns_engine)
        engine_destroy(rig->engine);
    free(rig->memory);
}

uint32_t rig_read32(struct rig *rig, uint64_t offset)
{
    return (uint32_t)pcie_port_bar_read(rig->port, 0, offset, 4);
}

uint64_t rig_read64(struct rig *rig, uint64_t offset)
{
    return pcie_port_bar_read(rig->port, 0, offset, 8);
}

void rig_write32(struct rig *rig, uint64_t offset, uint32_t value)
{
    pcie_port_bar_write(rig->port, engine_now(rig->engine), 0, offset, 4, value);
}

void rig_write64(struct rig *rig, uint64_t offset, uint64_t value)
{
    pcie_port_bar_write(rig->port, engine_now(rig->engine), 0, offset, 8, value);
}

void rig_settle(struct rig *rig)
{
    unsigned steps = 0;

    while (engine_step(rig->engine) && steps < 10000000)
        steps++;
    ck_assert_uint_lt(steps, 10000000); /* something never ends */
}

void rig_for(struct rig *rig, uint64_t ps)
{
    engine_run_until(rig->engine, engine_now(rig->engine) + ps);
}

uint64_t rig_now(const struct rig *rig)
{
    return engine_now(rig->engine);
}

static void put_le(uint8_t *at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

static uint64_t get_le(const uint8_t *at, unsigned bytes)
{
    uint64_t value = 0;

    for (unsigned i = bytes; i-- > 0;)
        value = value << 8 | at[i];
    return value;
}

void rig_put64(struct rig *rig, uint64_t bus, uint64_t value)
{
    put_le(rig_at(rig, bus), value, 8);
}

void rig_setup_admin(struct rig *rig)
{
    uint32_t size = rig->params.admin_size;

    pcie_port_config_write(rig->port, 4, 2, 0x6);
    rig_write32(rig, 0x24, (size - 1) << 16 | (size - 1));
    rig_write64(rig, 0x28, RIG_ADMIN_SQ);
    rig_write64(rig, 0x30, RIG_ADMIN_CQ);
    memset(rig_at(rig, RIG_ADMIN_CQ), 0, size * 16u);
    rig->queue[0] = (struct rig_queue){.sq = RIG_ADMIN_SQ,
                                       .cq = RIG_ADMIN_CQ,
                                       .sq_size = (uint16_t)size,
                                       .cq_size = (uint16_t)size,
                                       .phase = true};
}

void rig_enable(struct rig *rig)
{
    rig_setup_admin(rig);
    rig_write32(rig, 0x14, rig->params.cc);
    rig_settle(rig);
    ck_assert_uint_eq(rig_read32(rig, 0x1c), 1);
}

void rig_msix_enable(struct rig *rig, unsigned vectors)
{
    uint32_t table = pcie_port_config_read(rig->port, 0x84, 4);

    for (unsigned v = 0; v < vectors; v++) {
        rig_write64(rig, table + 16 * v, 0xfee00000u + v * 4);
        rig_write32(rig, table + 16 * v + 8, v);
        rig_write32(rig, table + 16 * v + 12, 0);
    }
    rig_settle(rig);
    pcie_port_config_write(rig->port, 0x82, 2, 0x8000);
}

void rig_put(struct rig *rig, unsigned queue, const struct rig_cmd *cmd)
{
    struct rig_queue *q = &rig->queue[queue];
    uint8_t *sqe = rig_at(rig, q->sq + q->tail * 64u);

    memset(sqe, 0, 64);
    sqe[0] = cmd->opcode;
    sqe[1] = cmd->flags;
    put_le(sqe + 2, cmd->cid, 2);
    put_le(sqe + 4, cmd->nsid, 4);
    put_le(sqe + 24, cmd->prp1, 8);
    put_le(sqe + 32, cmd->prp2, 8);
    put_le(sqe + 40, cmd->cdw10, 4);
    put_le(sqe + 44, cmd->cdw11, 4);
    put_le(sqe + 48, cmd->cdw12, 4);
    put_le(sqe + 52, cmd->cdw13, 4);
    put_le(sqe + 56, cmd->cdw14, 4);
    put_le(sqe + 60, cmd->cdw15, 4);
    q->tail = (uint16_t)((q->tail + 1) % q->sq_size);
}

static uint64_t doorbell(const struct rig *rig, unsigned qid, unsigned is_cq)
{
    return 0x1000 + ((uint64_t)(2 * qid + is_cq) * (4u << rig->params.ctrl.cap_dstrd));
}

void rig_ring(struct rig *rig, unsigned queue)
{
    rig_write32(rig, doorbell(rig, rig->queue[queue].qid, 0), rig->queue[queue].tail);
}

bool rig_take(struct rig *rig, unsigned queue, struct rig_cqe *cqe)
{
    struct rig_queue *q = &rig->queue[queue];
    const uint8_t *at = rig_at(rig, q->cq + q->head * 16u);
    uint16_t status = (uint16_t)get_le(at + 14, 2);

    if ((status & 1u) != q->phase)
        return false;
    *cqe = (struct rig_cqe){.dw0 = (uint32_t)get_le(at, 4),
                            .sqhd = (uint16_t)get_le(at + 8, 2),
                            .sqid = (uint16_t)get_le(at + 10, 2),
                            .cid = (uint16_t)get_le(at + 12, 2),
                            .status = status >> 1 & 0x7ff,
                            .phase = status & 1u,
                            .dnr = (status & 0x8000u) != 0,
                            .more = (status & 0x4000u) != 0,
                            .retry_delay = status >> 12 & 3u};
    if (++q->head == q->cq_size) {
        q->head = 0;
        q->phase = !q->phase;
    }
    return true;
}

void rig_ring_cq(struct rig *rig, unsigned queue)
{
    rig_write32(rig, doorbell(rig, rig->queue[queue].cqid, 1), rig->queue[queue].head);
}

uint16_t rig_do(struct rig *rig, unsigned queue, const struct rig_cmd *cmd, struct rig_cqe *cqe)
{
    struct rig_cqe local;

    if (cqe == NULL)
        cqe = &local;
    rig_put(rig, queue, cmd);
    rig_ring(rig, queue);
    rig_settle(rig);
    ck_assert(rig_take(rig, queue, cqe));
    ck_assert_uint_eq(cqe->cid, cmd->cid);
    ck_assert_uint_eq(cqe->sqid, rig->queue[queue].qid);
    rig_ring_cq(rig, queue);
    rig_settle(rig);
    return cqe->status;
}

uint16_t rig_admin(struct rig *rig, uint8_t opcode, uint32_t nsid, uint32_t cdw10, uint32_t cdw11,
                   uint32_t *dw0)
{
    struct rig_cqe cqe;
    uint16_t status = rig_do(rig, 0,
                             &(struct rig_cmd){.opcode = opcode,
                                               .cid = 0x5a5a,
                                               .nsid = nsid,
                                               .prp1 = RIG_DATA,
                                               .prp2 = RIG_DATA + 0x1000,
                                               .cdw10 = cdw10,
                                               .cdw11 = cdw11},
                             &cqe);

    if (dw0 != NULL)
        *dw0 = cqe.dw0;
    return status;
}

void rig_create_queue(struct rig *rig, unsigned qid, uint16_t size, uint16_t vector)
{
    struct rig_queue *q = &rig->queue[qid];
    struct rig_cmd cq = {.opcode = 5, .cid = 1, .prp1 = RIG_IO_CQ + qid * RIG_STEP};
    struct rig_cmd sq = {.opcode = 1, .cid = 2, .prp1 = RIG_IO_SQ + qid * RIG_STEP};

    cq.cdw10 = sq.cdw10 = (size - 1u) << 16 | qid;
    cq.cdw11 = (uint32_t)vector << 16 | 3;
    sq.cdw11 = (uint32_t)qid << 16 | 1;
    memset(rig_at(rig, cq.prp1), 0, size * 16u);
    ck_assert_uint_eq(rig_do(rig, 0, &cq, NULL), 0);
    ck_assert_uint_eq(rig_do(rig, 0, &sq, NULL), 0);
    *q = (struct rig_queue){.sq = sq.prp1,
                            .cq = cq.prp1,
                            .sq_size = size,
                            .cq_size = size,
                            .qid = (uint16_t)qid,
                            .cqid = (uint16_t)qid,
                            .phase = true};
}

uint16_t rig_io(struct rig *rig, uint8_t opcode, uint64_t slba, uint32_t blocks, uint64_t prp1,
                uint64_t prp2)
{
    return rig_do(rig, 1,
                  &(struct rig_cmd){.opcode = opcode,
                                    .cid = 7,
                                    .nsid = 1,
                                    .prp1 = prp1,
                                    .prp2 = prp2,
                                    .cdw10 = (uint32_t)slba,
                                    .cdw11 = (uint32_t)(slba >> 32),
                                    .cdw12 = blocks - 1},
                  NULL);
}

struct ctrl_stats rig_stats(const struct rig *rig)
{
    struct ctrl_stats stats;

    ctrl_get_stats(rig->ctrl, &stats);
    return stats;
}
