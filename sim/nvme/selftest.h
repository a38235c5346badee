/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Device Self-test.
 */
#ifndef NVME_SELFTEST_H
#define NVME_SELFTEST_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"

struct ctrl;
struct command;

#define SELF_TEST_RESULTS    20u
#define SELF_TEST_PAGE_BYTES 564u

struct selftest_result {
    uint8_t kind, outcome; /* enum selftest_kind, selftest_outcome of selftest.c */
    uint32_t nsid;
    uint64_t hours; /* power on hours at its end */
};

struct selftest {
    uint8_t kind; /* 0: none runs */
    uint32_t nsid;
    uint64_t started_ps, duration_ps;
    engine_handle timer;
    struct selftest_result results[SELF_TEST_RESULTS]; /* a ring; the newest is count - 1 */
    uint64_t count;
};

bool selftest_exists(const struct ctrl *ctrl);
uint16_t selftest_execute(struct ctrl *ctrl, struct command *cmd);
void selftest_reset(struct ctrl *ctrl); /* controller level reset */
void selftest_stop(struct ctrl *ctrl);  /* no event of it is left; no result either */
/* A Format NVM or a removal of this namespace (NSID_ALL: all) ends a test that includes it. */
void selftest_namespace_gone(struct ctrl *ctrl, uint32_t nsid, bool formatted);
uint16_t selftest_minutes(const struct ctrl *ctrl);   /* EDSTT */
void selftest_fill(struct ctrl *ctrl, uint8_t *page); /* log page 06h, zeroed */

#endif
