/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Texts for people: errors of the core, and every status code of NVMe 1.4 section 4.6.1 for the
 * base and the NVM command set. Called by whoever prints; nothing in the core decides by these
 * tables. Left out: codes of fabrics and of vendors.
 */
#include <nvme/nvme.h>
#include <nvme/spec.h>

struct status_text {
    uint8_t code;
    const char *text;
};

/* 4.6.1.2.1 generic command status; 80h and up: NVM command set */
static const struct status_text generic_texts[] = {
    {0x00, "successful completion"},
    {0x01, "invalid command opcode"},
    {0x02, "invalid field in command"},
    {0x03, "command identifier conflict"},
    {0x04, "data transfer error"},
    {0x05, "command aborted due to power loss"},
    {0x06, "internal error"},
    {0x07, "command abort requested"},
    {0x08, "command aborted: submission queue deleted"},
    {0x09, "command aborted: fused command failed"},
    {0x0A, "command aborted: fused command missing"},
    {0x0B, "invalid namespace or format"},
    {0x0C, "command sequence error"},
    {0x0D, "invalid SGL segment descriptor"},
    {0x0E, "invalid number of SGL descriptors"},
    {0x0F, "data SGL length invalid"},
    {0x10, "metadata SGL length invalid"},
    {0x11, "SGL descriptor type invalid"},
    {0x12, "invalid use of controller memory buffer"},
    {0x13, "PRP offset invalid"},
    {0x14, "atomic write unit exceeded"},
    {0x15, "operation denied"},
    {0x16, "SGL offset invalid"},
    {0x18, "host identifier inconsistent format"},
    {0x19, "keep alive timer expired"},
    {0x1A, "keep alive timeout invalid"},
    {0x1B, "command aborted due to preempt and abort"},
    {0x1C, "sanitize failed"},
    {0x1D, "sanitize in progress"},
    {0x1E, "SGL data block granularity invalid"},
    {0x1F, "command not supported for queue in CMB"},
    {0x20, "namespace is write protected"},
    {0x21, "command interrupted"},
    {0x22, "transient transport error"},
    {0x80, "LBA out of range"},
    {0x81, "capacity exceeded"},
    {0x82, "namespace not ready"},
    {0x83, "reservation conflict"},
    {0x84, "format in progress"},
};

/* 4.6.1.2.2 command specific status; 80h and up: NVM command set */
static const struct status_text command_texts[] = {
    {0x00, "completion queue invalid"},
    {0x01, "invalid queue identifier"},
    {0x02, "invalid queue size"},
    {0x03, "abort command limit exceeded"},
    {0x05, "asynchronous event request limit exceeded"},
    {0x06, "invalid firmware slot"},
    {0x07, "invalid firmware image"},
    {0x08, "invalid interrupt vector"},
    {0x09, "invalid log page"},
    {0x0A, "invalid format"},
    {0x0B, "firmware activation requires conventional reset"},
    {0x0C, "invalid queue deletion"},
    {0x0D, "feature identifier not saveable"},
    {0x0E, "feature not changeable"},
    {0x0F, "feature not namespace specific"},
    {0x10, "firmware activation requires NVM subsystem reset"},
    {0x11, "firmware activation requires controller level reset"},
    {0x12, "firmware activation requires maximum time violation"},
    {0x13, "firmware activation prohibited"},
    {0x14, "overlapping range"},
    {0x15, "namespace insufficient capacity"},
    {0x16, "namespace identifier unavailable"},
    {0x18, "namespace already attached"},
    {0x19, "namespace is private"},
    {0x1A, "namespace not attached"},
    {0x1B, "thin provisioning not supported"},
    {0x1C, "controller list invalid"},
    {0x1D, "device self-test in progress"},
    {0x1E, "boot partition write prohibited"},
    {0x1F, "invalid controller identifier"},
    {0x20, "invalid secondary controller state"},
    {0x21, "invalid number of controller resources"},
    {0x22, "invalid resource identifier"},
    {0x23, "sanitize prohibited while persistent memory region is enabled"},
    {0x24, "ANA group identifier invalid"},
    {0x25, "ANA attach failed"},
    {0x80, "conflicting attributes"},
    {0x81, "invalid protection information"},
    {0x82, "attempted write to read only range"},
};

/* 4.6.1.2.3 media and data integrity errors: NVM command set only */
static const struct status_text media_texts[] = {
    {0x80, "write fault"},
    {0x81, "unrecovered read error"},
    {0x82, "end-to-end guard check error"},
    {0x83, "end-to-end application tag check error"},
    {0x84, "end-to-end reference tag check error"},
    {0x85, "compare failure"},
    {0x86, "access denied"},
    {0x87, "deallocated or unwritten logical block"},
};

/* 4.6.1.2.4 path related status */
static const struct status_text path_texts[] = {
    {0x00, "internal path error"},
    {0x01, "asymmetric access persistent loss"},
    {0x02, "asymmetric access inaccessible"},
    {0x03, "asymmetric access transition"},
    {0x60, "controller pathing error"},
    {0x70, "host pathing error"},
    {0x71, "command aborted by host"},
};

static const char *find_text(const struct status_text *texts, size_t count, unsigned code)
{
    for (size_t i = 0; i < count; i++)
        if (texts[i].code == code)
            return texts[i].text;
    return "unknown status";
}

#define FIND(texts, code) find_text(texts, sizeof(texts) / sizeof((texts)[0]), code)

const char *nvme_status_text(uint16_t status)
{
    unsigned code = NVME_STATUS_CODE(status);

    switch (NVME_STATUS_TYPE(status)) {
    case NVME_SCT_GENERIC:
        return FIND(generic_texts, code);
    case NVME_SCT_COMMAND:
        return FIND(command_texts, code);
    case NVME_SCT_MEDIA:
        return FIND(media_texts, code);
    case NVME_SCT_PATH:
        return FIND(path_texts, code);
    case NVME_SCT_VENDOR:
        return "vendor specific status";
    default:
        return "unknown status";
    }
}

const char *nvme_error_text(int error)
{
    switch (error) {
    case NVME_OK:
        return "success";
    case NVME_E_INVAL:
        return "invalid argument";
    case NVME_E_NO_MEMORY:
        return "out of memory";
    case NVME_E_BUSY:
        return "busy: no free slot, or not in this state";
    case NVME_E_STATE:
        return "the controller is not ready, or was stopped under the request";
    case NVME_E_STATUS:
        return "the controller answered with an error status";
    case NVME_E_TIMEOUT:
        return "a deadline passed";
    case NVME_E_GONE:
        return "the controller is gone or has failed fatally";
    case NVME_E_DEVICE:
        return "the controller broke the protocol";
    case NVME_E_UNSUPPORTED:
        return "not supported by the controller or by this configuration";
    case NVME_E_RANGE:
        return "block range outside the namespace";
    default:
        return "unknown error";
    }
}
