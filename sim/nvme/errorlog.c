/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The Error Information log (NVMe 1.4 section 5.14.1.1): the last errors, newest first. Every
 * command that ends with an error has an entry and its completion says so (More, 4.6.1), except
 * those that end early because the host wanted it: they are no errors of anybody. The log and the
 * count of errors outlive resets.
 */
#include "nvme/internal.h"

/* Error Information entry (figure 197). */
enum {
    ERROR_COUNT = 0,
    ERROR_SQID = 8,
    ERROR_CID = 10,
    ERROR_STATUS = 12,
    ERROR_LOCATION = 14,
    ERROR_LBA = 16,
    ERROR_NSID = 24
};

/* The byte of the submission entry that a status is about, where there is only one candidate. */
static const struct {
    uint16_t status, location;
} locations[] = {
    {STATUS_INVALID_OPCODE, SQE_OPCODE},
    {STATUS_INVALID_NAMESPACE, SQE_NSID},
    {STATUS_LBA_OUT_OF_RANGE, SQE_CDW10},
    {STATUS_LOG_PAGE_INVALID, SQE_CDW10},
    {STATUS_FEATURE_NOT_NAMESPACE_SPECIFIC, SQE_NSID},
    {STATUS_FEATURE_NOT_SAVEABLE, SQE_CDW10 + 3 + (7u << 8)}, /* SV is bit 31 */
    {STATUS_QID_INVALID, SQE_CDW10},
};

static uint16_t location_of(uint16_t status)
{
    for (size_t i = 0; i < sizeof locations / sizeof locations[0]; i++) {
        if (locations[i].status == status)
            return locations[i].location;
    }
    return ERROR_NO_COMMAND;
}

static void add(struct ctrl *ctrl, struct error_entry entry)
{
    struct error_log *log = &ctrl->error_log;

    entry.count = ++log->count;
    log->entries[(log->count - 1) % ERROR_LOG_ENTRIES] = entry;
}

static bool is_wanted(uint16_t code)
{
    return code == STATUS_ABORT_REQUESTED || code == STATUS_ABORTED_SQ_DELETION;
}

uint16_t errorlog_command(struct ctrl *ctrl, const struct command *cmd, uint16_t status)
{
    uint16_t code = status & (STATUS_MORE - 1) & ~(3u << STATUS_CRD_SHIFT);

    if (is_wanted(code))
        return status;
    if (code >> 8 == STATUS_TYPE_MEDIA && code != STATUS_COMPARE_FAILURE)
        ctrl->health.media_errors++;
    status |= STATUS_MORE;
    add(ctrl, (struct error_entry){.sqid = cmd->sqid,
                                   .cid = cmd->cid,
                                   .status = status,
                                   .location = location_of(code),
                                   .lba = cmd->sqid == 0 ? 0 : cmd->slba,
                                   .nsid = cmd->nsid});
    return status;
}

void errorlog_event(struct ctrl *ctrl, uint16_t qid, uint16_t status)
{
    add(ctrl,
        (struct error_entry){
            .sqid = qid, .cid = ERROR_NO_COMMAND, .status = status, .location = ERROR_NO_COMMAND});
}

void errorlog_fill(const struct ctrl *ctrl, uint8_t *page)
{
    const struct error_log *log = &ctrl->error_log;

    for (uint64_t i = 0; i < ERROR_LOG_ENTRIES && i < log->count; i++) {
        const struct error_entry *entry = &log->entries[(log->count - 1 - i) % ERROR_LOG_ENTRIES];
        uint8_t *at = page + i * ERROR_ENTRY_BYTES;

        wire_put64(at + ERROR_COUNT, entry->count);
        wire_put16(at + ERROR_SQID, entry->sqid);
        wire_put16(at + ERROR_CID, entry->cid);
        wire_put16(at + ERROR_STATUS, (uint16_t)(entry->status << 1)); /* bit 0: phase tag */
        wire_put16(at + ERROR_LOCATION, entry->location);
        wire_put64(at + ERROR_LBA, entry->lba);
        wire_put32(at + ERROR_NSID, entry->nsid);
    }
}
