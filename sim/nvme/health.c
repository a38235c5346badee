/* SPDX-License-Identifier: BSD-2-Clause
 *
 * SMART / Health Information (NVMe 1.4 section 5.14.1.2) and critical warnings. Nothing inside the
 * model changes the temperature, the spare capacity or the wear yet: a test or a profile of faults
 * does (ctrl_set_health()). A critical warning raises its event when it comes up, not as long as it
 * lasts. The log is the controller's as a whole (LPA bit 0 = 0).
 */
#include "nvme/internal.h"

/* SMART / Health (figure 198). */
enum {
    SMART_WARNING = 0,
    SMART_TEMPERATURE = 1,
    SMART_SPARE = 3,
    SMART_SPARE_THRESHOLD = 4,
    SMART_USED = 5,
    SMART_UNITS_READ = 32,
    SMART_UNITS_WRITTEN = 48,
    SMART_READS = 64,
    SMART_WRITES = 80,
    SMART_BUSY_MINUTES = 96,
    SMART_POWER_CYCLES = 112,
    SMART_POWER_ON_HOURS = 128,
    SMART_UNSAFE_SHUTDOWNS = 144,
    SMART_MEDIA_ERRORS = 160,
    SMART_ERROR_ENTRIES = 176,
    SMART_WARNING_MINUTES = 192,
    SMART_CRITICAL_MINUTES = 196
};
#define DATA_UNIT_BYTES   UINT64_C(512000) /* a thousand units of 512 bytes, rounded up */
#define SPARE_PERCENT     100u
#define SPARE_LOW_PERCENT 10u
#define PS_PER_MINUTE     (60 * PS_PER_SECOND)
#define PS_PER_HOUR       (60 * PS_PER_MINUTE)

void health_init(struct ctrl *ctrl)
{
    ctrl->health = (struct health){.temperature = (uint16_t)ctrl->params.temperature,
                                   .spare_percent = SPARE_PERCENT,
                                   .power_cycles = 1};
    health_check(ctrl);
}

void health_busy_begins(struct ctrl *ctrl)
{
    ctrl->health.busy = true;
    ctrl->health.busy_since_ps = engine_now(ctrl->engine);
}

static uint64_t busy_ps(const struct ctrl *ctrl)
{
    const struct health *health = &ctrl->health;

    return health->busy_ps + (health->busy ? engine_now(ctrl->engine) - health->busy_since_ps : 0);
}

void health_busy_ends(struct ctrl *ctrl)
{
    ctrl->health.busy_ps = busy_ps(ctrl);
    ctrl->health.busy = false;
}

/* The thresholds are crossed at equality (5.21.1.4). */
static uint8_t warnings_now(const struct ctrl *ctrl)
{
    const struct health *health = &ctrl->health;
    uint8_t warnings = health->faults;

    if (health->temperature >= features_dword(ctrl, ROW_TEMPERATURE, TEMPERATURE_OVER) ||
        health->temperature <= features_dword(ctrl, ROW_TEMPERATURE, TEMPERATURE_UNDER))
        warnings |= WARNING_TEMPERATURE;
    if (health->spare_percent < SPARE_LOW_PERCENT)
        warnings |= WARNING_SPARE;
    return warnings;
}

void health_check(struct ctrl *ctrl)
{
    uint8_t old = ctrl->health.warnings;

    ctrl->health.warnings = warnings_now(ctrl);
    if ((ctrl->health.warnings & ~(unsigned)old) != 0)
        async_smart(ctrl, (uint8_t)(ctrl->health.warnings & ~(unsigned)old));
}

/* Brings the times of heat up to now: 5.14.1.2, "at or above". */
static void account_heat(struct ctrl *ctrl)
{
    struct health *health = &ctrl->health;
    uint64_t now_ps = engine_now(ctrl->engine);
    uint64_t ps = now_ps - health->since_ps;

    if (health->temperature >= ctrl->params.critical_temperature)
        health->hot_ps += ps;
    else if (health->temperature >= ctrl->params.warning_temperature)
        health->warm_ps += ps;
    health->since_ps = now_ps;
}

void ctrl_set_health(struct ctrl *ctrl, const struct ctrl_health *told)
{
    account_heat(ctrl);
    ctrl->health.temperature = told->temperature;
    ctrl->health.spare_percent = told->spare_percent;
    ctrl->health.used_percent = told->used_percent;
    ctrl->health.faults = (uint8_t)((told->unreliable ? WARNING_RELIABILITY : 0) |
                                    (told->read_only ? WARNING_READ_ONLY : 0) |
                                    (told->backup_failed ? WARNING_BACKUP : 0));
    health_check(ctrl);
}

void health_power_cycle(struct ctrl *ctrl, bool unsafe)
{
    ctrl->health.power_cycles++;
    ctrl->health.unsafe_shutdowns += unsafe;
}

uint64_t health_power_on_hours(const struct ctrl *ctrl)
{
    return engine_now(ctrl->engine) / PS_PER_HOUR;
}

/* Reads, Compares and Verifies move these units (5.14.1.2); Write Zeroes and Write Uncorrectable do
 * not count as written. */
static uint64_t bytes_read(const struct ctrl_stats *stats)
{
    return stats->bytes_read + stats->bytes_compared + stats->bytes_verified;
}

static uint64_t data_units(uint64_t bytes)
{
    return (bytes + DATA_UNIT_BYTES - 1) / DATA_UNIT_BYTES;
}

void health_fill(struct ctrl *ctrl, uint8_t *page)
{
    const struct health *health = &ctrl->health;
    const struct ctrl_stats *stats = &ctrl->stats;

    account_heat(ctrl);
    page[SMART_WARNING] = health->warnings;
    wire_put16(page + SMART_TEMPERATURE, health->temperature);
    page[SMART_SPARE] = health->spare_percent;
    page[SMART_SPARE_THRESHOLD] = SPARE_LOW_PERCENT;
    page[SMART_USED] = health->used_percent;
    wire_put64(page + SMART_UNITS_READ, data_units(bytes_read(stats)));
    wire_put64(page + SMART_UNITS_WRITTEN, data_units(stats->bytes_written));
    wire_put64(page + SMART_READS, stats->reads + stats->compares);
    wire_put64(page + SMART_WRITES, stats->writes);
    wire_put64(page + SMART_BUSY_MINUTES, busy_ps(ctrl) / PS_PER_MINUTE);
    wire_put64(page + SMART_POWER_CYCLES, health->power_cycles);
    wire_put64(page + SMART_POWER_ON_HOURS, health_power_on_hours(ctrl));
    wire_put64(page + SMART_UNSAFE_SHUTDOWNS, health->unsafe_shutdowns);
    wire_put64(page + SMART_MEDIA_ERRORS, health->media_errors);
    wire_put64(page + SMART_ERROR_ENTRIES, ctrl->error_log.count);
    wire_put32(page + SMART_WARNING_MINUTES, (uint32_t)(health->warm_ps / PS_PER_MINUTE));
    wire_put32(page + SMART_CRITICAL_MINUTES, (uint32_t)(health->hot_ps / PS_PER_MINUTE));
}
