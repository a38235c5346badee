/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Get Log Page (NVMe 1.4 section 5.14) and the pages of the base specification: errors, SMART,
 * firmware slots, changed namespaces, commands supported. Called by management tools and by ports.
 * Left out: vendors' pages, telemetry and sanitize, which are fetched the same way and read by
 * hand.
 */
#include <nvme/bytes.h>
#include <nvme/services.h>
#include <nvme/spec.h>

#define CDW10_RAE      (1u << 15)
#define EFFECTS_OF_IO  1024u /* byte; 256 dwords each (5.14.1.5) */
#define FIRMWARE_SLOTS 7u

void nvme_fill_get_log(struct nvme_admin_request *request, enum nvme_log log, uint32_t nsid,
                       uint64_t offset, bool keep_event, void *buffer, uint32_t bytes)
{
    uint32_t dwords = bytes / (uint32_t)sizeof(uint32_t) - 1; /* 0-based */

    request->command = (struct nvme_command){.opcode = NVME_ADMIN_GET_LOG_PAGE,
                                             .nsid = nsid,
                                             .cdw10 = (uint32_t)log | (keep_event ? CDW10_RAE : 0) |
                                                      dwords << NVME_LOG_NUMDL_SHIFT,
                                             .cdw11 = dwords >> 16,
                                             .cdw12 = (uint32_t)offset,
                                             .cdw13 = (uint32_t)(offset >> 32)};
    request->buffer = buffer;
    request->bytes = bytes;
    request->dir = NVME_FROM_DEVICE;
    request->timeout_ms = 0;
}

static struct nvme_u128 counter(const uint8_t *from)
{
    return (struct nvme_u128){nvme_get_le64(from), nvme_get_le64(from + 8)};
}

void nvme_read_smart(const void *page, struct nvme_smart *out)
{
    const uint8_t *log = page;

    *out = (struct nvme_smart){.critical_warning = log[0],
                               .temperature_k = (uint16_t)nvme_get_le16(log + 1),
                               .available_spare = log[3],
                               .spare_threshold = log[4],
                               .percentage_used = log[5],
                               .units_read = counter(log + 32),
                               .units_written = counter(log + 48),
                               .host_reads = counter(log + 64),
                               .host_writes = counter(log + 80),
                               .busy_minutes = counter(log + 96),
                               .power_cycles = counter(log + 112),
                               .power_on_hours = counter(log + 128),
                               .unsafe_shutdowns = counter(log + 144),
                               .media_errors = counter(log + 160),
                               .error_entries = counter(log + 176),
                               .warning_minutes = nvme_get_le32(log + 192),
                               .critical_minutes = nvme_get_le32(log + 196)};
    for (unsigned i = 0; i < sizeof(out->sensors_k) / sizeof(out->sensors_k[0]); i++)
        out->sensors_k[i] = (uint16_t)nvme_get_le16(log + 200 + 2 * i);
}

void nvme_read_error_entry(const void *page, unsigned index, struct nvme_error_entry *out)
{
    const uint8_t *entry = (const uint8_t *)page + (size_t)NVME_ERROR_ENTRY_BYTES * index;

    *out = (struct nvme_error_entry){.count = nvme_get_le64(entry),
                                     .queue = (uint16_t)nvme_get_le16(entry + 8),
                                     .command = (uint16_t)nvme_get_le16(entry + 10),
                                     .status = (uint16_t)(nvme_get_le16(entry + 12) >> 1),
                                     .parameter = (uint16_t)nvme_get_le16(entry + 14),
                                     .lba = nvme_get_le64(entry + 16),
                                     .nsid = nvme_get_le32(entry + 24),
                                     .command_specific = nvme_get_le64(entry + 32)};
}

void nvme_read_firmware_slots(const void *page, struct nvme_firmware_slots *out)
{
    const uint8_t *log = page;

    *out = (struct nvme_firmware_slots){.active = log[0] & 7, .next = log[0] >> 4 & 7};
    for (unsigned slot = 0; slot < FIRMWARE_SLOTS; slot++)
        for (unsigned i = 0; i < 8; i++) {
            uint8_t byte = log[8 + 8 * slot + i];

            if (byte <= ' ' || byte > '~') /* blank or zero padded, and no blanks within */
                break;
            out->revision[slot][i] = (char)byte;
        }
}

unsigned nvme_read_changed_namespaces(const void *page, uint32_t *nsids, unsigned max)
{
    return nvme_read_namespace_list(page, nsids, max);
}

uint32_t nvme_read_command_effects(const void *page, bool io, uint8_t opcode)
{
    return nvme_get_le32((const uint8_t *)page + (io ? EFFECTS_OF_IO : 0) + 4u * opcode);
}
