/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The checker of the host's behaviour: a reader of the event stream that knows the rules which a
 * driver (or the port below it) must keep towards a controller, and complains where one is broken.
 * It stands on the stream alone and reads the specification for itself: it shares nothing with the
 * controller model or the driver core but the vocabulary of records, and so is a third witness.
 *
 * One checker serves one controller of one run. Attached by sim/run (and by the tests' own worlds);
 * verdicts are shown by sim/cli. What rules there are: rule.h. How it works: picture.h, judge.h.
 */
#ifndef RULES_RULES_H
#define RULES_RULES_H

#include "engine/stream.h"
#include "rules/rule.h"

#define RULES_TEXT_MAX 1000

struct rules;
struct rules_suppressions;

enum rules_mode {
    RULES_FATAL,  /* the first violation ends the run: nothing is judged after it */
    RULES_REPORT, /* every violation is counted, the first of each rule is told, the run goes on */
    RULES_OFF
};

/* What the checker is told about the machine that the stream does not say. */
struct rules_setup {
    struct stream *stream;
    /* The bytes at a bus address as they are now; false: that is no host memory, or its bytes are
     * not held. */
    bool (*peek)(void *ctx, uint64_t bus, void *to, size_t bytes);
    /* A number that changes with what [bus, bus + bytes) holds. */
    uint64_t (*digest)(void *ctx, uint64_t bus, size_t bytes);
    /* A violation was found in RULES_FATAL. May be NULL. */
    void (*tripped)(void *ctx);
    void *ctx;
    enum rules_mode mode;                      /* not RULES_OFF: then there is no checker */
    const struct rules_suppressions *suppress; /* may be NULL */
    const char *again; /* the command line that repeats the run; NULL: nobody knows */
    uint64_t seed;
    bool loads_ordered; /* this platform's loads are: read fences are not asked for */
    bool coherent;      /* the device sees the CPU's stores without cache maintenance */
    /* Counters over the whole run are held against their limits. False for runs that are too short
     * or too special (faults) for such figures to mean anything. */
    bool performance;
};

/* What came out. Plain data: goes from worker processes to the command. */
struct rules_verdict {
    uint32_t judged;     /* 0: there was no checker */
    uint32_t violations; /* those that are not suppressed */
    uint32_t suppressed;
    uint16_t count[RULE_COUNT_MAX]; /* by enum rule_id; stays at 65535 */
    char text[RULES_TEXT_MAX];      /* of the first, whole; "" if there was none */
    uint64_t first_ps;              /* simulated time of the first */
};

/* Begins to listen at once. The stream, the setup's ctx and texts must outlive the checker; the
 * setup is copied. Never NULL. */
struct rules *rules_create(const struct rules_setup *setup);
/* The run is over: counters are held against their limits, and no more is judged. */
void rules_conclude(struct rules *rules);
/* Valid while the checker lives. */
const struct rules_verdict *rules_get_verdict(const struct rules *rules);
void rules_destroy(struct rules *rules);

/* ---- suppressions (suppress.c) ---- */

/* A file of lines `RULE reason`, with # comments and blank lines; the reason is required. NULL with
 * one sentence in why (at most RULES_TEXT_MAX bytes: file, line, what is wrong, what is allowed) if
 * it cannot be used. */
struct rules_suppressions *rules_suppressions_read(const char *path, char why[RULES_TEXT_MAX]);
void rules_suppressions_free(struct rules_suppressions *suppressions);
/* The reason for which a rule is suppressed, or NULL. */
const char *rules_suppressed(const struct rules_suppressions *suppressions, enum rule_id rule);

#endif
