/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The kinds of faults, one or more for each action of sim/nvme/fault.h, with what each may cause
 * and what it therefore must not; and the configurations of the driver under which they strike. See
 * campaign.h.
 */
#include "fault/campaign.h"

/* An action may bring a second rule with it. Statuses: Data Transfer Error, Internal Error,
 * Unrecovered Read Error, Namespace Not Ready (NVMe 1.4, 4.6.1). Durations: short ones end before
 * anybody gives up. */
const struct campaign_kind campaign_kinds[] = {
    {"none", NULL, CAMPAIGN_NOWHERE, 0, 0},
    {"status-transfer", "status 0x004", CAMPAIGN_IO, MAY_STATUS, 0x004},
    {"status-internal", "status 0x006", CAMPAIGN_IO, MAY_STATUS, 0x006},
    {"status-not-ready", "status 0x082", CAMPAIGN_IO, MAY_STATUS, 0x082},
    {"status-medium", "status 0x281", CAMPAIGN_IO, MAY_STATUS, 0x281},
    {"status-for-a-while", "status 0x006", CAMPAIGN_WHILE, MAY_STATUS | MAY_EXHAUST, 0x006},
    {"lose", "lose", CAMPAIGN_IO, MAY_RESET | MAY_TIME_OUT, 0},
    {"duplicate", "duplicate", CAMPAIGN_IO, 0, 0},
    {"wrong-cid", "wrong-cid 0x8000", CAMPAIGN_IO, MAY_RESET | MAY_TIME_OUT, 0},
    {"late", "late 5ms", CAMPAIGN_IO, 0, 0},
    {"very-late", "late 2s", CAMPAIGN_IO, MAY_RESET | MAY_TIME_OUT, 0},
    {"slow", "slow 5ms", CAMPAIGN_IO, 0, 0},
    {"very-slow", "slow 2s", CAMPAIGN_IO, MAY_RESET | MAY_TIME_OUT, 0},
    {"stuck", "stuck", CAMPAIGN_IO, MAY_RESET | MAY_TIME_OUT, 0},
    {"corrupt", "corrupt", CAMPAIGN_IO, MAY_CORRUPT, 0},
    {"unreadable", "unreadable", CAMPAIGN_IO, MAY_DISTURB, 0x281},
    {"cfs", "cfs", CAMPAIGN_IO, MAY_RESET, 0},
    {"link-down", "link-down 10ms", CAMPAIGN_IO, MAY_RESET, 0},
    {"removal", "link-down", CAMPAIGN_IO, MAY_RESET | MAY_NOT_COME, 0},
    {"cfs-not-ready", "cfs; nth=2 : not-ready 5s", CAMPAIGN_IO, MAY_RESET, 0},
    {"stuck-never-ready", "stuck; nth=2 : not-ready", CAMPAIGN_IO, MAY_RESET | MAY_TIME_OUT, 0},
    {"power-loss", "power-loss 10ms", CAMPAIGN_IO, MAY_RESET | MAY_LOSE, 0},
    {"admin-status", "status 0x006", CAMPAIGN_ADMIN, MAY_RESET, 0},
    {"admin-lose", "lose", CAMPAIGN_ADMIN, MAY_RESET, 0},
    {"admin-duplicate", "duplicate", CAMPAIGN_ADMIN, 0, 0},
    {"admin-wrong-cid", "wrong-cid 0x8000", CAMPAIGN_ADMIN, MAY_RESET, 0},
    {"admin-late", "late 5ms", CAMPAIGN_ADMIN, 0, 0},
    {"admin-slow", "slow 2s", CAMPAIGN_ADMIN, MAY_RESET, 0},
    {"admin-stuck", "stuck", CAMPAIGN_ADMIN, MAY_RESET, 0},
    {"admin-cfs", "cfs", CAMPAIGN_ADMIN, MAY_RESET, 0},
    {"admin-link-down", "link-down 10ms", CAMPAIGN_ADMIN, MAY_RESET, 0},
    {"admin-removal", "link-down", CAMPAIGN_ADMIN, MAY_RESET | MAY_NOT_COME, 0},
    {"not-ready", "not-ready 5s", CAMPAIGN_ENABLE, MAY_RESET, 0},
    {"never-ready", "not-ready", CAMPAIGN_ENABLE, MAY_RESET, 0},
    {"drop-interrupt", "drop-interrupt", CAMPAIGN_MESSAGE, 0, 0},
    {"cfs-any-time", "cfs", CAMPAIGN_TIME, MAY_RESET, 0},
    {"link-down-any-time", "link-down 10ms", CAMPAIGN_TIME, MAY_RESET, 0},
    {"removal-any-time", "link-down", CAMPAIGN_TIME, MAY_RESET | MAY_NOT_COME, 0},
    {"power-loss-any-time", "power-loss 10ms", CAMPAIGN_TIME, MAY_RESET | MAY_LOSE, 0},
};
const unsigned campaign_kind_count = sizeof campaign_kinds / sizeof campaign_kinds[0];

/* ---- the driver ---- */

static void polls(struct nvme_config *config)
{
    (void)config;
}

static void interrupts(struct nvme_config *config)
{
    config->completion = NVME_COMPLETION_INTERRUPT;
    config->irq = NVME_IRQ_MSIX;
    config->ring = NVME_RING_PER_COMMAND;
    config->cq_ring = NVME_CQ_RING_PER_ENTRY;
    config->split = NVME_SPLIT_SERIAL;
    config->full = NVME_FULL_QUEUE;
    config->cid = NVME_CID_LOWEST;
}

static void shadows(struct nvme_config *config)
{
    config->shadow_doorbells = true;
    config->full = NVME_FULL_QUEUE;
    config->sgl = NVME_SGL_BY_SIZE;
    config->sgl_min_bytes = 1024;
}

static void resets(struct nvme_config *config)
{
    config->full = NVME_FULL_QUEUE;
    config->io_timeout_ms = 100;
    config->abort_timeout_ms = 20;
    config->recovery = NVME_RECOVERY_RESET;
}

static void reissues(struct nvme_config *config)
{
    resets(config);
    config->retries = 3;
    config->after_reset = NVME_AFTER_RESET_REISSUE;
}

static void fails(struct nvme_config *config)
{
    resets(config);
    config->full = NVME_FULL_REJECT;
    config->retries = 2;
    config->reset_limit = 1;
}

/* Nearly all data is bounced, so that late commands can be given up without a reset. */
static void gives_up(struct nvme_config *config)
{
    fails(config);
    config->late = NVME_LATE_GIVE_UP;
    config->retries = 0;
    config->bounce_bytes = 8192;
    config->read.direct_min_bytes = config->write.direct_min_bytes = 65536;
}

const struct campaign_policy campaign_policies[] = {
    {"polls", polls, false},      {"interrupts", interrupts, false}, {"shadows", shadows, false},
    {"resets", resets, false},    {"reissues", reissues, false},     {"fails", fails, true},
    {"gives-up", gives_up, true},
};
const unsigned campaign_policy_count = sizeof campaign_policies / sizeof campaign_policies[0];
