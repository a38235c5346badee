/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Asynchronous Event Requests (NVMe 1.4 section 5.2) and the error log behind the events that this
 * controller raises: writes to doorbells that do not exist, and doorbell values that cannot be. An
 * event completes the oldest held request; without one it waits, one per type. After an event was
 * reported its type stays quiet until the host has read the log page that the event names.
 */
#include "nvme/internal.h"

#include <string.h>

/* Dword 0 of the completion (5.2.1). */
static uint32_t event_dword(enum wire_event_type type, uint32_t information, uint32_t log_page)
{
    return (uint32_t)type | information << 8 | log_page << 16;
}

static void report(struct ctrl *ctrl, struct command *cmd, unsigned type)
{
    ctrl->async.waiting_types &= (uint8_t) ~(1u << type);
    ctrl->async.masked_types |= (uint8_t)(1u << type);
    cmd->dw0 = ctrl->async.waiting[type];
    complete_command(ctrl, cmd, STATUS_SUCCESS);
}

/* Takes a held request out of the line; the younger ones move up. */
static struct command *take_held(struct ctrl *ctrl, uint32_t position)
{
    struct command *cmd = &ctrl->pool.commands[ctrl->async.held[position]];

    /* It is a working command again, and counts as one, even if that is one too many for now. */
    cmd->credit = CREDIT_ADMIN;
    ctrl->pool.admin_credits--;
    ctrl->async.held_count--;
    memmove(&ctrl->async.held[position], &ctrl->async.held[position + 1],
            (ctrl->async.held_count - position) * sizeof ctrl->async.held[0]);
    return cmd;
}

/* The lowest type that waits and may be reported; EVENT_TYPES if there is none. */
static unsigned reportable(const struct ctrl *ctrl)
{
    unsigned types = ctrl->async.waiting_types & ~(unsigned)ctrl->async.masked_types;
    unsigned type = 0;

    while (type < EVENT_TYPES && (types >> type & 1u) == 0)
        type++;
    return type;
}

static void match(struct ctrl *ctrl)
{
    unsigned type;

    while (ctrl->async.held_count > 0 && (type = reportable(ctrl)) < EVENT_TYPES)
        report(ctrl, take_held(ctrl, 0), type);
}

uint16_t async_request(struct ctrl *ctrl, struct command *cmd)
{
    if (ctrl->async.held_count > ctrl->params.aerl) /* AERL is 0's based */
        return STATUS_ASYNC_LIMIT;
    ctrl->async.held[ctrl->async.held_count++] = cmd->index;
    /* A request that is held must not keep others from being fetched. */
    command_return_credit(ctrl, cmd);
    match(ctrl);
    return COMMAND_GOES_ON;
}

bool async_abort(struct ctrl *ctrl, uint16_t cid)
{
    for (uint32_t i = 0; i < ctrl->async.held_count; i++) {
        if (ctrl->pool.commands[ctrl->async.held[i]].cid != cid)
            continue;
        complete_command(ctrl, take_held(ctrl, i), STATUS_ABORT_REQUESTED);
        return true;
    }
    return false;
}

void async_error(struct ctrl *ctrl, enum wire_event_error error, uint16_t qid)
{
    struct error_entry *entry = &ctrl->error_log.entries[ctrl->error_log.count % ERROR_LOG_ENTRIES];

    ctrl->error_log.count++;
    *entry = (struct error_entry){
        .count = ctrl->error_log.count, .sqid = qid, .status = STATUS_INVALID_FIELD};
    ctrl->async.waiting[EVENT_ERROR] = event_dword(EVENT_ERROR, error, LOG_ERROR);
    ctrl->async.waiting_types |= 1u << EVENT_ERROR;
    match(ctrl);
}

void async_unmask(struct ctrl *ctrl, enum wire_event_type type)
{
    /* Reading the log has answered what waited, too (5.2: the event is cleared). */
    ctrl->async.waiting_types &= (uint8_t) ~(1u << type);
    ctrl->async.masked_types &= (uint8_t) ~(1u << type);
}

void async_reset(struct ctrl *ctrl)
{
    ctrl->async.held_count = 0;
    ctrl->async.waiting_types = 0;
    ctrl->async.masked_types = 0;
}
