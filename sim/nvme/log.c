/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Get Log Page (NVMe 1.4 section 5.14): which pages there are, and the rules of offset and length.
 * Each page is made where its subject lives. A page is made when it is sent; once it has reached
 * the host, and without Retain Asynchronous Event, the events that name it may come again. An
 * offset behind the last dword of a page is Invalid Field; of a length that reaches beyond the end
 * only the page itself is transferred, and host memory behind it stays as it was (the standard
 * leaves that undefined). The pages are the controller's; none is kept per namespace (LPA bit 0 =
 * 0).
 */
#include <string.h>

#include "nvme/internal.h"

#define RETAIN_EVENT(cdw10) (((cdw10) >> 15 & 1u) != 0)
#define LPA_EFFECTS         0x02u
#define LPA_EXTENDED        0x04u /* long lengths and offsets */

static void fill_errors(struct ctrl *ctrl, uint8_t *page)
{
    errorlog_fill(ctrl, page);
}

static void fill_firmware(struct ctrl *ctrl, uint8_t *page)
{
    firmware_fill(ctrl, page);
}

static void fill_changed(struct ctrl *ctrl, uint8_t *page)
{
    namespaces_changed_list(ctrl, page);
}

static void fill_effects(struct ctrl *ctrl, uint8_t *page)
{
    opcodes_fill_effects(ctrl, page);
}

static const struct log_page {
    uint8_t id;
    uint32_t bytes;
    bool (*exists)(const struct ctrl *ctrl); /* NULL: always */
    void (*fill)(struct ctrl *ctrl, uint8_t *page);
} pages[] = {
    {LOG_ERROR, ERROR_LOG_ENTRIES *ERROR_ENTRY_BYTES, NULL, fill_errors},
    {LOG_SMART, HEALTH_PAGE_BYTES, NULL, health_fill},
    {LOG_FIRMWARE, FIRMWARE_PAGE_BYTES, NULL, fill_firmware},
    {LOG_CHANGED_NAMESPACES, CHANGED_LIST_BYTES, nsmgmt_notices, fill_changed},
    {LOG_EFFECTS, OPCODES_EFFECTS_BYTES, NULL, fill_effects},
    {LOG_SELF_TEST, SELF_TEST_PAGE_BYTES, selftest_exists, selftest_fill},
};

static const struct log_page *find(const struct ctrl *ctrl, uint8_t id)
{
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        if (pages[i].id == id && (pages[i].exists == NULL || pages[i].exists(ctrl)))
            return &pages[i];
    }
    return NULL;
}

static uint64_t log_offset(const struct command *cmd)
{
    return cmd->cdw[2] | (uint64_t)cmd->cdw[3] << 32;
}

uint16_t log_start(struct ctrl *ctrl, struct command *cmd)
{
    uint64_t dwords = (cmd->cdw[0] >> 16 | (uint64_t)(cmd->cdw[1] & 0xffffu) << 16) + 1;
    const struct log_page *page = find(ctrl, (uint8_t)cmd->cdw[0]);
    uint64_t offset = log_offset(cmd);

    if (page == NULL)
        return STATUS_LOG_PAGE_INVALID;
    if (cmd->nsid != 0 && cmd->nsid != NSID_ALL)
        return STATUS_INVALID_FIELD;
    if (offset % 4 != 0 || offset >= page->bytes)
        return STATUS_INVALID_FIELD;
    if (ctrl->transfer.max_bytes != 0 && dwords * 4 > ctrl->transfer.max_bytes)
        return STATUS_INVALID_FIELD;
    cmd->kind = COMMAND_ADMIN_IN;
    cmd->bytes = dwords * 4 < page->bytes - offset ? (uint32_t)(dwords * 4)
                                                   : (uint32_t)(page->bytes - offset);
    pointers_start(ctrl, cmd);
    return COMMAND_GOES_ON;
}

void log_fill(struct ctrl *ctrl, const struct command *cmd, uint8_t *bytes)
{
    uint8_t made[LOG_PAGE_BYTES_MAX] = {0};
    const struct log_page *page = find(ctrl, (uint8_t)cmd->cdw[0]);

    page->fill(ctrl, made);
    memcpy(bytes, made + log_offset(cmd), cmd->bytes);
}

void log_sent(struct ctrl *ctrl, const struct command *cmd)
{
    uint8_t id = (uint8_t)cmd->cdw[0];

    if (RETAIN_EVENT(cmd->cdw[0]))
        return;
    async_log_read(ctrl, id);
    if (id == LOG_CHANGED_NAMESPACES)
        namespaces_changed_forget(ctrl);
}

uint8_t log_lpa_bits(const struct ctrl *ctrl)
{
    (void)ctrl;
    return LPA_EFFECTS | LPA_EXTENDED;
}
