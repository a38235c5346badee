/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Identify (NVMe 1.4 section 5.15): controller, namespace, list of active namespaces, namespace
 * identification descriptors. Byte offsets are those of figures 245 to 249. A page is made when it
 * is sent. There is one namespace, number 1, always active.
 */
#include <stdio.h>
#include <string.h>

#include "nvme/internal.h"

/* Identify Controller (figure 247). */
enum {
    ID_VID = 0,
    ID_SSVID = 2,
    ID_SN = 4,
    ID_MN = 24,
    ID_FR = 64,
    ID_RAB = 72,
    ID_MDTS = 77,
    ID_CNTLID = 78,
    ID_VER = 80,
    ID_RTD3R = 84,
    ID_RTD3E = 88,
    ID_CNTRLTYPE = 111,
    ID_ACL = 258,
    ID_AERL = 259,
    ID_FRMW = 260,
    ID_LPA = 261,
    ID_ELPE = 262,
    ID_WCTEMP = 266,
    ID_CCTEMP = 268,
    ID_SQES = 512,
    ID_CQES = 513,
    ID_NN = 516,
    ID_ONCS = 520,
    ID_FUSES = 522,
    ID_VWC = 525,
    ID_SUBNQN = 768,
    ID_PSD0 = 2048
};
#define SN_BYTES     20u
#define MN_BYTES     40u
#define FR_BYTES     8u
#define SUBNQN_BYTES 256u

#define CNTRLTYPE_IO            1u
#define FRMW_ONE_READ_ONLY_SLOT 0x03u /* slot 1 is read only, one slot */
#define LPA_EXTENDED            0x04u /* Get Log Page takes long lengths and offsets */
#define ENTRY_SIZES(log2)       ((log2) << 4 | (log2)) /* largest and smallest */
#define FUSES_COMPARE_AND_WRITE 0x01u
#define VWC_PRESENT             0x01u
#define VWC_FLUSH_TAKES_ALL     0x06u /* bits 2:1 since 1.4: NSID FFFFFFFFh is supported */
#define WARNING_KELVIN          343u
#define CRITICAL_KELVIN         358u
#define POWER_MAX_CENTIWATTS    500u

/* Identify Namespace (figure 245). */
enum { ID_NSZE = 0, ID_NCAP = 8, ID_NUSE = 16, ID_LBAF0 = 128 };
#define LBAF_DATA_SIZE 16u /* bit position of LBADS */

/* Namespace Identification Descriptor (figure 249). */
enum { NID_TYPE = 0, NID_LENGTH = 1, NID_VALUE = 4 };
#define NID_UUID       3u
#define NID_UUID_BYTES 16u

static void put_text(uint8_t *at, const char *text, size_t bytes)
{
    size_t length = strlen(text);

    memset(at, ' ', bytes); /* ASCII fields are padded with spaces (1.5) */
    memcpy(at, text, length < bytes ? length : bytes);
}

static void put_subnqn(const struct ctrl *ctrl, uint8_t *page)
{
    char name[SUBNQN_BYTES];
    const struct ctrl_params *params = &ctrl->params;

    /* The form of section 7.9 for names made from PCI identifiers. */
    snprintf(name, sizeof name, "nqn.2014.08.org.nvmexpress:%04x%04x%-20.20s%-40.40s",
             (unsigned)params->vendor_id, (unsigned)params->subsystem_vendor_id, params->serial,
             params->model);
    memcpy(page + ID_SUBNQN, name, strlen(name));
}

/* Latencies are in whole microseconds, and a host waits for no longer than they say: round up. */
static uint32_t microseconds(uint64_t ps)
{
    return (uint32_t)((ps + PS_PER_US - 1) / PS_PER_US);
}

/* A normal shutdown flushes what the cache holds before its own delay (controller.c). */
static uint64_t shutdown_ps(const struct ctrl *ctrl)
{
    uint64_t flush_ps = ctrl->params.vwc ? media_flush_ps(ctrl->media) : 0;

    return flush_ps + ctrl->params.shutdown_delay;
}

static uint16_t oncs(const struct ctrl_params *params)
{
    return (uint16_t)(params->compare | params->write_uncorrectable << 1 |
                      params->dataset_management << 2 | params->write_zeroes << 3 |
                      params->verify << 7);
}

static void fill_controller(const struct ctrl *ctrl, uint8_t *page)
{
    const struct ctrl_params *params = &ctrl->params;

    wire_put16(page + ID_VID, (uint16_t)params->vendor_id);
    wire_put16(page + ID_SSVID, (uint16_t)params->subsystem_vendor_id);
    put_text(page + ID_SN, params->serial, SN_BYTES);
    put_text(page + ID_MN, params->model, MN_BYTES);
    put_text(page + ID_FR, params->firmware, FR_BYTES);
    page[ID_RAB] = (uint8_t)params->arbitration_burst;
    page[ID_MDTS] = (uint8_t)params->mdts;
    wire_put16(page + ID_CNTLID, (uint16_t)ctrl->index);
    wire_put32(page + ID_VER, ctrl->regs.vs);
    wire_put32(page + ID_RTD3R, microseconds(params->ready_delay));
    wire_put32(page + ID_RTD3E, microseconds(shutdown_ps(ctrl)));
    if (ctrl->regs.vs >= VS_1_4)
        page[ID_CNTRLTYPE] = CNTRLTYPE_IO;
    page[ID_ACL] = (uint8_t)params->acl;
    page[ID_AERL] = (uint8_t)params->aerl;
    page[ID_FRMW] = FRMW_ONE_READ_ONLY_SLOT;
    page[ID_LPA] = LPA_EXTENDED;
    page[ID_ELPE] = ERROR_LOG_ENTRIES - 1;
    wire_put16(page + ID_WCTEMP, WARNING_KELVIN);
    wire_put16(page + ID_CCTEMP, CRITICAL_KELVIN);
    page[ID_SQES] = ENTRY_SIZES(SQE_LOG2);
    page[ID_CQES] = ENTRY_SIZES(CQE_LOG2);
    wire_put32(page + ID_NN, NSID_ONLY);
    wire_put16(page + ID_ONCS, oncs(params));
    wire_put16(page + ID_FUSES, params->fused ? FUSES_COMPARE_AND_WRITE : 0);
    page[ID_VWC] = params->vwc ? VWC_PRESENT : 0;
    if (nvm_flush_takes_all(ctrl))
        page[ID_VWC] |= VWC_FLUSH_TAKES_ALL;
    put_subnqn(ctrl, page);
    wire_put16(page + ID_PSD0, POWER_MAX_CENTIWATTS);
}

static void fill_namespace(const struct ctrl *ctrl, uint32_t nsid, uint8_t *page)
{
    const struct namespace *ns = namespace_find(ctrl, nsid);

    wire_put64(page + ID_NSZE, ns->blocks);
    wire_put64(page + ID_NCAP, ns->blocks);
    wire_put64(page + ID_NUSE, ns->blocks);
    wire_put32(page + ID_LBAF0, (uint32_t)ns->block_log2 << LBAF_DATA_SIZE);
}

/* A UUID that follows from serial and model number, so that equal configurations are equal. */
static void fill_descriptors(const struct ctrl *ctrl, uint8_t *page)
{
    uint64_t hash[2] = {UINT64_C(0xcbf29ce484222325), UINT64_C(0x84222325cbf29ce4)};
    const char *texts[2] = {ctrl->params.serial, ctrl->params.model};
    uint8_t *uuid = page + NID_VALUE;

    for (unsigned i = 0; i < 2; i++) {
        for (const char *c = texts[i]; *c != '\0'; c++) { /* FNV-1a */
            hash[0] = (hash[0] ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
            hash[1] = (hash[1] ^ (uint8_t)*c ^ i) * UINT64_C(0x100000001b3);
        }
        wire_put64(uuid + 8 * i, hash[i]);
    }
    page[NID_TYPE] = NID_UUID;
    page[NID_LENGTH] = NID_UUID_BYTES;
    uuid[6] = (uint8_t)((uuid[6] & 0x0fu) | 0x80u); /* RFC 9562: version 8, custom */
    uuid[8] = (uint8_t)((uuid[8] & 0x3fu) | 0x80u); /* and its variant */
}

uint16_t identify_start(struct ctrl *ctrl, struct command *cmd)
{
    switch (cmd->cdw[0] & 0xffu) {
    case CNS_NAMESPACE:
    case CNS_DESCRIPTORS:
        if (namespace_find(ctrl, cmd->nsid) == NULL)
            return STATUS_INVALID_NAMESPACE;
        break;
    case CNS_CONTROLLER:
        break;
    case CNS_ACTIVE_LIST: /* the two largest numbers are not allowed (5.15.2.4) */
        if (cmd->nsid >= NSID_ALL - 1)
            return STATUS_INVALID_NAMESPACE;
        break;
    default:
        return STATUS_INVALID_FIELD;
    }
    cmd->kind = COMMAND_ADMIN_IN;
    cmd->bytes = IDENTIFY_BYTES;
    pointers_start(ctrl, cmd);
    return COMMAND_GOES_ON;
}

void identify_fill(struct ctrl *ctrl, const struct command *cmd, uint8_t *page)
{
    memset(page, 0, IDENTIFY_BYTES);
    switch (cmd->cdw[0] & 0xffu) {
    case CNS_NAMESPACE:
        fill_namespace(ctrl, cmd->nsid, page);
        break;
    case CNS_CONTROLLER:
        fill_controller(ctrl, page);
        break;
    case CNS_ACTIVE_LIST: /* numbers larger than the one given */
        if (cmd->nsid < NSID_ONLY)
            wire_put32(page, NSID_ONLY);
        break;
    default:
        fill_descriptors(ctrl, page);
        break;
    }
}
