/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Doorbell Buffer Config and access to its two pages (NVMe 1.4 sections 5.7, 7.13): each read and
 * write is issued by one unit at ctrl.shadow_access, crosses the link, and takes effect in host
 * memory when it arrives there. Writes are posted; a read that is issued behind a write arrives
 * behind it. Entries lie as the doorbell registers do, offset 1000h removed; what does not fit the
 * page has no shadow. A page that cannot be reached ends like queue memory that cannot be: fatal
 * status.
 */
#include <stdlib.h>

#include "nvme/internal.h"

#define ENTRY_BYTES     4u
#define STRIDE_LOG2_MIN 2u
#define ARG_VALUE_BITS  32

static uint64_t offset_of(const struct ctrl *ctrl, uint32_t number)
{
    return (uint64_t)number << (STRIDE_LOG2_MIN + ctrl->params.cap_dstrd);
}

bool shadow_has_place(const struct ctrl *ctrl, uint32_t number)
{
    return offset_of(ctrl, number) + ENTRY_BYTES <= ctrl->page_mask + 1;
}

/* Operand d of RECORD_DMA: the queue, no command. */
static uint64_t name_of(uint32_t number)
{
    return (uint64_t)(number / 2) << 16;
}

static uint64_t issued_ps(struct ctrl *ctrl)
{
    uint64_t at_ps = later(engine_now(ctrl->engine), ctrl->shadow.free_ps) +
                     clock_cost(&ctrl->clock, ctrl->params.shadow_access);

    ctrl->shadow.free_ps = at_ps;
    return at_ps;
}

static uint64_t slot_arg(const struct shadow_slot *slot, uint32_t value)
{
    return (uint64_t)slot->generation << ARG_VALUE_BITS | value;
}
static bool is_current(const struct shadow_slot *slot, uint64_t arg)
{
    return slot->open && slot->generation == arg >> ARG_VALUE_BITS;
}

static int write_entry(struct ctrl *ctrl, uint64_t page, uint32_t number, uint32_t value)
{
    uint8_t bytes[ENTRY_BYTES];

    wire_put32(bytes, value);
    return transfer_dma_write(ctrl, page + offset_of(ctrl, number), bytes, ENTRY_BYTES,
                              name_of(number));
}

static void record_shadow(struct ctrl *ctrl, bool of_eventidx, uint32_t number, uint32_t value)
{
    RECORD_EMIT(ctrl->stream, engine_now(ctrl->engine), ctrl->index, RECORD_SHADOW, of_eventidx,
                number, value, 0);
}

static void eventidx_arrives(void *ctx, uint64_t arg)
{
    struct shadow_slot *slot = ctx;

    if (!is_current(slot, arg))
        return;
    if (write_entry(slot->ctrl, slot->ctrl->shadow.eventidx_at, slot->number, (uint32_t)arg) !=
        PCIE_OK)
        ctrl_fatal(slot->ctrl);
    else
        record_shadow(slot->ctrl, true, slot->number, (uint32_t)arg);
}

static void doorbell_arrives(void *ctx, uint64_t arg)
{
    struct shadow_slot *slot = ctx;

    if (is_current(slot, arg) && write_entry(slot->ctrl, slot->ctrl->shadow.doorbells_at,
                                             slot->number, (uint32_t)arg) != PCIE_OK)
        ctrl_fatal(slot->ctrl);
}

static void post_write(struct shadow_slot *slot, uint32_t value, engine_fn *arrives)
{
    struct ctrl *ctrl = slot->ctrl;

    pcie_up_write_then(ctrl->port, stream_of(STREAM_UNIT, UNIT_SHADOW), issued_ps(ctrl),
                       ENTRY_BYTES, arrives, slot, slot_arg(slot, value));
}

void shadow_write_eventidx(struct shadow_slot *slot, uint32_t value)
{
    slot->ctrl->stats.eventidx_writes++;
    post_write(slot, value, eventidx_arrives);
}

void shadow_write_doorbell(struct shadow_slot *slot, uint32_t value)
{
    post_write(slot, value, doorbell_arrives);
}

static void look_arrives(void *ctx, uint64_t arg)
{
    struct shadow_slot *slot = ctx;
    struct ctrl *ctrl = slot->ctrl;
    uint8_t bytes[ENTRY_BYTES];

    if (!is_current(slot, arg))
        return;
    if (transfer_dma_read(ctrl, ctrl->shadow.doorbells_at + offset_of(ctrl, slot->number), bytes,
                          ENTRY_BYTES, name_of(slot->number)) != PCIE_OK) {
        ctrl_fatal(ctrl);
        return;
    }
    record_shadow(ctrl, false, slot->number, wire_get32(bytes));
    shadow_looked(slot, wire_get32(bytes));
}

void shadow_look(struct shadow_slot *slot)
{
    struct ctrl *ctrl = slot->ctrl;

    ctrl->stats.shadow_reads++;
    pcie_up_read_then(ctrl->port, stream_of(STREAM_UNIT, UNIT_SHADOW), issued_ps(ctrl), ENTRY_BYTES,
                      look_arrives, slot, slot_arg(slot, 0));
}

void shadow_init(struct ctrl *ctrl)
{
    if (!ctrl->params.shadow_doorbells)
        return;
    ctrl->shadow.count = 2 * ((uint32_t)ctrl->params.max_io_queues + 1);
    ctrl->shadow.slots = ctrl_allocate(ctrl->shadow.count, sizeof *ctrl->shadow.slots);
}

bool shadow_exists(const struct ctrl *ctrl)
{
    return ctrl->params.shadow_doorbells;
}

void shadow_free(struct ctrl *ctrl)
{
    free(ctrl->shadow.slots);
}

void shadow_reset(struct ctrl *ctrl)
{
    for (uint32_t i = 0; ctrl->shadow.on && i < ctrl->shadow.count; i++)
        shadow_close(ctrl, (uint16_t)(i / 2), i % 2 != 0);
    ctrl->shadow.on = false;
    ctrl->shadow.free_ps = 0;
}

/* The answer is needed at once, and nobody can look before the command completes behind it. */
static bool probe_entry(struct ctrl *ctrl, uint64_t page, uint32_t number, uint32_t value)
{
    pcie_up_write(ctrl->port, issued_ps(ctrl), ENTRY_BYTES);
    return write_entry(ctrl, page, number, value) == PCIE_OK;
}

/* Can both pages be written? Puts the admin queues' values there. */
static bool probe(struct ctrl *ctrl, uint64_t doorbells_at, uint64_t eventidx_at)
{
    uint16_t tail = ctrl->queues.sqs[0].tail;
    uint16_t head = ctrl->queues.cqs[0].head;

    return probe_entry(ctrl, doorbells_at, 0, tail) && probe_entry(ctrl, doorbells_at, 1, head) &&
           probe_entry(ctrl, eventidx_at, 0, tail) && probe_entry(ctrl, eventidx_at, 1, head);
}

/* Both buffers are one memory page, from its start (5.7). Queues that exist go on with what their
 * registers said. */
uint16_t shadow_configure(struct ctrl *ctrl, struct command *cmd)
{
    if (cmd->prp1 == 0 || cmd->prp2 == 0 || ((cmd->prp1 | cmd->prp2) & ctrl->page_mask) != 0)
        return STATUS_INVALID_FIELD;
    if (!probe(ctrl, cmd->prp1, cmd->prp2))
        return STATUS_DATA_TRANSFER_ERROR;
    shadow_reset(ctrl);
    ctrl->shadow.doorbells_at = cmd->prp1;
    ctrl->shadow.eventidx_at = cmd->prp2;
    ctrl->shadow.on = true;
    for (uint32_t i = 0; i < ctrl->shadow.count; i++) {
        uint16_t qid = (uint16_t)(i / 2);
        bool of_cq = i % 2 != 0;

        if (of_cq ? ctrl->queues.cqs[qid].exists
                  : ctrl->queues.sqs[qid].exists && !ctrl->queues.sqs[qid].deleting)
            shadow_open(ctrl, qid, of_cq);
    }
    return STATUS_SUCCESS;
}
