/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a 4 KiB operation on flash costs the simulator, in the medium and its event alone:
 * media_nand read|write COUNT, random, 16 in flight, on a drive of 1 GiB in its steady state. Meant
 * for callgrind: the slope between two counts is the figure (scripts/measure.py).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/rng.h"
#include "media/media.h"

enum { UNIT = 4096, DEPTH = 16 };
#define CAPACITY (UINT64_C(1) << 30)
#define US       UINT64_C(1000000)

struct bench {
    struct media *media;
    struct rng random;
    enum media_op op;
    uint64_t left;
};

static void next(void *ctx, uint64_t arg)
{
    struct bench *bench = ctx;
    uint64_t start_ps;

    if (bench->left == 0)
        return;
    bench->left--;
    media_start(bench->media, bench->op, rng_below(&bench->random, CAPACITY / UNIT) * UNIT, UNIT,
                next, bench, arg, &start_ps);
}

int main(int argc, char **argv)
{
    const struct media_params params = {
        .kind = MEDIA_NAND,
        .capacitor = 1,
        .nand_channels = 8,
        .nand_ways = 4,
        .nand_dies = 1,
        .nand_planes = 2,
        .nand_pages = 12,
        .nand_page_size = 16384,
        .nand_cell = 2,
        .nand_read_first = 45 * US,
        .nand_read_second = 60 * US,
        .nand_read_third = 75 * US,
        .nand_one_shot = 1,
        .nand_program = 700 * US,
        .nand_erase = 3000 * US,
        .nand_channel_rate = UINT64_C(1200000000),
        .nand_cached = 1,
        .nand_defer = 5000 * US,
        .buffer_size = 4 << 20,
        .buffer_latency = 4 * US,
        .buffer_bandwidth = UINT64_C(6000000000),
        .ftl_over_provision = 140000,
        .ftl_gc_low = 2,
        .ftl_separate = 1,
        .ftl_wear_threshold = 50,
        .precondition = 2,
    };
    struct engine *engine = engine_create(1);
    struct media_nand_stats stats;
    struct bench bench = {.op = MEDIA_READ};

    if (argc != 3 || (strcmp(argv[1], "read") != 0 && strcmp(argv[1], "write") != 0)) {
        fprintf(stderr, "usage: media_nand read|write COUNT\n");
        return 2;
    }
    if (strcmp(argv[1], "write") == 0)
        bench.op = MEDIA_WRITE;
    bench.left = strtoull(argv[2], NULL, 10);
    bench.media = media_create(engine, &params, CAPACITY);
    rng_init(&bench.random, 1, "bench");
    for (uint64_t i = 0; i < DEPTH; i++)
        next(&bench, i);
    while (engine_step(engine)) {
    }
    media_get_nand_stats(bench.media, &stats);
    printf("%llu us, %llu units copied, %llu superblocks erased\n",
           (unsigned long long)(engine_now(engine) / US), (unsigned long long)stats.copied_units,
           (unsigned long long)stats.erases);
    media_destroy(bench.media);
    engine_destroy(engine);
    return 0;
}
