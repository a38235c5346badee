/* SPDX-License-Identifier: BSD-2-Clause
 * A small drive with flash for tests: round times, two channels of two dies, and the check of what
 * must always hold in the translation layer. */
#ifndef UNIT_MEDIA_NAND_RIG_H
#define UNIT_MEDIA_NAND_RIG_H

#include <check.h>

#include "engine/rng.h"
#include "media/buffer.h"
#include "media/ftl.h"
#include "media/media.h"
#include "media/model.h"
#include "media/store.h"

#define US   UINT64_C(1000000)
#define UNIT UINT64_C(4096)

struct nand_rig {
    struct engine *engine;
    struct media *media;
    struct media_params params;
    uint64_t capacity;
    uint64_t end_ps[1024]; /* of operations, by argument; the last is nand_do()'s */
};

extern struct nand_rig rig;

/* Parameters to change before nand_rig_open(): SLC, 2 channels, 1 way, 2 dies, 1 plane, pages of 4
 * KiB, 16 pages in a block; reads 40 us, programs 200 us, erases 1 ms; a unit passes the channel in
 * 4 us; nothing else takes time. 4 MiB, as many blocks as they need with 25 % more. */
void nand_rig_setup(void);
void nand_rig_open(void);
void nand_rig_teardown(void);

/* Starts an operation; the result is *start_ps. Ends are noted in rig.end_ps[arg]. */
uint64_t nand_start(enum media_op op, uint64_t offset, uint64_t bytes, uint32_t arg);
/* Starts it, waits for it, and returns how long it took. */
uint64_t nand_do(enum media_op op, uint64_t offset, uint64_t bytes);
void nand_settle_down(void); /* until nothing is due */

struct media_nand_stats nand_stats(void);
const struct ftl *nand_layer(void);

/* Map and reverse map agree, valid counts are right, free superblocks are empty. */
void nand_check(void);

/* Random writes of 4 KiB at depth 1; returns the write amplification in thousandths. */
uint64_t nand_overwrite(struct rng *random, uint32_t writes);

#endif
