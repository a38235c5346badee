/* SPDX-License-Identifier: BSD-2-Clause
 * The small drive; see nand_rig.h. */
#include "unit/media/nand_rig.h"

#include <stdlib.h>
#include <string.h>

#define WAITED_FOR 1023u /* of rig.end_ps */

struct nand_rig rig;

void nand_rig_setup(void)
{
    memset(&rig, 0, sizeof rig);
    rig.capacity = 4 << 20;
    rig.params = (struct media_params){
        .kind = MEDIA_NAND,
        .nand_channels = 2,
        .nand_ways = 1,
        .nand_dies = 2,
        .nand_planes = 1,
        .nand_pages = 16,
        .nand_page_size = UNIT,
        .nand_read_first = 40 * US,
        .nand_program_first = 200 * US,
        .nand_erase = 1000 * US,
        .nand_channel_rate = UINT64_C(1024000000), /* 4 us for 4 KiB */
        .nand_cached = 1,
        .nand_defer = 5000 * US,
        .buffer_size = 16 * UNIT,
        .buffer_bandwidth = UINT64_C(1000000000000),
        .ftl_over_provision = 250000,
        .ftl_gc_low = 2,
        .ftl_separate = 1,
    };
}

void nand_rig_open(void)
{
    ck_assert_ptr_null(media_params_check(&rig.params, rig.capacity));
    rig.engine = engine_create(3);
    rig.media = media_create(rig.engine, &rig.params, rig.capacity);
}

void nand_rig_teardown(void)
{
    media_destroy(rig.media);
    engine_destroy(rig.engine);
}

static void on_end(void *ctx, uint64_t arg)
{
    (void)ctx;
    rig.end_ps[arg] = engine_now(rig.engine);
}

uint64_t nand_start(enum media_op op, uint64_t offset, uint64_t bytes, uint32_t arg)
{
    uint64_t start_ps;

    media_start(rig.media, op, offset, bytes, on_end, NULL, arg, &start_ps);
    return start_ps;
}

uint64_t nand_do(enum media_op op, uint64_t offset, uint64_t bytes)
{
    uint64_t begin_ps = engine_now(rig.engine);

    rig.end_ps[WAITED_FOR] = ENGINE_NEVER;
    nand_start(op, offset, bytes, WAITED_FOR);
    while (rig.end_ps[WAITED_FOR] == ENGINE_NEVER)
        ck_assert(engine_step(rig.engine));
    return rig.end_ps[WAITED_FOR] - begin_ps;
}

void nand_settle_down(void)
{
    while (engine_step(rig.engine)) {
    }
}

struct media_nand_stats nand_stats(void)
{
    struct media_nand_stats stats;

    ck_assert(media_get_nand_stats(rig.media, &stats));
    return stats;
}

const struct ftl *nand_layer(void)
{
    return nand_ftl(rig.media->model);
}

void nand_check(void)
{
    const struct ftl *ftl = nand_layer();
    uint32_t *valid = calloc(ftl->superblock_count, sizeof *valid);
    uint32_t free_count = 0;

    ck_assert_ptr_nonnull(valid);
    for (uint32_t unit = 0; unit < ftl->units; unit++) {
        uint32_t copy = ftl_copy_of(ftl, unit);

        if (copy == FTL_NOWHERE)
            continue;
        ck_assert_uint_eq(table_get(&ftl->reverse, copy), unit);
        valid[copy / ftl->superblock_units]++;
    }
    for (uint32_t i = 0; i < ftl->superblock_count; i++) {
        ck_assert_uint_eq(ftl->superblocks[i].valid, valid[i]);
        if (ftl->superblocks[i].state == SUPERBLOCK_FREE) {
            ck_assert_uint_eq(valid[i], 0);
            free_count++;
        }
    }
    ck_assert_uint_eq(ftl->free_count, free_count);
    ck_assert_uint_ge(ftl->free_count, 1); /* the collector's reserve, between operations */
    free(valid);
}

uint64_t nand_overwrite(struct rng *random, uint32_t writes)
{
    struct media_nand_stats before = nand_stats(), after;
    uint64_t units = rig.capacity / UNIT;

    for (uint32_t i = 0; i < writes; i++)
        nand_do(MEDIA_WRITE, rng_below(random, units) * UNIT, UNIT);
    after = nand_stats();
    return (after.host_units - before.host_units + after.copied_units - before.copied_units +
            after.padding_units - before.padding_units) *
           1000 / writes;
}
