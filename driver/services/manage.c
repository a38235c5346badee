/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Commands that change a controller or its namespaces (NVMe 1.4 sections 5.8, 5.9, 5.11, 5.12,
 * 5.19 to 5.21, 5.23), for the controller's owner. Called by management tools and by ports. Left
 * out: security, sanitize and virtualization, which are raw commands.
 */
#include <nvme/services.h>
#include <nvme/spec.h>

#define PAGE_BYTES               4096u
#define SAVE                     (1u << 31)
#define SELECT_SHIFT             8
#define SES_SHIFT                9
#define FEATURE_POWER            0x02u
#define NSM_DELETE               1u
#define NSM_DETACH               1u
#define CONTROLLERS_MAX          2047u
#define IDN_NCAP                 8u
#define STATUS_INVALID_NAMESPACE 0x0Bu /* 4.6.1.2.1 */
#define STATUS_INVALID_FIELD     0x02u

enum { /* section 5 */
       OPCODE_SELF_TEST = 0x14,
       OPCODE_GET_FEATURES = 0x0A,
       OPCODE_NAMESPACE_MANAGEMENT = 0x0D,
       OPCODE_FIRMWARE_COMMIT = 0x10,
       OPCODE_FIRMWARE_DOWNLOAD = 0x11,
       OPCODE_NAMESPACE_ATTACHMENT = 0x15,
       OPCODE_FORMAT = 0x80
};

static void fill(struct nvme_admin_request *request, uint8_t opcode, uint32_t nsid, uint32_t cdw10,
                 uint32_t cdw11)
{
    request->command =
        (struct nvme_command){.opcode = opcode, .nsid = nsid, .cdw10 = cdw10, .cdw11 = cdw11};
    request->buffer = NULL;
    request->bytes = 0;
    request->dir = NVME_TO_DEVICE;
    request->timeout_ms = 0;
}

static void put_le(uint8_t *to, uint64_t value, unsigned bytes)
{
    for (; bytes != 0; bytes--, value >>= 8)
        *to++ = (uint8_t)value;
}

/* The data page of a command, empty. */
static uint8_t *fresh(struct nvme_admin_request *request, void *page)
{
    uint8_t *bytes = page;

    for (unsigned i = 0; i < PAGE_BYTES; i++)
        bytes[i] = 0;
    request->buffer = page;
    request->bytes = PAGE_BYTES;
    return bytes;
}

void nvme_fill_get_feature(struct nvme_admin_request *request, uint8_t feature,
                           enum nvme_select select, uint32_t nsid, void *buffer, uint32_t bytes)
{
    fill(request, OPCODE_GET_FEATURES, nsid, feature | (uint32_t)select << SELECT_SHIFT, 0);
    request->buffer = buffer;
    request->bytes = bytes;
    request->dir = NVME_FROM_DEVICE;
}

void nvme_fill_set_feature(struct nvme_admin_request *request, uint8_t feature, bool save,
                           uint32_t nsid, uint32_t value, void *buffer, uint32_t bytes)
{
    fill(request, NVME_ADMIN_SET_FEATURES, nsid, feature | (save ? SAVE : 0), value);
    request->buffer = buffer;
    request->bytes = bytes;
}

void nvme_fill_set_power_state(struct nvme_admin_request *request, uint8_t state)
{
    nvme_fill_set_feature(request, FEATURE_POWER, false, 0, state & 0x1Fu, NULL, 0);
}

void nvme_fill_format(struct nvme_admin_request *request, uint32_t nsid, uint8_t format,
                      enum nvme_erase erase)
{
    fill(request, OPCODE_FORMAT, nsid, (format & 0xFu) | (uint32_t)erase << SES_SHIFT, 0);
}

void nvme_fill_create_namespace(struct nvme_admin_request *request, void *page, uint64_t blocks,
                                uint64_t capacity_blocks, uint8_t format)
{
    uint8_t *id;

    fill(request, OPCODE_NAMESPACE_MANAGEMENT, 0, 0, 0);
    id = fresh(request, page);
    put_le(id + NVME_IDN_NSZE, blocks, 8);
    put_le(id + IDN_NCAP, capacity_blocks, 8);
    id[NVME_IDN_FLBAS] = format & NVME_IDN_FLBAS_MASK;
}

void nvme_fill_delete_namespace(struct nvme_admin_request *request, uint32_t nsid)
{
    fill(request, OPCODE_NAMESPACE_MANAGEMENT, nsid, NSM_DELETE, 0);
}

void nvme_fill_attach_namespace(struct nvme_admin_request *request, void *page, uint32_t nsid,
                                bool attach, const uint16_t *controllers, unsigned count)
{
    uint8_t *list;

    fill(request, OPCODE_NAMESPACE_ATTACHMENT, nsid, attach ? 0 : NSM_DETACH, 0);
    list = fresh(request, page);
    if (count > CONTROLLERS_MAX)
        count = CONTROLLERS_MAX;
    put_le(list, count, 2);
    for (unsigned i = 0; i < count; i++)
        put_le(list + 2 + 2 * i, controllers[i], 2);
}

void nvme_fill_firmware_download(struct nvme_admin_request *request, uint32_t offset, void *piece,
                                 uint32_t bytes)
{
    fill(request, OPCODE_FIRMWARE_DOWNLOAD, 0, bytes / 4 - 1, offset / 4);
    request->buffer = piece;
    request->bytes = bytes;
}

void nvme_fill_firmware_commit(struct nvme_admin_request *request, uint8_t slot,
                               enum nvme_commit action)
{
    fill(request, OPCODE_FIRMWARE_COMMIT, 0, (slot & 7u) | (uint32_t)action << 3, 0);
}

void nvme_fill_self_test(struct nvme_admin_request *request, uint32_t nsid,
                         enum nvme_self_test test)
{
    fill(request, OPCODE_SELF_TEST, nsid, (uint32_t)test, 0);
}

int nvme_refresh_namespace(struct nvme *nvme, struct nvme_admin_request *request, uint32_t nsid,
                           void *page)
{
    int error;

    nvme_fill_identify(request, NVME_CNS_IDENTIFY_NAMESPACE, nsid, 0, page);
    error = nvme_admin_blocking(nvme, request);
    if (error == NVME_E_STATUS && NVME_STATUS_TYPE(request->status) == NVME_SCT_GENERIC &&
        (NVME_STATUS_CODE(request->status) == STATUS_INVALID_NAMESPACE ||
         NVME_STATUS_CODE(request->status) == STATUS_INVALID_FIELD)) {
        fresh(request, page); /* as an inactive one is described (5.15.2.1) */
        error = NVME_OK;
    }
    return error == NVME_OK ? nvme_update_namespace(nvme, nsid, page) : error;
}
