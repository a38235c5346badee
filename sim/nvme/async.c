/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Asynchronous Event Requests (NVMe 1.4 section 5.2): errors, critical warnings and notices. An
 * event completes the oldest held request; without one it waits, once for each thing it can say.
 * After an event was reported its type stays quiet until the host has read the log page that the
 * event names, without Retain Asynchronous Event; events that came up meanwhile and name the same
 * page are answered by that reading as well (5.2: the event is cleared). Events that the host has
 * not enabled (5.21.1.11) never exist; error events cannot be disabled.
 */
#include "nvme/internal.h"

#include <string.h>

/* Dword 0 of the completion (5.2.1). */
static uint32_t event_dword(unsigned type, unsigned information, uint8_t log)
{
    return type | information << 8 | (uint32_t)log << 16;
}

static unsigned lowest_bit(uint8_t bits)
{
    unsigned bit = 0;

    while ((bits >> bit & 1u) == 0)
        bit++;
    return bit;
}

static void report(struct ctrl *ctrl, struct command *cmd, unsigned type)
{
    struct async *async = &ctrl->async;
    unsigned information = lowest_bit(async->waiting[type]);
    uint8_t log = async->log[type][information];

    async->waiting[type] &= (uint8_t) ~(1u << information);
    async->masked_log[type] = log;
    cmd->dw0 = event_dword(type, information, log);
    complete_command(ctrl, cmd, STATUS_SUCCESS);
}

/* Takes a held request out of the line; the younger ones move up. */
static struct command *take_held(struct ctrl *ctrl, uint32_t position)
{
    struct command *cmd = &ctrl->pool.commands[ctrl->async.held[position]];

    /* It is a working command again, and counts as one, even if that is one too many for now. */
    command_take_credit(ctrl, cmd, CREDIT_ADMIN);
    ctrl->async.held_count--;
    memmove(&ctrl->async.held[position], &ctrl->async.held[position + 1],
            (ctrl->async.held_count - position) * sizeof ctrl->async.held[0]);
    return cmd;
}

/* The lowest type that waits and may be reported; EVENT_TYPES if there is none. */
static unsigned reportable(const struct ctrl *ctrl)
{
    unsigned type = 0;

    while (type < EVENT_TYPES &&
           (ctrl->async.waiting[type] == 0 || ctrl->async.masked_log[type] != 0))
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

static void raise(struct ctrl *ctrl, unsigned type, unsigned information, uint8_t log)
{
    ctrl->async.waiting[type] |= (uint8_t)(1u << information);
    ctrl->async.log[type][information] = log;
    match(ctrl);
}

void async_error(struct ctrl *ctrl, enum wire_event_error error, uint16_t qid)
{
    errorlog_event(ctrl, qid, STATUS_INVALID_FIELD);
    raise(ctrl, EVENT_ERROR, error, LOG_ERROR);
}

static const struct {
    uint8_t warnings;
    uint8_t information;
} smart_events[] = {
    {WARNING_RELIABILITY | WARNING_READ_ONLY | WARNING_BACKUP, EVENT_SMART_RELIABILITY},
    {WARNING_TEMPERATURE, EVENT_SMART_TEMPERATURE},
    {WARNING_SPARE, EVENT_SMART_SPARE},
};

void async_smart(struct ctrl *ctrl, uint8_t warnings)
{
    uint8_t enabled = (uint8_t)features_dword(ctrl, ROW_ASYNC_EVENT, 0);

    if (!ctrl_is_running(ctrl))
        return; /* the log still says so when the host comes */
    for (size_t i = 0; i < sizeof smart_events / sizeof smart_events[0]; i++) {
        if ((smart_events[i].warnings & warnings & enabled) != 0)
            raise(ctrl, EVENT_SMART, smart_events[i].information, LOG_SMART);
    }
}

void async_notice(struct ctrl *ctrl, enum wire_event_notice notice, uint8_t log)
{
    uint32_t bit = UINT32_C(1) << (ASYNC_NOTICE_SHIFT + (unsigned)notice);

    if ((features_dword(ctrl, ROW_ASYNC_EVENT, 0) & bit) != 0 && ctrl_is_running(ctrl))
        raise(ctrl, EVENT_NOTICE, (unsigned)notice, log);
}

void async_log_read(struct ctrl *ctrl, uint8_t log)
{
    struct async *async = &ctrl->async;

    for (unsigned type = 0; type < EVENT_TYPES; type++) {
        for (unsigned i = 0; i < EVENT_INFORMATION; i++) {
            if (async->log[type][i] == log)
                async->waiting[type] &= (uint8_t) ~(1u << i);
        }
        if (async->masked_log[type] == log)
            async->masked_log[type] = 0;
    }
    match(ctrl); /* what waited behind the mask for another page */
}

void async_reset(struct ctrl *ctrl)
{
    memset(&ctrl->async, 0, sizeof ctrl->async);
}

uint32_t async_oaes_bits(const struct ctrl *ctrl)
{
    uint32_t notices = 0;

    if (nsmgmt_notices(ctrl))
        notices |= 1u << EVENT_NOTICE_NAMESPACE_CHANGED;
    if (firmware_is_updatable(ctrl))
        notices |= 1u << EVENT_NOTICE_FIRMWARE_ACTIVATION;
    return notices << ASYNC_NOTICE_SHIFT;
}
