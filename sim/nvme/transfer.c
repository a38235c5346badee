/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Data between host memory and controller: the time it takes (DMA unit, link) and, at the time when
 * it has arrived, the bytes themselves. Contents travel as tags where both sides have them as tags,
 * and as bytes otherwise; which way is taken never influences time. Nothing is written to the store
 * unless the whole of a command's data could be read. A host that refuses an access, or bus
 * mastering that is off (PCI Local Bus 3.0, 6.2.2), counts as a DMA error; what follows is the
 * caller's.
 */
#include <stdlib.h>

#include "nvme/internal.h"

#define UNIT_BYTES_LOG2 9u /* a tag stands for 512 bytes */

static bool may_master(struct ctrl *ctrl)
{
    if (configspace_bus_master(&ctrl->config))
        return true;
    ctrl->stats.dma_errors++;
    return false;
}

static void record_dma(struct ctrl *ctrl, unsigned writes, uint64_t bus, uint32_t bytes,
                       uint64_t name)
{
    RECORD_EMIT(ctrl->stream, engine_now(ctrl->engine), ctrl->index, RECORD_DMA, writes, bus, bytes,
                name);
}

int transfer_dma_read(struct ctrl *ctrl, uint64_t bus, void *to, uint32_t bytes, uint64_t name)
{
    int error;

    if (cmb_holds(ctrl, bus))
        return cmb_read(ctrl, bus, to, bytes);
    if (!may_master(ctrl))
        return PCIE_E_ABORT;
    record_dma(ctrl, 0, bus, bytes, name);
    error = pcie_dma_read(ctrl->port, bus, to, bytes);
    if (error != PCIE_OK)
        ctrl->stats.dma_errors++;
    return error;
}

int transfer_dma_write(struct ctrl *ctrl, uint64_t bus, const void *from, uint32_t bytes,
                       uint64_t name)
{
    int error;

    if (cmb_holds(ctrl, bus))
        return cmb_write(ctrl, bus, from, bytes);
    if (!may_master(ctrl))
        return PCIE_E_ABORT;
    record_dma(ctrl, 1, bus, bytes, name);
    error = pcie_dma_write(ctrl->port, bus, from, bytes);
    if (error != PCIE_OK)
        ctrl->stats.dma_errors++;
    return error;
}

static void record_segments(struct ctrl *ctrl, const struct command *cmd, unsigned writes)
{
    if (!stream_wants(ctrl->stream, RECORD_DMA))
        return;
    for (uint32_t i = 0; i < cmd->data.count; i++)
        record_dma(ctrl, writes, cmd->data.list[i].bus, cmd->data.list[i].bytes, command_name(cmd));
}

static void reserve_tags(struct ctrl *ctrl, uint32_t count)
{
    if (count <= ctrl->transfer.tags_capacity)
        return;
    ctrl->transfer.tags = ctrl_grow(ctrl->transfer.tags, count, sizeof *ctrl->transfer.tags);
    ctrl->transfer.tags_capacity = count;
}

static void reserve_bytes(struct ctrl *ctrl, uint32_t bytes)
{
    if (bytes <= ctrl->transfer.bytes_capacity)
        return;
    ctrl->transfer.bytes = ctrl_grow(ctrl->transfer.bytes, bytes, 1);
    ctrl->transfer.bytes_capacity = bytes;
}

/* Are its data whole blocks of a namespace? */
static bool has_blocks(const struct command *cmd)
{
    return cmd->kind == COMMAND_READ || cmd->kind == COMMAND_WRITE || cmd->kind == COMMAND_COMPARE;
}

/* May its contents travel as tags? */
static bool may_have_tags(const struct ctrl *ctrl, const struct command *cmd)
{
    return !cmd->data.mixed && configspace_bus_master(&ctrl->config);
}

uint16_t transfer_in_take(struct ctrl *ctrl, const struct command *cmd, struct transfer_data *data)
{
    uint32_t at = 0;

    if (has_blocks(cmd)) {
        uint32_t units = cmd->bytes >> UNIT_BYTES_LOG2;

        reserve_tags(ctrl, units);
        if (may_have_tags(ctrl, cmd) &&
            pcie_dma_read_tags(ctrl->port, cmd->data.list, cmd->data.count, ctrl->transfer.tags,
                               units)) {
            record_segments(ctrl, cmd, 0);
            *data = (struct transfer_data){.tags = ctrl->transfer.tags};
            return STATUS_SUCCESS;
        }
    }
    reserve_bytes(ctrl, cmd->bytes);
    for (uint32_t i = 0; i < cmd->data.count; i++) {
        const struct pcie_segment *segment = &cmd->data.list[i];

        if (transfer_dma_read(ctrl, segment->bus, ctrl->transfer.bytes + at, segment->bytes,
                              command_name(cmd)) != PCIE_OK)
            return STATUS_DATA_TRANSFER_ERROR;
        at += segment->bytes;
    }
    *data = (struct transfer_data){.bytes = ctrl->transfer.bytes};
    return STATUS_SUCCESS;
}

void transfer_data_arrived(void *ctx, uint64_t arg)
{
    struct ctrl *ctrl = ctx;
    struct command *cmd = command_find(ctrl, arg);

    if (cmd == NULL)
        return;
    if (cmd->kind == COMMAND_ADMIN_OUT)
        admin_data_arrived(ctrl, cmd);
    else
        nvm_data_arrived(ctrl, cmd);
}

/* When the last byte has arrived of data that was given to the link at given_ps, one part behind
 * the other. Parts in the controller memory buffer and discarded ones take no time. */
static uint64_t parts_over_link(struct ctrl *ctrl, const struct command *cmd, uint64_t given_ps)
{
    bool to_host = command_data_to_host(cmd);
    uint64_t arrived_ps = given_ps;

    for (uint32_t i = 0; i < cmd->data.count; i++) {
        const struct pcie_segment *part = &cmd->data.list[i];
        uint64_t part_ps;

        if (part->bus == SEGMENT_DISCARDED || cmb_holds(ctrl, part->bus))
            continue;
        part_ps = to_host ? pcie_up_write(ctrl->port, given_ps, part->bytes)
                          : pcie_up_read(ctrl->port, given_ps, part->bytes);
        arrived_ps = later(arrived_ps, part_ps);
    }
    return arrived_ps;
}

/* When the engine has been set up for another transfer. */
static inline uint64_t set_up(struct ctrl *ctrl, struct dma_engine *engine)
{
    engine->free_ps = later(engine_now(ctrl->engine), engine->free_ps) +
                      clock_cost(&ctrl->clock, ctrl->params.dma_setup);
    return engine->free_ps;
}

void transfer_in_start(struct ctrl *ctrl, struct command *cmd)
{
    struct dma_engine *engine = dma_first(ctrl);
    uint64_t given_ps = set_up(ctrl, engine), arrived_ps;

    record_stage(ctrl, cmd, STAGE_TRANSFER, engine_now(ctrl->engine));
    if (ctrl->transfer.paced) {
        paced_in(ctrl, cmd, given_ps, dma_end(ctrl, engine, given_ps, given_ps, cmd->bytes));
        return;
    }
    if (cmd->data.apart)
        arrived_ps = parts_over_link(ctrl, cmd, given_ps);
    else
        arrived_ps = pcie_up_read(ctrl->port, given_ps, cmd->bytes);
    if (!ctrl->transfer.one_engine)
        arrived_ps = dma_end(ctrl, engine, given_ps, arrived_ps, cmd->bytes);
    engine_at(ctrl->engine, arrived_ps, transfer_data_arrived, ctrl, command_arg(cmd));
}

/* Of several engines, of a limited one, or where transfers take turns on the link. */
static void out_start(struct ctrl *ctrl, struct command *cmd)
{
    struct dma_engine *engine = dma_first(ctrl);
    uint64_t given_ps = set_up(ctrl, engine), arrived_ps = given_ps;

    if (ctrl->transfer.paced && !ctrl->queues.cqs[cmd->cqid].ring.local)
        paced_out(ctrl, cmd, given_ps);
    else if (cmd->data.apart)
        arrived_ps = parts_over_link(ctrl, cmd, given_ps);
    else
        arrived_ps = pcie_up_write(ctrl->port, given_ps, cmd->bytes);
    complete_after_data(ctrl, cmd, given_ps,
                        dma_end(ctrl, engine, given_ps, arrived_ps, cmd->bytes));
}

void transfer_out_start(struct ctrl *ctrl, struct command *cmd)
{
    uint64_t given_ps, arrived_ps;

    cmd->transfer_ps = engine_now(ctrl->engine);
    if (!ctrl->transfer.one_engine) {
        out_start(ctrl, cmd);
        return;
    }
    given_ps = set_up(ctrl, &ctrl->transfer.engines[0]);
    if (cmd->data.apart)
        arrived_ps = parts_over_link(ctrl, cmd, given_ps);
    else
        arrived_ps = pcie_up_write(ctrl->port, given_ps, cmd->bytes);
    complete_after_data(ctrl, cmd, given_ps, arrived_ps);
}

/* The bytes of a read command, or of an admin page that is made now. */
static void make_bytes(struct ctrl *ctrl, const struct command *cmd)
{
    reserve_bytes(ctrl, cmd->bytes);
    if (cmd->kind == COMMAND_READ)
        store_get_bytes(cmd->ns->store, namespace_unit(cmd->ns, cmd->slba), ctrl->transfer.bytes,
                        cmd->bytes >> UNIT_BYTES_LOG2);
    else
        admin_fill(ctrl, cmd, ctrl->transfer.bytes);
}

/* The tags of a read command, from the store to the host: straight into its memory if they lie
 * there in one piece. False if one of the two has the contents as bytes; what tags were moved
 * before that came to light, the bytes take the place of. */
static bool move_tags(struct ctrl *ctrl, const struct command *cmd)
{
    const struct data_segments *data = &cmd->data;
    uint32_t units = cmd->bytes >> UNIT_BYTES_LOG2;
    uint64_t first = namespace_unit(cmd->ns, cmd->slba);
    uint64_t *place = NULL;

    if (data->count == 1)
        place = pcie_dma_place_tags(ctrl->port, data->list[0].bus, cmd->bytes);
    if (place != NULL)
        return store_get_tags(cmd->ns->store, first, place, units);
    reserve_tags(ctrl, units);
    return store_get_tags(cmd->ns->store, first, ctrl->transfer.tags, units) &&
           pcie_dma_write_tags(ctrl->port, data->list, data->count, ctrl->transfer.tags, units);
}

uint16_t transfer_out_move(struct ctrl *ctrl, struct command *cmd)
{
    uint32_t at = 0;

    if (cmd->kind == COMMAND_READ && !fault_corrupts(cmd) && may_have_tags(ctrl, cmd) &&
        move_tags(ctrl, cmd)) {
        record_segments(ctrl, cmd, 1);
        return STATUS_SUCCESS;
    }
    make_bytes(ctrl, cmd);
    if (fault_corrupts(cmd))
        ctrl->transfer.bytes[0] ^= 1;
    for (uint32_t i = 0; i < cmd->data.count; i++) {
        const struct pcie_segment *segment = &cmd->data.list[i];

        if (segment->bus != SEGMENT_DISCARDED &&
            transfer_dma_write(ctrl, segment->bus, ctrl->transfer.bytes + at, segment->bytes,
                               command_name(cmd)) != PCIE_OK)
            return STATUS_DATA_TRANSFER_ERROR;
        at += segment->bytes;
    }
    if (cmd->kind == COMMAND_ADMIN_IN)
        admin_sent(ctrl, cmd);
    return STATUS_SUCCESS;
}

void transfer_free(struct ctrl *ctrl)
{
    free(ctrl->transfer.bytes);
    free(ctrl->transfer.tags);
    free(ctrl->transfer.list);
    dma_free(ctrl);
}
