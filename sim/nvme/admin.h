/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Admin commands and the state behind them: features, asynchronous events, the error log. Functions
 * that execute a command return a status or COMMAND_GOES_ON.
 */
#ifndef NVME_ADMIN_H
#define NVME_ADMIN_H

#include <stdbool.h>
#include <stdint.h>

#include "nvme/wire.h"

struct ctrl;
struct command;

uint16_t admin_execute(struct ctrl *ctrl, struct command *cmd);
/* The data of a COMMAND_ADMIN_OUT has arrived: takes it and completes the command. */
void admin_data_arrived(struct ctrl *ctrl, struct command *cmd);

/* features.c */
#define FEATURES_MAX      16u /* identifiers 0..15 */
#define TEMPERATURE_SLOTS 2u  /* over and under threshold of the composite sensor */
#define NO_DRAIN          UINT64_MAX

struct features {
    uint32_t value[FEATURES_MAX];
    uint16_t temperature[TEMPERATURE_SLOTS];
    uint64_t cache_drain; /* Set Features command that flushes the cache it turned off; NO_DRAIN */
};

uint16_t features_set(struct ctrl *ctrl, struct command *cmd);
uint16_t features_get(struct ctrl *ctrl, struct command *cmd);
void features_reset(struct ctrl *ctrl);
bool features_cache_on(const struct ctrl *ctrl);
bool features_cache_may_hold(const struct ctrl *ctrl); /* data that is not on the medium yet */
/* Longest error recovery that the host wants (5.21.1.5), ps; 0: no limit. */
uint64_t features_recovery_limit_ps(const struct ctrl *ctrl);
void features_cache_drained(struct ctrl *ctrl, const struct command *cmd);

/* async.c */
#define ASYNC_HELD_MAX    16u
#define ERROR_LOG_ENTRIES 16u

struct async {
    uint32_t held[ASYNC_HELD_MAX]; /* command indices, oldest first */
    uint32_t held_count;
    uint32_t waiting[EVENT_TYPES];       /* dword 0 of an event that nobody has asked for yet */
    uint8_t waiting_types, masked_types; /* bit per type */
};

struct error_entry {
    uint64_t count;
    uint16_t sqid;
    uint16_t status;
};

struct error_log {
    struct error_entry entries[ERROR_LOG_ENTRIES]; /* a ring; the newest is count - 1 */
    uint64_t count;
};

uint16_t async_request(struct ctrl *ctrl, struct command *cmd);
bool async_abort(struct ctrl *ctrl, uint16_t cid);
void async_error(struct ctrl *ctrl, enum wire_event_error error, uint16_t qid);
void async_unmask(struct ctrl *ctrl, enum wire_event_type type);
void async_reset(struct ctrl *ctrl);

/* log.c */
#define LOG_PAGE_BYTES_MAX 1024u

uint16_t log_start(struct ctrl *ctrl, struct command *cmd);
void log_fill(struct ctrl *ctrl, const struct command *cmd, uint8_t *bytes);

#endif
