/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What scenario tests start from: a resolved configuration of the shipped profiles, changed by
 * "section.key=value" texts, and a run on it.
 */
#ifndef SCENARIO_FIXTURE_H
#define SCENARIO_FIXTURE_H

#include "config/config.h"
#include "run/run.h"

struct fixture {
    struct config *config;
    struct run_params params;
    struct run_spec spec;
};

/* setup NULL: drive and host are named. Fails the test if anything is wrong. */
void fixture_open(struct fixture *fixture, const char *setup, const char *driver, const char *drive,
                  const char *host);
/* One parameter, as -s would set it. */
void fixture_set(struct fixture *fixture, const char *assignment);
void fixture_close(struct fixture *fixture);

/* Run one suite; fails the test if the run fails. */
struct result fixture_suite(struct fixture *fixture, const char *suite, uint64_t block_bytes);

#endif
