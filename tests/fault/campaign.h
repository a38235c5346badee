/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A fault at every event: one mixed workload on a simulated machine is repeated with one fault of
 * the controller's enumeration (docs/faults.md) at the k-th command or event, for every k and kind.
 *
 *   kinds.c     the faults, what each may cause, and the configurations of the driver
 *   world.c     the machine with the driver core, and what the core has of it
 *   ledger.c    what each block may hold
 *   workload.c  what the owner of the requests does when things go wrong, and one whole run
 *   request.c, judge.c  its requests, and how they may end
 *   main.c      the enumeration and the command line
 *
 * Every violation is told by campaign_fail(), with the command that shows it again.
 */
#ifndef TESTS_FAULT_CAMPAIGN_H
#define TESTS_FAULT_CAMPAIGN_H

#include <nvme/nvme.h>

#include "machine/machine.h"

#define CAMPAIGN_BLOCK_BYTES 512u
#define CAMPAIGN_BLOCKS      512u /* that the workload uses */
#define CAMPAIGN_WORDS       (CAMPAIGN_BLOCK_BYTES / 8u)

#if defined(__GNUC__)
#define CAMPAIGN_PRINTF __attribute__((format(printf, 1, 2), noreturn))
#else
#define CAMPAIGN_PRINTF
#endif
void campaign_fail(const char *format, ...) CAMPAIGN_PRINTF;

/* ---- kinds.c ---- */

/* Where the faults of a kind strike. */
enum campaign_place {
    CAMPAIGN_NOWHERE, /* no fault: one run */
    CAMPAIGN_IO,      /* the k-th I/O command */
    CAMPAIGN_ADMIN,   /* the k-th admin command, bring-up and shutdown included */
    CAMPAIGN_ENABLE,  /* the k-th time that CC.EN is set */
    CAMPAIGN_MESSAGE, /* the k-th interrupt */
    CAMPAIGN_TIME,    /* the k-th moment at which the controller did something */
    CAMPAIGN_WHILE    /* every I/O command for CAMPAIGN_WHILE_PS from that moment on */
};
#define CAMPAIGN_WHILE_PS (UINT64_C(300) * 1000000)

/* What a fault may cause. */
#define MAY_STATUS   (1u << 0) /* requests that end with `status` */
#define MAY_RESET    (1u << 1) /* a reset, and requests that end because of it */
#define MAY_LOSE     (1u << 2) /* blocks that hold what they held at the last flush, or since */
#define MAY_CORRUPT  (1u << 3) /* one bit that is wrong and not noticed */
#define MAY_DISTURB  (1u << 4) /* blocks that cannot be read until they are written */
#define MAY_NOT_COME (1u << 5) /* a controller that never comes back */
#define MAY_EXHAUST  (1u << 6) /* with MAY_STATUS: also the last try */
#define MAY_TIME_OUT (1u << 7) /* the one request that it strikes can be late */

struct campaign_kind {
    const char *name;
    const char *action; /* of the rule */
    enum campaign_place place;
    unsigned may;
    uint16_t status;
};
extern const struct campaign_kind campaign_kinds[];
extern const unsigned campaign_kind_count;

struct campaign_policy {
    const char *name;
    void (*set)(struct nvme_config *config);
    bool fails_cleanly; /* nothing is sent again after a reset: judge.c demands more */
};
extern const struct campaign_policy campaign_policies[];
extern const unsigned campaign_policy_count;

/* ---- world.c ---- */

struct world {
    struct machine *machine;
    struct host *host;
    struct nvme *nvme;
    void *arena;
    struct nvme_platform platform;
    struct nvme_platform_ops ops;
    struct nvme_config config;
    unsigned resets; /* that the program asked for */
};

/* faults: rules, or "". */
void world_create(struct world *world, const struct campaign_policy *policy, const char *faults,
                  uint64_t seed);
void world_destroy(struct world *world);
/* Bring it up, with resets when that fails. False: it does not come up. */
bool world_start(struct world *world);
bool world_recover(struct world *world); /* FAILED, or stuck: READY again? */
void world_stop(struct world *world);    /* OFF, and everything given back */
void world_wait(struct world *world, uint64_t ps);
bool world_struck(const struct world *world);
uint64_t world_now(const struct world *world);     /* ps */
bool world_has_refused(const struct world *world); /* accesses to memory not granted */

/* ---- ledger.c ---- */

#define LEDGER_VALUES 24u

struct ledger_set {
    uint8_t count;
    uint64_t values[LEDGER_VALUES];
};
struct ledger_block {
    struct ledger_set now;    /* what it may hold */
    struct ledger_set behind; /* what it may hold after the power was lost */
    uint64_t written;         /* number of the last write that was acknowledged */
    bool unreadable;
};
struct ledger {
    struct ledger_block blocks[CAMPAIGN_BLOCKS];
    bool corrupt_allowed;
    unsigned corrupted;
};

void ledger_init(struct ledger *ledger, bool corrupt_allowed);
uint64_t ledger_tag(uint64_t number, uint32_t block); /* never 0 */
/* A write of tag, or of zeroes (tag 0). good: acknowledged. forced: FUA. doubtful: the power was
 * lost between its submission and its end. */
void ledger_write(struct ledger *ledger, uint32_t block, uint64_t tag, uint64_t number, bool good,
                  bool forced, bool doubtful);
/* A flush that was submitted when writes up to `number` had ended. */
void ledger_flushed(struct ledger *ledger, uint64_t number);
void ledger_power_lost(struct ledger *ledger);
/* What was read may be. */
void ledger_read(struct ledger *ledger, uint32_t block, const uint64_t *words);
bool ledger_certain(const struct ledger *ledger, uint32_t block, uint64_t *tag);

/* ---- workload.c ---- */

/* The gravest of what happened. */
enum campaign_end { END_OK, END_RETRIED, END_ABORTED, END_ERROR, END_RESET, END_FAILED, ENDS };

struct campaign_counts { /* of a run without a fault */
    uint64_t io, admin, enables, messages;
    uint64_t *moments; /* ps, growing; the caller frees it */
    uint64_t moment_count;
};

/* One run. counts: NULL, or to be filled. */
enum campaign_end campaign_run(const struct campaign_policy *policy,
                               const struct campaign_kind *kind, uint64_t at_event, uint64_t at_ps,
                               uint64_t seed, struct campaign_counts *counts);

#endif
