/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Data pointers: PRPs (NVMe 1.4 section 4.3). PRP1 may start inside a page, on a dword; PRP2 is
 * unused (whatever it holds), the second page, or a list; a list may start inside a page, on a
 * qword, and the last entry of a list's page points to the next one when more entries are needed.
 * List pages are read one after the other (lists.c). What is read is kept with the command, as
 * segments: a host that changes a list later has no effect. All offsets that must be zero and are
 * not end the command with PRP Offset Invalid; a list that cannot be read, with Data Transfer
 * Error.
 */
#include <stdlib.h>
#include <string.h>

#include "nvme/internal.h"
#include "nvme/wire_cmb.h"

#define PRP_BYTES      8u
#define PRP_DWORD_MASK 3u
#define PRP_LIST_MASK  7u /* a list pointer is qword aligned */

void pointers_init(struct command *cmd)
{
    cmd->data.list = cmd->data.few;
    cmd->data.capacity = SEGMENTS_INLINE;
}

void pointers_free(struct command *cmd)
{
    if (cmd->data.list != cmd->data.few)
        free(cmd->data.list);
    lists_free(cmd);
}

static void reserve_segments(struct command *cmd, uint32_t count)
{
    struct data_segments *data = &cmd->data;
    bool own = data->list != data->few;

    if (count <= data->capacity)
        return;
    data->list = ctrl_grow(own ? data->list : NULL, count, sizeof *data->list);
    if (!own)
        memcpy(data->list, data->few, sizeof data->few);
    data->capacity = count;
}

void pointers_add(struct command *cmd, uint64_t bus, uint32_t bytes)
{
    struct data_segments *data = &cmd->data;

    /* Doubling; with PRPs, whose number is known, it is never needed. */
    if (data->count == data->capacity)
        reserve_segments(cmd, 2 * data->capacity);
    data->list[data->count++] = (struct pcie_segment){bus, bytes};
}

void pointers_known(struct ctrl *ctrl, struct command *cmd)
{
    if (ctrl->cmb.window != 0) {
        uint16_t status = cmb_check_data(ctrl, cmd);

        if (status != STATUS_SUCCESS) {
            complete_command(ctrl, cmd, status);
            return;
        }
    }
    command_data_ready(ctrl, cmd);
}

/* Prepares for the list page that begins at list.at: all of it that is needed. */
static void open_page(struct ctrl *ctrl, struct command *cmd)
{
    struct list_walk *list = &cmd->list;
    uint64_t in_page = ctrl->page_mask + 1 - (list->at & ctrl->page_mask);
    uint64_t needed = (uint64_t)list->entries * PRP_BYTES;
    uint16_t status;

    list->left = (uint32_t)(needed < in_page ? needed : in_page);
    status = cmb_check(ctrl, list->at, list->left, CMBSZ_LISTS);
    if (status == STATUS_SUCCESS)
        lists_request(ctrl, cmd);
    else
        complete_command(ctrl, cmd, status);
}

/* Takes `count` entries; *chained tells whether the last of them has led to another list page. */
static uint16_t take_entries(struct ctrl *ctrl, struct command *cmd, const uint8_t *entry,
                             uint32_t count, bool *chained)
{
    struct list_walk *list = &cmd->list;
    uint64_t page = ctrl->page_mask + 1;

    /* The last entry of a page is a pointer only if it does not end the data (4.3). */
    *chained = list->left == 0 && list->entries > count;
    for (uint32_t i = 0; i < count; i++, entry += PRP_BYTES) {
        uint64_t bus = wire_get64(entry);
        uint32_t bytes = list->data_left < page ? list->data_left : (uint32_t)page;

        /* A chain pointer, too, points to the start of a page. */
        if ((bus & ctrl->page_mask) != 0)
            return STATUS_PRP_OFFSET_INVALID;
        if (*chained && i + 1 == count) {
            list->at = bus;
            return STATUS_SUCCESS;
        }
        pointers_add(cmd, bus, bytes);
        list->data_left -= bytes;
        list->entries--;
    }
    return STATUS_SUCCESS;
}

void pointers_list_arrived(struct ctrl *ctrl, struct command *cmd)
{
    uint32_t count = cmd->list.asked / PRP_BYTES;
    const uint8_t *entries = lists_take(ctrl, cmd);
    bool chained = false;
    uint16_t status = STATUS_DATA_TRANSFER_ERROR;

    if (entries != NULL) {
        ctrl->stats.prp_list_pages += cmd->list.left == 0;
        status = take_entries(ctrl, cmd, entries, count, &chained);
    }
    if (status != STATUS_SUCCESS)
        complete_command(ctrl, cmd, status);
    else if (chained)
        open_page(ctrl, cmd);
    else if (cmd->list.left > 0)
        lists_request(ctrl, cmd);
    else
        pointers_known(ctrl, cmd);
}

static void read_list(struct ctrl *ctrl, struct command *cmd, uint64_t at, uint32_t entries,
                      uint32_t bytes)
{
    cmd->list.at = at;
    cmd->list.entries = entries;
    cmd->list.data_left = bytes;
    reserve_segments(cmd, cmd->data.count + entries);
    lists_open(ctrl, cmd);
    ctrl->stats.prp_lists++;
    record_stage(ctrl, cmd, STAGE_LIST, engine_now(ctrl->engine));
    open_page(ctrl, cmd);
}

void pointers_read_queue_pages(struct ctrl *ctrl, struct command *cmd, uint32_t pages)
{
    read_list(ctrl, cmd, cmd->prp1, pages, 0);
}

/* The data does not fit the page of PRP1. */
static uint16_t start_longer(struct ctrl *ctrl, struct command *cmd, uint32_t in_first)
{
    uint64_t page = ctrl->page_mask + 1;
    uint32_t rest = cmd->bytes - in_first;

    cmd->data.list[0] = (struct pcie_segment){cmd->prp1, in_first};
    cmd->data.count = 1;
    if (rest <= page) {
        if ((cmd->prp2 & ctrl->page_mask) != 0)
            return STATUS_PRP_OFFSET_INVALID;
        cmd->data.list[1] = (struct pcie_segment){cmd->prp2, rest};
        cmd->data.count = 2;
        pointers_known(ctrl, cmd);
        return COMMAND_GOES_ON;
    }
    if ((cmd->prp2 & PRP_LIST_MASK) != 0)
        return STATUS_PRP_OFFSET_INVALID;
    read_list(ctrl, cmd, cmd->prp2, (uint32_t)((rest + page - 1) >> ctrl->page_log2), rest);
    return COMMAND_GOES_ON;
}

void pointers_start(struct ctrl *ctrl, struct command *cmd)
{
    uint64_t in_first = ctrl->page_mask + 1 - (cmd->prp1 & ctrl->page_mask);
    uint16_t status = STATUS_PRP_OFFSET_INVALID;

    if ((cmd->flags & SQE_PSDT_MASK) != 0) {
        sgl_start(ctrl, cmd);
        return;
    }
    if ((cmd->prp1 & PRP_DWORD_MASK) == 0) {
        if (cmd->bytes <= in_first) {
            cmd->data.list[0] = (struct pcie_segment){cmd->prp1, cmd->bytes};
            cmd->data.count = 1;
            pointers_known(ctrl, cmd);
            return;
        }
        status = start_longer(ctrl, cmd, (uint32_t)in_first);
    }
    if (status != COMMAND_GOES_ON)
        complete_command(ctrl, cmd, status);
}
