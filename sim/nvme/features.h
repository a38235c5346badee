/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Features: a table with one row each (feature_table.c), the values, and what other files ask of
 * them. Values are kept per slot: one for the controller as a whole, or one for each namespace,
 * interrupt vector or threshold.
 */
#ifndef NVME_FEATURES_H
#define NVME_FEATURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"
#include "nvme/wire.h"
#include "nvme/wire_admin.h"

struct ctrl;
struct command;

/* Rows of the table, in its order. */
enum feature_number {
    ROW_ARBITRATION,
    ROW_POWER,
    ROW_LBA_RANGE,
    ROW_TEMPERATURE,
    ROW_ERROR_RECOVERY,
    ROW_WRITE_CACHE,
    ROW_QUEUES,
    ROW_COALESCING,
    ROW_VECTOR,
    ROW_ATOMICITY,
    ROW_ASYNC_EVENT,
    ROW_HOST_MEMORY,
    ROW_TIMESTAMP,
    ROW_KEEP_ALIVE,
    ROW_HOST_BEHAVIOR,
    ROW_PROGRESS_MARKER,
    ROW_HOST_IDENTIFIER,
    FEATURE_ROWS
};

enum { TEMPERATURE_OVER, TEMPERATURE_UNDER, TEMPERATURE_SLOTS };
enum feature_scope { SCOPE_CONTROLLER, SCOPE_NAMESPACE };

/* Hooks get the slot that a command names; those that are NULL do nothing special. */
struct feature {
    uint8_t id;
    uint8_t scope; /* enum feature_scope; of a namespace: slot NSID - 1 */
    bool saveable;
    bool persistent;    /* not saveable, but a reset does not change it (figure 271) */
    uint16_t set_bytes; /* of the data structure that comes with Set; 0: dword 11 is the value */
    uint16_t get_bytes; /* and that Get returns */
    /* How much of it a command moves; NULL: all of it. */
    uint32_t (*bytes)(const struct command *cmd);
    uint32_t keep;   /* bits of dword 11 that are a value, others are ignored; 0: all are */
    uint32_t refuse; /* bits of dword 11 that make a Set fail with Invalid Field */
    bool (*exists)(const struct ctrl *ctrl);
    uint32_t (*slots)(const struct ctrl *ctrl); /* NULL: 1 */
    /* Slot that dword 11 of a Set or Get names; false: there is none. */
    bool (*find_slot)(const struct ctrl *ctrl, bool is_set, uint32_t cdw11, uint32_t *slot);
    /* Default value; data (get_bytes) is zeroed, NULL if not wanted. NULL: all zero. */
    uint32_t (*initial)(const struct ctrl *ctrl, uint32_t slot, uint8_t *data);
    /* Current value where it is not what was stored. */
    uint32_t (*current)(const struct ctrl *ctrl, uint32_t slot, uint8_t *data);
    /* May this be set? It may change *dword to what will hold. */
    uint16_t (*check)(const struct ctrl *ctrl, const struct command *cmd, uint32_t slot,
                      uint32_t *dword, const uint8_t *data);
    /* The value has changed: by a reset, or by a Set if there is no `then`. */
    void (*apply)(struct ctrl *ctrl);
    /* It was set; a status or COMMAND_GOES_ON. */
    uint16_t (*then)(struct ctrl *ctrl, struct command *cmd);
};

extern const struct feature feature_table[FEATURE_ROWS];

struct feature_value {
    uint32_t dword;
    bool is_set;   /* else it is the default one */
    uint8_t *data; /* set_bytes; NULL if it is the default one or has none */
};

/* 0Dh: what the host has lent (hostmem.c). */
struct host_memory_extent {
    uint64_t bus, bytes;
};
struct host_memory {
    bool enabled;
    bool loading;                 /* the list is on its way */
    uint32_t pages, list_entries; /* HSIZE in memory pages, HMDLEC */
    uint64_t list_at;             /* HMDLA */
    struct host_memory_extent *extents;
    uint32_t extent_count;
};

struct features {
    struct feature_value *current[FEATURE_ROWS], *saved[FEATURE_ROWS]; /* [slot] */
    uint32_t slots[FEATURE_ROWS];
    bool cache_on;         /* 06h, for the path of every write */
    uint64_t cache_drain;  /* Set Features command that flushes the cache it turned off; or below */
    uint64_t timestamp_ps; /* simulated time of the Set of 0Eh */
    engine_handle keep_alive; /* runs out */
    struct host_memory host_memory;
};
#define NO_DRAIN      UINT64_MAX
#define CACHE_SUSPECT (UINT64_MAX - 1) /* off, may hold data, and no command is at work on that */

/* features.c: the mechanism */
void features_init(struct ctrl *ctrl);
void features_free(struct ctrl *ctrl);
void features_reset(struct ctrl *ctrl); /* controller level reset */
uint16_t features_set(struct ctrl *ctrl, struct command *cmd);
uint16_t features_get(struct ctrl *ctrl, struct command *cmd);
uint16_t features_take(struct ctrl *ctrl, struct command *cmd, const uint8_t *bytes);
void features_fill(struct ctrl *ctrl, const struct command *cmd, uint8_t *bytes);
/* A namespace was created, formatted or deleted: its features are those of a new one. */
void features_namespace_reset(struct ctrl *ctrl, uint32_t nsid);
/* Current value of a feature without hooks of its own. */
uint32_t features_dword(const struct ctrl *ctrl, enum feature_number row, uint32_t slot);
uint16_t features_oncs_bits(const struct ctrl *ctrl);   /* ONCS (5.15.2.2) */
uint32_t features_ctratt_bits(const struct ctrl *ctrl); /* CTRATT */

/* feature_table.c */
bool features_cache_on(const struct ctrl *ctrl);
bool features_cache_may_hold(const struct ctrl *ctrl); /* data that is not on the medium yet */
void features_cache_drained(struct ctrl *ctrl, const struct command *cmd);
/* Longest error recovery that the host wants for a namespace (5.21.1.5), ps; 0: no limit. */
uint64_t features_recovery_limit_ps(const struct ctrl *ctrl, uint32_t nsid);
/* 08h and 09h (5.21.1.8, 5.21.1.9). threshold: entries, 1 = each; time_ps 0: no time limit is set,
 * and nothing is coalesced. */
struct feature_coalescing {
    uint32_t threshold;
    uint64_t time_ps;
};
struct feature_coalescing features_coalescing(const struct ctrl *ctrl);
bool features_vector_coalesces(const struct ctrl *ctrl, uint32_t vector);
/* 01h (5.21.1.1): commands of one turn of each weighted class, 1 to 256. */
struct feature_weights {
    uint32_t high, medium, low;
};
struct feature_weights features_weights(const struct ctrl *ctrl);
/* Command Retry Delay bits for a status that may be retried (4.6.1, 5.21.1.22): delay is 1 to 3,
 * the CRDT meant. 0 unless the host has said that it looks at them and that delay is reported. */
uint64_t features_retry_delay_ps(const struct ctrl *ctrl, unsigned delay); /* as Identify has it */
uint16_t features_retry_delay(const struct ctrl *ctrl, unsigned delay);

#endif
