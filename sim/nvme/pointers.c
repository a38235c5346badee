/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Data pointers (NVMe 1.4 section 4.3). PRP1 may start inside a page, on a dword; PRP2 is unused,
 * the second page, or a list; a list may start inside a page, on a qword, and the last entry of a
 * list's page points to the next one when more entries are needed. List pages are read one after
 * the other, each by one DMA read of exactly the entries that are needed. What is read is kept with
 * the command: a host that changes a list later has no effect. All offsets that must be zero and
 * are not end the command with PRP Offset Invalid; a list that cannot be read, with Data Transfer
 * Error.
 */
#include "nvme/internal.h"

#define PRP_BYTES      8u
#define PRP_DWORD_MASK 3u
#define PRP_LIST_MASK  7u /* a list pointer is qword aligned */

static void reserve_pages(struct command *cmd, uint32_t count)
{
    if (count <= cmd->pages_capacity)
        return;
    cmd->pages = ctrl_grow(cmd->pages, count, sizeof *cmd->pages);
    cmd->pages_capacity = count;
}

static void request_list_page(struct ctrl *ctrl, struct command *cmd);

/* Takes the entries of one list page; *more tells whether a chain pointer leads on. */
static uint16_t take_list_page(struct ctrl *ctrl, struct command *cmd, bool *more)
{
    uint32_t left = cmd->pages_needed - cmd->pages_known;
    uint32_t entries = cmd->list_entries;
    uint64_t *to = cmd->pages + cmd->pages_known;
    uint32_t data = left;

    if (transfer_dma_read(ctrl, cmd->list_at, to, entries * PRP_BYTES, command_name(cmd)) !=
        PCIE_OK)
        return STATUS_DATA_TRANSFER_ERROR;
    ctrl->stats.prp_list_pages++;
    *more = left > entries;
    if (*more)
        data = entries - 1;
    for (uint32_t i = 0; i < entries; i++) {
        to[i] = wire_get64((const uint8_t *)(to + i));
        /* A chain pointer, too, points to the start of a page. */
        if ((to[i] & ctrl->page_mask) != 0)
            return STATUS_PRP_OFFSET_INVALID;
    }
    cmd->pages_known += data;
    if (*more)
        cmd->list_at = to[data];
    return STATUS_SUCCESS;
}

static void list_arrived(void *ctx, uint64_t arg)
{
    struct ctrl *ctrl = ctx;
    struct command *cmd = command_find(ctrl, arg);
    bool more = false;
    uint16_t status;

    if (cmd == NULL)
        return;
    cmd->abortable = false;
    status = take_list_page(ctrl, cmd, &more);
    if (status != STATUS_SUCCESS)
        complete_command(ctrl, cmd, status);
    else if (more)
        request_list_page(ctrl, cmd);
    else
        command_data_ready(ctrl, cmd);
}

static void request_list_page(struct ctrl *ctrl, struct command *cmd)
{
    uint64_t page = ctrl->page_mask + 1;
    uint64_t in_page = (page - (cmd->list_at & ctrl->page_mask)) / PRP_BYTES;
    uint32_t left = cmd->pages_needed - cmd->pages_known;
    uint64_t issued_ps =
        engine_now(ctrl->engine) + clock_cost(&ctrl->clock, ctrl->params.list_setup);

    cmd->list_entries = left < in_page ? left : (uint32_t)in_page;
    /* Queue memory is not given up by an Abort: the queue would be half made. */
    cmd->abortable = cmd->kind != COMMAND_QUEUE_PAGES;
    pcie_up_read_then(ctrl->port, cmd->sqid, issued_ps, cmd->list_entries * PRP_BYTES, list_arrived,
                      ctrl, command_arg(cmd));
}

static void read_list(struct ctrl *ctrl, struct command *cmd, uint64_t at, uint32_t needed)
{
    cmd->list_at = at;
    cmd->pages_known = 0;
    cmd->pages_needed = needed;
    reserve_pages(cmd, needed + 1); /* room for a chain pointer */
    ctrl->stats.prp_lists++;
    record_stage(ctrl, cmd, STAGE_LIST, engine_now(ctrl->engine));
    request_list_page(ctrl, cmd);
}

void pointers_read_queue_pages(struct ctrl *ctrl, struct command *cmd)
{
    read_list(ctrl, cmd, cmd->prp1, cmd->pages_needed);
}

void pointers_start(struct ctrl *ctrl, struct command *cmd)
{
    uint64_t page = ctrl->page_mask + 1;
    uint64_t first = page - (cmd->prp1 & ctrl->page_mask);
    uint64_t needed = cmd->bytes <= first ? 0 : (cmd->bytes - first + page - 1) / page;
    uint64_t offset_bits = 0;

    if (needed == 1)
        offset_bits = cmd->prp2 & ctrl->page_mask;
    else if (needed > 1)
        offset_bits = cmd->prp2 & PRP_LIST_MASK;
    if ((cmd->prp1 & PRP_DWORD_MASK) != 0 || offset_bits != 0) {
        complete_command(ctrl, cmd, STATUS_PRP_OFFSET_INVALID);
        return;
    }
    if (needed > 1) {
        read_list(ctrl, cmd, cmd->prp2, (uint32_t)needed);
        return;
    }
    if (needed == 1) {
        reserve_pages(cmd, 1);
        cmd->pages[0] = cmd->prp2;
    }
    cmd->pages_known = cmd->pages_needed = (uint32_t)needed;
    command_data_ready(ctrl, cmd);
}

uint32_t pointers_segments(struct ctrl *ctrl, const struct command *cmd)
{
    uint64_t page = ctrl->page_mask + 1;
    uint64_t first = page - (cmd->prp1 & ctrl->page_mask);
    uint32_t count = cmd->pages_known + 1;
    uint32_t left = cmd->bytes;

    if (count > ctrl->transfer.segments_capacity) {
        ctrl->transfer.segments =
            ctrl_grow(ctrl->transfer.segments, count, sizeof *ctrl->transfer.segments);
        ctrl->transfer.segments_capacity = count;
    }
    ctrl->transfer.segments[0].bus = cmd->prp1;
    ctrl->transfer.segments[0].bytes = left < first ? left : (uint32_t)first;
    left -= ctrl->transfer.segments[0].bytes;
    for (uint32_t i = 1; i < count; i++) {
        ctrl->transfer.segments[i].bus = cmd->pages[i - 1];
        ctrl->transfer.segments[i].bytes = left < page ? left : (uint32_t)page;
        left -= ctrl->transfer.segments[i].bytes;
    }
    return count;
}
