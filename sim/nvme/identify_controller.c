/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Identify Controller (NVMe 1.4 section 5.15.2.2, figure 247). What the controller is comes from
 * its parameters, what it can do from capabilities.c. Fields that are not named here are zero: not
 * supported, or not reported.
 */
#include <stdio.h>
#include <string.h>

#include "nvme/internal.h"

enum {
    ID_VID = 0,
    ID_SSVID = 2,
    ID_SN = 4,
    ID_MN = 24,
    ID_FR = 64,
    ID_RAB = 72,
    ID_IEEE = 73,
    ID_MDTS = 77,
    ID_CNTLID = 78,
    ID_VER = 80,
    ID_RTD3R = 84,
    ID_RTD3E = 88,
    ID_OAES = 92,
    ID_CTRATT = 96,
    ID_CNTRLTYPE = 111,
    ID_CRDT1 = 128,
    ID_OACS = 256,
    ID_ACL = 258,
    ID_AERL = 259,
    ID_FRMW = 260,
    ID_LPA = 261,
    ID_ELPE = 262,
    ID_WCTEMP = 266,
    ID_CCTEMP = 268,
    ID_MTFA = 270,
    ID_HMPRE = 272,
    ID_HMMIN = 276,
    ID_TNVMCAP = 280,
    ID_UNVMCAP = 296,
    ID_EDSTT = 316,
    ID_DSTO = 318,
    ID_FWUG = 319,
    ID_KAS = 320,
    ID_HMMAXD = 336,
    ID_SQES = 512,
    ID_CQES = 513,
    ID_NN = 516,
    ID_ONCS = 520,
    ID_FUSES = 522,
    ID_FNA = 524,
    ID_VWC = 525,
    ID_AWUN = 526,
    ID_AWUPF = 528,
    ID_ACWU = 532,
    ID_SGLS = 536,
    ID_SUBNQN = 768,
    ID_PSD0 = 2048
};
#define SN_BYTES     20u
#define MN_BYTES     40u
#define SUBNQN_BYTES 256u
#define IEEE_BYTES   3u
#define RETRY_DELAYS 3u

#define CNTRLTYPE_IO         1u
#define ENTRY_SIZES(log2)    ((log2) << 4 | (log2)) /* largest and smallest */
#define POWER_MAX_CENTIWATTS 500u

/* Fields that a function of capabilities.h gives whole. Capacities are of 16 bytes, of which the
 * upper half stays zero. */
static const struct {
    uint16_t at;
    uint8_t bytes;
    uint64_t (*value)(const struct ctrl *ctrl);
} capabilities[] = {
    {ID_OAES, 4, ctrl_oaes},       {ID_CTRATT, 4, ctrl_ctratt},   {ID_OACS, 2, ctrl_oacs},
    {ID_FRMW, 1, ctrl_frmw},       {ID_LPA, 1, ctrl_lpa},         {ID_KAS, 2, ctrl_kas},
    {ID_TNVMCAP, 8, ctrl_tnvmcap}, {ID_UNVMCAP, 8, ctrl_unvmcap}, {ID_ONCS, 2, ctrl_oncs},
    {ID_FUSES, 2, ctrl_fuses},     {ID_FNA, 1, ctrl_fna},         {ID_VWC, 1, ctrl_vwc},
    {ID_AWUN, 2, ctrl_awun},       {ID_AWUPF, 2, ctrl_awupf},     {ID_ACWU, 2, ctrl_acwu},
    {ID_SGLS, 4, ctrl_sgls},       {ID_FWUG, 1, ctrl_fwug},       {ID_MTFA, 2, ctrl_mtfa},
    {ID_EDSTT, 2, ctrl_edstt},     {ID_DSTO, 1, ctrl_dsto},       {ID_WCTEMP, 2, ctrl_wctemp},
    {ID_CCTEMP, 2, ctrl_cctemp},   {ID_HMPRE, 4, ctrl_hmpre},     {ID_HMMIN, 4, ctrl_hmmin},
    {ID_HMMAXD, 2, ctrl_hmmaxd},
};

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

static void put_bytes(uint8_t *at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> 8 * i);
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

void identify_fill_controller(const struct ctrl *ctrl, uint32_t nsid, uint32_t cdw10, uint8_t *page)
{
    const struct ctrl_params *params = &ctrl->params;

    (void)nsid, (void)cdw10;
    wire_put16(page + ID_VID, (uint16_t)params->vendor_id);
    wire_put16(page + ID_SSVID, (uint16_t)params->subsystem_vendor_id);
    put_text(page + ID_SN, params->serial, SN_BYTES);
    put_text(page + ID_MN, params->model, MN_BYTES);
    memcpy(page + ID_FR, firmware_revision(ctrl), FIRMWARE_REVISION_BYTES);
    page[ID_RAB] = (uint8_t)params->arbitration_burst;
    put_bytes(page + ID_IEEE, params->ieee_oui, IEEE_BYTES);
    page[ID_MDTS] = (uint8_t)params->mdts;
    wire_put16(page + ID_CNTLID, (uint16_t)ctrl->index);
    wire_put32(page + ID_VER, ctrl->regs.vs);
    wire_put32(page + ID_RTD3R, microseconds(params->ready_delay));
    wire_put32(page + ID_RTD3E, microseconds(shutdown_ps(ctrl)));
    if (ctrl->regs.vs >= VS_1_4)
        page[ID_CNTRLTYPE] = CNTRLTYPE_IO;
    for (unsigned i = 0; i < RETRY_DELAYS; i++)
        wire_put16(page + ID_CRDT1 + 2 * i, (uint16_t)ctrl_crdt(ctrl, i));
    page[ID_ACL] = (uint8_t)params->acl;
    page[ID_AERL] = (uint8_t)params->aerl;
    page[ID_ELPE] = ERROR_LOG_ENTRIES - 1;
    page[ID_SQES] = ENTRY_SIZES(SQE_LOG2);
    page[ID_CQES] = ENTRY_SIZES(CQE_LOG2);
    wire_put32(page + ID_NN, ctrl->namespaces.count);
    for (size_t i = 0; i < sizeof capabilities / sizeof capabilities[0]; i++)
        put_bytes(page + capabilities[i].at, capabilities[i].value(ctrl), capabilities[i].bytes);
    put_subnqn(ctrl, page);
    wire_put16(page + ID_PSD0, POWER_MAX_CENTIWATTS);
}
