/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Get Log Page (NVMe 1.4 section 5.14): Error Information, SMART / Health, Firmware Slot. The first
 * is what asynchronous error events point to, and reading it lets the next one through. Beyond the
 * end of a page nothing is transferred (the standard leaves that undefined).
 */
#include <string.h>

#include "nvme/internal.h"

#define RETAIN_EVENT(cdw10) (((cdw10) >> 15 & 1u) != 0)

/* Error Information entry (figure 197). */
enum { ERROR_COUNT = 0, ERROR_SQID = 8, ERROR_CID = 10, ERROR_STATUS = 12, ERROR_LOCATION = 14 };
#define ERROR_ENTRY_BYTES 64u
#define ERROR_NO_COMMAND  0xffffu

/* SMART / Health (figure 198). */
enum {
    SMART_TEMPERATURE = 1,
    SMART_SPARE = 3,
    SMART_SPARE_THRESHOLD = 4,
    SMART_UNITS_READ = 32,
    SMART_UNITS_WRITTEN = 48,
    SMART_READS = 64,
    SMART_WRITES = 80,
    SMART_ERROR_ENTRIES = 176
};
#define SMART_BYTES           512u
#define SMART_DATA_UNIT_BYTES UINT64_C(512000) /* a thousand units of 512 bytes, rounded up */
#define AMBIENT_KELVIN        313u
#define SPARE_PERCENT         100u
#define SPARE_LOW_PERCENT     10u

/* Firmware Slot (figure 199). */
enum { FIRMWARE_ACTIVE = 0, FIRMWARE_SLOT1 = 8 };
#define FIRMWARE_BYTES    512u
#define FIRMWARE_REVISION 8u

static uint32_t page_bytes(uint8_t page)
{
    switch (page) {
    case LOG_ERROR:
        return ERROR_LOG_ENTRIES * ERROR_ENTRY_BYTES;
    case LOG_SMART:
        return SMART_BYTES;
    case LOG_FIRMWARE:
        return FIRMWARE_BYTES;
    default:
        return 0;
    }
}

static uint64_t log_offset(const struct command *cmd)
{
    return cmd->cdw[2] | (uint64_t)cmd->cdw[3] << 32;
}

uint16_t log_start(struct ctrl *ctrl, struct command *cmd)
{
    uint64_t dwords = (cmd->cdw[0] >> 16 | (uint64_t)(cmd->cdw[1] & 0xffffu) << 16) + 1;
    uint32_t size = page_bytes((uint8_t)cmd->cdw[0]);
    uint64_t offset = log_offset(cmd);

    if (size == 0)
        return STATUS_LOG_PAGE_INVALID;
    /* These pages are the controller's; none is kept per namespace (LPA bit 0 = 0). */
    if (cmd->nsid != 0 && cmd->nsid != NSID_ALL)
        return STATUS_INVALID_FIELD;
    if (offset % 4 != 0 || offset >= size)
        return STATUS_INVALID_FIELD;
    if (ctrl->transfer.max_bytes != 0 && dwords * 4 > ctrl->transfer.max_bytes)
        return STATUS_INVALID_FIELD;
    cmd->kind = COMMAND_ADMIN_IN;
    cmd->bytes = dwords * 4 < size - offset ? (uint32_t)(dwords * 4) : (uint32_t)(size - offset);
    pointers_start(ctrl, cmd);
    return COMMAND_GOES_ON;
}

/* Newest first (5.14.1.1). */
static void fill_errors(const struct ctrl *ctrl, uint8_t *page)
{
    for (uint64_t i = 0; i < ERROR_LOG_ENTRIES && i < ctrl->error_log.count; i++) {
        const struct error_entry *entry =
            &ctrl->error_log.entries[(ctrl->error_log.count - 1 - i) % ERROR_LOG_ENTRIES];
        uint8_t *at = page + i * ERROR_ENTRY_BYTES;

        wire_put64(at + ERROR_COUNT, entry->count);
        wire_put16(at + ERROR_SQID, entry->sqid);
        wire_put16(at + ERROR_CID, ERROR_NO_COMMAND);
        wire_put16(at + ERROR_STATUS, (uint16_t)(entry->status << 1));
        wire_put16(at + ERROR_LOCATION, ERROR_NO_COMMAND);
    }
}

static void fill_smart(const struct ctrl *ctrl, uint8_t *page)
{
    const struct ctrl_stats *stats = &ctrl->stats;
    uint64_t read = stats->bytes_read;
    uint64_t written = stats->bytes_written;

    wire_put16(page + SMART_TEMPERATURE, AMBIENT_KELVIN);
    page[SMART_SPARE] = SPARE_PERCENT;
    page[SMART_SPARE_THRESHOLD] = SPARE_LOW_PERCENT;
    wire_put64(page + SMART_UNITS_READ, (read + SMART_DATA_UNIT_BYTES - 1) / SMART_DATA_UNIT_BYTES);
    wire_put64(page + SMART_UNITS_WRITTEN,
               (written + SMART_DATA_UNIT_BYTES - 1) / SMART_DATA_UNIT_BYTES);
    wire_put64(page + SMART_READS, stats->reads);
    wire_put64(page + SMART_WRITES, stats->writes);
    wire_put64(page + SMART_ERROR_ENTRIES, ctrl->error_log.count);
}

static void fill_firmware(const struct ctrl *ctrl, uint8_t *page)
{
    const char *revision = ctrl->params.firmware;
    size_t length = strlen(revision);

    page[FIRMWARE_ACTIVE] = 1;
    memset(page + FIRMWARE_SLOT1, ' ', FIRMWARE_REVISION);
    memcpy(page + FIRMWARE_SLOT1, revision,
           length < FIRMWARE_REVISION ? length : FIRMWARE_REVISION);
}

void log_fill(struct ctrl *ctrl, const struct command *cmd, uint8_t *bytes)
{
    uint8_t page[LOG_PAGE_BYTES_MAX] = {0};

    switch (cmd->cdw[0] & 0xffu) {
    case LOG_ERROR:
        fill_errors(ctrl, page);
        if (!RETAIN_EVENT(cmd->cdw[0]))
            async_unmask(ctrl, EVENT_ERROR);
        break;
    case LOG_SMART:
        fill_smart(ctrl, page);
        break;
    default:
        fill_firmware(ctrl, page);
        break;
    }
    memcpy(bytes, page + log_offset(cmd), cmd->bytes);
}
