/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading lists of pointers: PRP lists (NVMe 1.4 section 4.3) and SGL segments (4.4). One read
 * brings what is needed of one memory page, or, with ctrl.list_fetch_bytes, one whole aligned line,
 * as a memory controller would. A command has as many lines as ctrl.list_cache_entries: so many are
 * asked for one behind the other, and so many are kept, oldest out first. A line that is still
 * there is not read again. Lines belong to one command and end with it, because the host may write
 * its next list to the same place. Each read costs ctrl.list_setup before it is on its way.
 */
#include <stdlib.h>
#include <string.h>

#include "nvme/internal.h"

static uint32_t line_bytes(const struct ctrl *ctrl)
{
    return (uint32_t)ctrl->params.list_fetch_bytes;
}

static uint64_t line_of(const struct ctrl *ctrl, uint64_t bus)
{
    return bus & ~(uint64_t)(line_bytes(ctrl) - 1);
}

/* How many lines the bytes that are asked for touch. Loops count them, since the end of the last
 * one may be the end of the address space. */
static uint32_t lines_asked(const struct ctrl *ctrl, const struct list_walk *list)
{
    uint64_t in_first = list->at - line_of(ctrl, list->at);

    return (uint32_t)((in_first + list->asked + line_bytes(ctrl) - 1) / line_bytes(ctrl));
}

static void reserve_scratch(struct ctrl *ctrl, uint32_t bytes)
{
    if (bytes <= ctrl->transfer.list_capacity)
        return;
    ctrl->transfer.list = ctrl_grow(ctrl->transfer.list, bytes, 1);
    ctrl->transfer.list_capacity = bytes;
}

void lists_open(struct ctrl *ctrl, struct command *cmd)
{
    struct list_cache *cache = &cmd->list.cache;

    cache->used = cache->next = 0;
    if (line_bytes(ctrl) == 0 || cache->lines != NULL)
        return;
    cache->lines = ctrl_allocate(ctrl->params.list_cache_entries, sizeof *cache->lines);
    cache->bytes = ctrl_allocate(ctrl->params.list_cache_entries, line_bytes(ctrl));
}

void lists_free(struct command *cmd)
{
    free(cmd->list.cache.lines);
    free(cmd->list.cache.bytes);
}

/* The place of a line in the cache, or list_cache_entries. */
static uint32_t find_line(const struct ctrl *ctrl, const struct list_cache *cache, uint64_t line)
{
    for (uint32_t i = 0; i < cache->used; i++) {
        if (cache->lines[i] == line)
            return i;
    }
    return (uint32_t)ctrl->params.list_cache_entries;
}

static bool is_held(const struct ctrl *ctrl, const struct list_cache *cache, uint64_t line)
{
    return find_line(ctrl, cache, line) < cache->used;
}

static void list_arrived(void *ctx, uint64_t arg)
{
    struct ctrl *ctrl = ctx;
    struct command *cmd = command_find(ctrl, arg);

    if (cmd == NULL)
        return;
    cmd->abortable = false;
    if ((cmd->flags & SQE_PSDT_MASK) != 0)
        sgl_list_arrived(ctrl, cmd);
    else
        pointers_list_arrived(ctrl, cmd);
}

static void line_arrived(void *ctx, uint64_t arg)
{
    struct ctrl *ctrl = ctx;
    struct command *cmd = command_find(ctrl, arg);

    if (cmd != NULL && --cmd->on_way == 0)
        list_arrived(ctrl, arg);
}

/* One line. Lines go out one behind the other; the last answer is what is waited for. */
static void request_line(struct ctrl *ctrl, struct command *cmd, uint64_t bus, uint64_t *issued_ps)
{
    ctrl->stats.list_reads++;
    *issued_ps += clock_cost(&ctrl->clock, ctrl->params.list_setup);
    cmd->on_way++;
    if (cmb_holds(ctrl, bus))
        engine_at(ctrl->engine, *issued_ps, line_arrived, ctrl, command_arg(cmd));
    else
        pcie_up_read_then(ctrl->port, stream_of(STREAM_LIST, cmd->sqid), *issued_ps,
                          line_bytes(ctrl), line_arrived, ctrl, command_arg(cmd));
}

/* Asks for the lines of the next bytes that are not held. */
static void request_lines(struct ctrl *ctrl, struct command *cmd)
{
    struct list_walk *list = &cmd->list;
    uint64_t issued_ps = engine_now(ctrl->engine);
    uint64_t window = ctrl->params.list_cache_entries * line_bytes(ctrl);
    uint64_t reach = window - (list->at - line_of(ctrl, list->at));
    uint64_t line = line_of(ctrl, list->at);

    cmd->on_way = 0;
    list->asked = list->left < reach ? list->left : (uint32_t)reach;
    for (uint32_t left = lines_asked(ctrl, list); left > 0; left--, line += line_bytes(ctrl)) {
        if (!is_held(ctrl, &list->cache, line))
            request_line(ctrl, cmd, line, &issued_ps);
    }
    if (cmd->on_way == 0)
        engine_at(ctrl->engine, issued_ps, list_arrived, ctrl, command_arg(cmd));
}

/* What is needed of this memory page, in one read. */
static void request_rest(struct ctrl *ctrl, struct command *cmd)
{
    struct list_walk *list = &cmd->list;
    uint64_t in_page = ctrl->page_mask + 1 - (list->at & ctrl->page_mask);
    uint64_t issued_ps =
        engine_now(ctrl->engine) + clock_cost(&ctrl->clock, ctrl->params.list_setup);

    ctrl->stats.list_reads++;
    list->asked = list->left < in_page ? list->left : (uint32_t)in_page;
    if (cmb_holds(ctrl, list->at))
        engine_at(ctrl->engine, issued_ps, list_arrived, ctrl, command_arg(cmd));
    else
        pcie_up_read_then(ctrl->port, stream_of(STREAM_LIST, cmd->sqid), issued_ps, list->asked,
                          list_arrived, ctrl, command_arg(cmd));
}

void lists_request(struct ctrl *ctrl, struct command *cmd)
{
    /* Queue memory is not given up by an Abort: the queue would be half made. */
    cmd->abortable = cmd->kind != COMMAND_QUEUE_PAGES;
    if (line_bytes(ctrl) == 0)
        request_rest(ctrl, cmd);
    else
        request_lines(ctrl, cmd);
}

/* Where a line goes: a free place, or the oldest that is not among the `count` lines from `first`
 * on, which are about to be used. There is one, since no more lines are asked for than there are
 * places. */
static uint32_t place_for(const struct ctrl *ctrl, struct list_cache *cache, uint64_t first,
                          uint32_t count)
{
    uint32_t place;

    if (cache->used < ctrl->params.list_cache_entries)
        return cache->used++;
    do {
        place = cache->next;
        cache->next = (place + 1) % cache->used;
    } while (cache->lines[place] - first < (uint64_t)count * line_bytes(ctrl));
    return place;
}

static int fill_line(struct ctrl *ctrl, struct command *cmd, uint32_t place, uint64_t line)
{
    struct list_cache *cache = &cmd->list.cache;
    int error = transfer_dma_read(ctrl, line, cache->bytes + (size_t)place * line_bytes(ctrl),
                                  line_bytes(ctrl), command_name(cmd));

    cache->lines[place] = line;
    return error;
}

/* Brings what was asked for together in the scratch, line by line. */
static int take_lines(struct ctrl *ctrl, struct command *cmd)
{
    struct list_walk *list = &cmd->list;
    uint64_t first = line_of(ctrl, list->at);
    uint32_t count = lines_asked(ctrl, list), done = 0;

    for (uint32_t i = 0; i < count; i++) {
        uint64_t line = first + (uint64_t)i * line_bytes(ctrl);
        uint32_t place = find_line(ctrl, &list->cache, line);
        uint32_t from = (uint32_t)(list->at + done - line);
        uint32_t bytes = line_bytes(ctrl) - from;

        if (place >= list->cache.used) {
            place = place_for(ctrl, &list->cache, first, count);
            if (fill_line(ctrl, cmd, place, line) != PCIE_OK)
                return PCIE_E_ABORT;
        }
        if (bytes > list->asked - done)
            bytes = list->asked - done;
        memcpy(ctrl->transfer.list + done,
               list->cache.bytes + (size_t)place * line_bytes(ctrl) + from, bytes);
        done += bytes;
    }
    return PCIE_OK;
}

const uint8_t *lists_take(struct ctrl *ctrl, struct command *cmd)
{
    struct list_walk *list = &cmd->list;
    int error;

    reserve_scratch(ctrl, list->asked);
    if (line_bytes(ctrl) != 0)
        error = take_lines(ctrl, cmd);
    else
        error =
            transfer_dma_read(ctrl, list->at, ctrl->transfer.list, list->asked, command_name(cmd));
    if (error != PCIE_OK)
        return NULL;
    list->at += list->asked;
    list->left -= list->asked;
    return ctrl->transfer.list;
}
