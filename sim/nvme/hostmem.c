/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Host Memory Buffer (NVMe 1.4 sections 5.21.1.13 and 8.9): host memory lent to the controller. The
 * list of extents is read from host memory, at the time of a DMA read of its length, before the
 * command completes. What the standard leaves to the controller: an extent of no pages is skipped;
 * extents that are not aligned to the memory page, or that are not as large as HSIZE together, end
 * the command with Invalid Field; a list that cannot be read, with Data Transfer Error. Memory that
 * the host returns (MR) is taken like any other: nothing is kept in it over a reset. The
 * medium is told how much there is (media_set_host_buffer()), and that there is none from the
 * moment on at which the feature is disabled or the controller is reset.
 */
#include <stdlib.h>

#include "nvme/feature_hooks.h"
#include "nvme/internal.h"

#define EHM UINT32_C(1) /* dword 11: enable */

/* Host Memory Buffer Attributes (figure 292). */
enum { ATTRIBUTES_PAGES = 0, ATTRIBUTES_LIST = 4, ATTRIBUTES_ENTRIES = 12 };

/* Descriptor (figure 290). */
enum { EXTENT_ADDRESS = 0, EXTENT_PAGES = 8, EXTENT_BYTES = 16 };
#define LIST_MASK (UINT64_C(16) - 1)

/* Dwords 12 to 15 of the command. */
enum { CDW_PAGES = 2, CDW_LIST_LOW = 3, CDW_LIST_HIGH = 4, CDW_ENTRIES = 5 };

bool host_memory_exists(const struct ctrl *ctrl)
{
    return ctrl->params.hmb_preferred > 0;
}

uint32_t host_memory_current(const struct ctrl *ctrl, uint32_t slot, uint8_t *data)
{
    const struct host_memory *memory = &ctrl->features.host_memory;

    (void)slot;
    if (data != NULL) {
        wire_put32(data + ATTRIBUTES_PAGES, memory->pages);
        wire_put64(data + ATTRIBUTES_LIST, memory->list_at);
        wire_put32(data + ATTRIBUTES_ENTRIES, memory->list_entries);
    }
    return memory->enabled ? EHM : 0;
}

static uint64_t list_address(const struct command *cmd)
{
    return cmd->cdw[CDW_LIST_LOW] | (uint64_t)cmd->cdw[CDW_LIST_HIGH] << 32;
}

uint16_t host_memory_check(const struct ctrl *ctrl, const struct command *cmd, uint32_t slot,
                           uint32_t *dword, const uint8_t *data)
{
    uint64_t bytes = (uint64_t)cmd->cdw[CDW_PAGES] << ctrl->page_log2;

    (void)slot;
    (void)data;
    if ((*dword & EHM) == 0)
        return STATUS_SUCCESS;
    if (ctrl->features.host_memory.enabled || ctrl->features.host_memory.loading)
        return STATUS_COMMAND_SEQUENCE; /* 5.21.1.13: it has to be disabled first */
    if (cmd->cdw[CDW_PAGES] == 0 || bytes < ctrl->params.hmb_min ||
        (list_address(cmd) & LIST_MASK) != 0 || cmd->cdw[CDW_ENTRIES] == 0 ||
        cmd->cdw[CDW_ENTRIES] > ctrl->params.hmb_descriptors)
        return STATUS_INVALID_FIELD;
    return STATUS_SUCCESS;
}

void host_memory_apply(struct ctrl *ctrl)
{
    media_set_host_buffer(ctrl->media, 0);
    free(ctrl->features.host_memory.extents);
    ctrl->features.host_memory = (struct host_memory){.enabled = false};
}

static uint16_t take_list(struct ctrl *ctrl, const struct command *cmd, const uint8_t *list)
{
    struct host_memory *memory = &ctrl->features.host_memory;
    uint64_t pages = 0;

    for (uint32_t i = 0; i < memory->list_entries; i++) {
        const uint8_t *entry = list + (size_t)i * EXTENT_BYTES;
        uint64_t bus = wire_get64(entry + EXTENT_ADDRESS);
        uint32_t count = wire_get32(entry + EXTENT_PAGES);

        if (count == 0)
            continue;
        if ((bus & ctrl->page_mask) != 0)
            return STATUS_INVALID_FIELD;
        memory->extents[memory->extent_count++] =
            (struct host_memory_extent){bus, (uint64_t)count << ctrl->page_log2};
        pages += count;
    }
    return pages < cmd->cdw[CDW_PAGES] ? STATUS_INVALID_FIELD : STATUS_SUCCESS;
}

static void list_arrived(void *ctx, uint64_t arg)
{
    struct ctrl *ctrl = ctx;
    struct command *cmd = command_find(ctrl, arg);
    struct host_memory *memory = &ctrl->features.host_memory;
    uint32_t bytes = memory->list_entries * EXTENT_BYTES;
    uint16_t status = STATUS_DATA_TRANSFER_ERROR;
    uint8_t *list;

    if (cmd == NULL)
        return; /* dropped by a reset, which has forgotten the buffer */
    list = ctrl_allocate(bytes, 1);
    if (transfer_dma_read(ctrl, memory->list_at, list, bytes, command_name(cmd)) == PCIE_OK)
        status = take_list(ctrl, cmd, list);
    free(list);
    if (status == STATUS_SUCCESS) {
        memory->loading = false;
        memory->enabled = true;
        media_set_host_buffer(ctrl->media, (uint64_t)memory->pages << ctrl->page_log2);
    } else {
        host_memory_apply(ctrl);
    }
    complete_command(ctrl, cmd, status);
}

uint16_t host_memory_then(struct ctrl *ctrl, struct command *cmd)
{
    struct host_memory *memory = &ctrl->features.host_memory;
    uint64_t issued_ps;

    if ((cmd->cdw[1] & EHM) == 0) {
        if (memory->loading) /* the list of an enable is on its way: order is the host's business */
            return STATUS_COMMAND_SEQUENCE;
        host_memory_apply(ctrl);
        return STATUS_SUCCESS;
    }
    host_memory_apply(ctrl);
    *memory = (struct host_memory){
        .loading = true,
        .pages = cmd->cdw[CDW_PAGES],
        .list_entries = cmd->cdw[CDW_ENTRIES],
        .list_at = list_address(cmd),
        .extents = ctrl_allocate(cmd->cdw[CDW_ENTRIES], sizeof *memory->extents),
    };
    issued_ps = engine_now(ctrl->engine) + clock_cost(&ctrl->clock, ctrl->params.list_setup);
    pcie_up_read_then(ctrl->port, stream_of(STREAM_LIST, cmd->sqid), issued_ps,
                      memory->list_entries * EXTENT_BYTES, list_arrived, ctrl, command_arg(cmd));
    return COMMAND_GOES_ON;
}
