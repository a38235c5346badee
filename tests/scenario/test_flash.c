/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The profiles of flash drives under load: Little's law, IOPS over depth between the bounds of
 * queueing theory, bandwidth at what dies and channels can do, the write cliff at the write
 * amplification. Figures of data sheets are not tested: docs/drives.md has their errors.
 */
#include <check.h>
#include <stdio.h>

#include "media/media.h"
#include "run/load.h"
#include "scenario/fixture.h"

#define KIB             UINT64_C(1024)
#define MIB             (KIB * KIB)
#define GIB             (KIB * MIB)
#define COUNT(array)    (sizeof(array) / sizeof((array)[0]))
#define WHOLE_NAMESPACE "ctrl.namespace_size=1 GiB" /* scaled further: tests take a moment */

static const char *const flash_drives[] = {"samsung-970evo", "samsung-pm983", "samsung-pm9a3",
                                           "wd-sn550"};

static void open_drive(struct fixture *f, const char *drive)
{
    fixture_open(f, NULL, "doorbell", drive, "ideal");
    f->spec.options.verify = false; /* no figure depends on it, and it takes time */
    fixture_set(f, WHOLE_NAMESPACE);
}

static struct load_result load(struct fixture *f, const struct run_load *job)
{
    char message[RUN_MESSAGE_MAX] = "";
    struct load_result result;
    const char *wrong = run_load_check(&f->params, job);
    ck_assert_msg(wrong == NULL, "%s", wrong);
    int error = run_load(&f->spec, job, &result, message);
    ck_assert_msg(error == RUN_OK, "%s", message);
    return result;
}

static struct run_load random_4k(uint64_t depth, uint64_t read_percent, uint64_t ios)
{
    return (struct run_load){.depth = depth,
                             .block_bytes = 4 * KIB,
                             .footprint = GIB,
                             .read_percent = read_percent,
                             .warm_ios = 2 * depth + 10000, /* more than a write buffer */
                             .ios = ios};
}

/* ---- Little's law ---- */

/* Given reads, writes and mixes on flash, where latencies vary from microseconds to milliseconds,
 * when throughput, latency and requests in flight are measured each on its own, then L = lambda * W
 * to 0.5 %. The window cuts through requests at both ends, some of them a hundred times as long as
 * the mean: four hundred times the depth keeps that small. */
START_TEST(little_s_law_holds_on_flash)
{
    static const uint64_t depths[] = {1, 32, 255}, reads[] = {100, 0, 70};
    struct fixture f;
    open_drive(&f, flash_drives[_i]);
    for (size_t d = 0; d < COUNT(depths); d++) {
        for (size_t r = 0; r < COUNT(reads); r++) {
            const struct run_load job = random_4k(depths[d], reads[r], 400 * depths[d] + 40000);
            const struct load_result result = load(&f, &job);
            double error = load_little_error(&result);
            ck_assert_msg(error > -0.005 && error < 0.005,
                          "%s, depth %llu, %llu %% reads: off by %.3f %%", flash_drives[_i],
                          (unsigned long long)depths[d], (unsigned long long)reads[r], error * 100);
            ck_assert_double_eq_tol(load_mean_in_flight(&result), (double)depths[d],
                                    0.005 * (double)depths[d]);
        }
    }
    fixture_close(&f);
}
END_TEST

/* ---- IOPS over depth ---- */

/* What the busiest part of the drive can do: all dies sensing pages, or the link (measured with a
 * medium that takes no time). */
static double most_read_iops(struct fixture *f)
{
    const struct media_params *media = &f->params.machine.media;
    const struct run_load job = random_4k(255, 100, 20000);
    uint64_t kind = media->kind;
    double dies = (double)(media->nand_channels * media->nand_ways * media->nand_dies);
    double sense_s =
        (double)(media->nand_read_first + media->nand_read_second + media->nand_read_third) / 3e12;
    f->params.machine.media.kind = MEDIA_NULL;
    const struct load_result link = load(f, &job);
    f->params.machine.media.kind = kind;
    return load_iops(&link) < dies / sense_s ? load_iops(&link) : dies / sense_s;
}

/* Given N requests in flight of which each takes W alone, and a busiest part that can do X, then
 * throughput is at most N / W and X, and at least N / (W + (N - 1) / X), which is what a balanced
 * network with exponential service times gives; constant ones wait less (Zahorjan et al., "Balanced
 * job bound analysis of queueing networks", CACM 25, 1982). The knee, N = X * W, lies between. It
 * never falls by more than 1 %, which is what 20,000 random reads differ by. */
START_TEST(reads_grow_with_the_depth_up_to_the_knee_and_are_flat_beyond)
{
    static const uint64_t depths[] = {1, 2, 4, 8, 16, 32, 64, 128, 255};
    struct fixture f;
    double alone_s = 0, before = 0;
    open_drive(&f, flash_drives[_i]);
    fixture_set(&f, "media.precondition=sequential");
    fixture_set(&f, "media.ftl_map_cache=0 B");
    const double most = most_read_iops(&f);
    for (size_t i = 0; i < COUNT(depths); i++) {
        const struct run_load job = random_4k(depths[i], 100, 20000);
        const struct load_result result = load(&f, &job);
        const double depth = (double)depths[i], iops = load_iops(&result);
        if (i == 0)
            alone_s = 1 / iops;
        const double bound = depth / alone_s < most ? depth / alone_s : most;
        ck_assert_msg(iops <= 1.005 * bound, "%s, depth %.0f: %.0f IOPS, at most %.0f",
                      flash_drives[_i], depth, iops, bound);
        ck_assert_msg(iops >= 0.995 * depth / (alone_s + (depth - 1) / most),
                      "%s, depth %.0f: %.0f IOPS, at least %.0f", flash_drives[_i], depth, iops,
                      depth / (alone_s + (depth - 1) / most));
        ck_assert_double_ge(iops, 0.99 * before);
        before = iops;
    }
    fixture_close(&f);
}
END_TEST

static double program_bytes_per_s(const struct media_params *media)
{
    double dies = (double)(media->nand_channels * media->nand_ways * media->nand_dies);
    return dies * (double)(media->nand_planes * 3 * media->nand_page_size) /
           ((double)media->nand_program / 1e12);
}

/* Given a drive with free superblocks, then writes are as fast as all dies program, from a few
 * requests on and whatever their number or size. 2 %: at its end the window finds the buffer as
 * full as at its beginning but for a program operation of some dies. */
START_TEST(writes_are_flat_at_what_the_dies_program)
{
    static const uint64_t depths[] = {8, 64, 255};
    struct fixture f;
    open_drive(&f, flash_drives[_i]);
    fixture_set(&f, "media.precondition=fresh");
    fixture_set(&f, "media.ftl_map_cache=0 B");
    fixture_set(&f, "link.kind=emulated");
    const double most = program_bytes_per_s(&f.params.machine.media);
    for (size_t i = 0; i < COUNT(depths); i++) {
        const struct run_load job = random_4k(depths[i], 0, 40000);
        const struct load_result result = load(&f, &job);
        ck_assert_double_eq_tol(load_mb_per_s(&result) * 1e6 / most, 1, 0.02);
    }
    for (uint64_t block = 16 * KIB; block <= MIB; block *= 8) {
        const struct run_load job = {.depth = 32,
                                     .block_bytes = block,
                                     .footprint = GIB,
                                     .sequential = true,
                                     .warm_ios = 64 * MIB / block,
                                     .ios = 320 * MIB / block};
        const struct load_result result = load(&f, &job);
        ck_assert_msg(load_mb_per_s(&result) * 1e6 > 0.98 * most &&
                          load_mb_per_s(&result) * 1e6 < 1.02 * most,
                      "%s, %llu bytes: %.1f MB/s of %.1f", flash_drives[_i],
                      (unsigned long long)block, load_mb_per_s(&result), most / 1e6);
    }
    fixture_close(&f);
}
END_TEST

/* Given a link that takes no time and a drive that keeps nothing, when blocks grow, then sequential
 * reads get faster until the channels are busy all the time, and stay there. */
START_TEST(sequential_reads_saturate_the_channels)
{
    struct fixture f;
    double before = 0;
    open_drive(&f, flash_drives[_i]);
    fixture_set(&f, "media.precondition=sequential");
    fixture_set(&f, "link.kind=emulated");
    fixture_set(&f, "media.read_buffer=0 B");
    const struct media_params *media = &f.params.machine.media;
    const double most = (double)media->nand_channels * (double)media->nand_page_size /
                        ((double)media->nand_command / 1e12 +
                         (double)media->nand_page_size / (double)media->nand_channel_rate);
    for (uint64_t block = 512; block <= MIB; block *= 2) {
        const struct run_load job = {.depth = 32,
                                     .block_bytes = block,
                                     .footprint = GIB,
                                     .read_percent = 100,
                                     .sequential = true,
                                     .warm_ios = 200,
                                     .ios = block < 32 * KIB ? 4000 : 128 * MIB / block};
        const struct load_result result = load(&f, &job);
        const double rate = load_mb_per_s(&result) * 1e6;
        ck_assert_msg(rate >= 0.99 * before, "%s, %llu bytes: %.1f MB/s after %.1f",
                      flash_drives[_i], (unsigned long long)block, rate / 1e6, before / 1e6);
        ck_assert_double_le(rate, 1.005 * most);
        if (block >= 256 * KIB)
            ck_assert_msg(rate >= 0.98 * most, "%s, %llu bytes: %.1f MB/s of %.1f",
                          flash_drives[_i], (unsigned long long)block, rate / 1e6, most / 1e6);
        before = rate;
    }
    fixture_close(&f);
}
END_TEST

static struct load_result read_in_order(struct fixture *f, uint64_t depth, uint64_t block)
{
    const struct run_load job = {.depth = depth,
                                 .block_bytes = block,
                                 .footprint = GIB,
                                 .read_percent = 100,
                                 .sequential = true,
                                 .warm_ios = 200,
                                 .ios = block < 32 * KIB ? 4000 : 128 * MIB / block};
    return load(f, &job);
}

/* Given the whole drive with its link, read buffer and read-ahead, when blocks grow, then no
 * sequential reads are more than 3 % slower than any smaller ones. */
START_TEST(sequential_reads_have_no_dip)
{
    struct fixture f;
    double before = 0;
    open_drive(&f, flash_drives[_i]);
    fixture_set(&f, "media.precondition=sequential");
    for (uint64_t block = 512; block <= MIB; block *= 2) {
        const struct load_result result = read_in_order(&f, 32, block);
        const double rate = load_mb_per_s(&result);
        ck_assert_msg(rate >= 0.97 * before, "%s, %llu bytes: %.1f MB/s after %.1f",
                      flash_drives[_i], (unsigned long long)block, rate, before);
        before = rate > before ? rate : before;
    }
    fixture_close(&f);
}
END_TEST

/* Given one sequential read of 4 KiB after the other, when the drive reads ahead, then nearly all
 * of them find their page: they are five times as fast as with neither buffer nor read-ahead. */
START_TEST(a_stream_alone_does_not_wait_for_the_dies)
{
    struct fixture f;
    open_drive(&f, flash_drives[_i]);
    fixture_set(&f, "media.precondition=sequential");
    const struct load_result with = read_in_order(&f, 1, 4 * KIB);
    fixture_set(&f, "media.read_buffer=0 B");
    const struct load_result without = read_in_order(&f, 1, 4 * KIB);
    ck_assert_double_ge(load_mb_per_s(&with), 5 * load_mb_per_s(&without));
    fixture_close(&f);
}
END_TEST

/* Given random reads over 1 GiB, when the drive keeps pages, then they are as fast as without to
 * 1 %: it holds 0.4 % of the data, and reads nothing ahead. */
START_TEST(random_reads_gain_nothing_from_a_read_buffer)
{
    static const uint64_t depths[] = {1, 32};
    for (size_t i = 0; i < COUNT(depths); i++) {
        const struct run_load job = random_4k(depths[i], 100, 20000);
        struct fixture f;
        open_drive(&f, flash_drives[_i]);
        fixture_set(&f, "media.precondition=sequential");
        const struct load_result with = load(&f, &job);
        fixture_set(&f, "media.read_buffer=0 B");
        const struct load_result without = load(&f, &job);
        ck_assert_double_eq_tol(load_iops(&with) / load_iops(&without), 1, 0.01);
        fixture_close(&f);
    }
}
END_TEST

/* ---- the write cliff ---- */

static struct media_nand_stats seen;

static void look(void *ctx, struct machine *machine)
{
    (void)ctx;
    ck_assert(media_get_nand_stats(machine_media(machine), &seen));
}

static struct load_result write_at_random(const char *drive, const char *state, uint64_t ios)
{
    char assignment[64];
    struct fixture f;
    open_drive(&f, drive);
    snprintf(assignment, sizeof assignment, "media.precondition=%s", state);
    fixture_set(&f, assignment);
    fixture_set(&f, "media.ftl_map_cache=0 B");
    f.spec.unobserve = look;
    const struct run_load job = random_4k(32, 0, ios);
    const struct load_result result = load(&f, &job);
    fixture_close(&f);
    return result;
}

/* Given a fresh drive and one in steady state, then the cliff between them is the write
 * amplification, and up to half as much again for the reads of the copies: at least twice on a
 * consumer drive. */
START_TEST(the_cliff_is_as_high_as_the_write_amplification)
{
    const struct load_result fresh = write_at_random(flash_drives[_i], "fresh", 40000);
    ck_assert_uint_eq(seen.copied_units, 0);
    const struct load_result steady = write_at_random(flash_drives[_i], "random", 60000);
    const double amplification =
        (double)(seen.host_units + seen.copied_units) / (double)seen.host_units;
    const double cliff = load_iops(&fresh) / load_iops(&steady);
    ck_assert_msg(cliff >= 0.97 * amplification && cliff <= 1.5 * amplification,
                  "%s: the cliff is %.2f, the write amplification %.2f", flash_drives[_i], cliff,
                  amplification);
    ck_assert_double_ge(cliff, 2);
}
END_TEST

/* Given a fresh drive, when it is overwritten at random eight times, then it is as fast as the one
 * whose steady state was made directly: the last sixteenth of the time, to 5 %. */
START_TEST(a_fresh_drive_arrives_at_the_steady_state)
{
    const struct load_result fresh = write_at_random("wd-sn550", "fresh", 8 * GIB / (4 * KIB));
    const struct load_result steady = write_at_random("wd-sn550", "random", 60000);
    const struct load_series *series = &fresh.series;
    uint32_t part = series->count / 16;
    uint64_t ended = 0;
    for (uint32_t i = series->count - 1 - part; i < series->count - 1; i++)
        ended += series->ended[i];
    double last = (double)ended / ((double)part * (double)series->interval_ps / 1e12);
    ck_assert_msg(last > 0.95 * load_iops(&steady) && last < 1.05 * load_iops(&steady),
                  "%.0f IOPS at the end, %.0f in steady state", last, load_iops(&steady));
}
END_TEST

/* ---- host memory buffer ---- */

static void give_host_buffer(void *ctx, struct machine *machine)
{
    (void)ctx;
    media_set_host_buffer(machine_media(machine), 32 * MIB);
}

/* Given a drive without DRAM and a load that its own memory cannot hold the map for, when the host
 * gives memory, then reads no longer fetch the map from the flash: latency alone falls by the
 * sensing of a page in three of four reads (4 GiB of which the drive knows 1 GiB). */
START_TEST(a_host_memory_buffer_saves_reads_of_the_map)
{
    struct load_result results[2];
    for (unsigned i = 0; i < 2; i++) {
        struct fixture f;
        open_drive(&f, "wd-sn550");
        fixture_set(&f, "ctrl.namespace_size=4 GiB");
        f.spec.observe = i == 1 ? give_host_buffer : NULL;
        struct run_load job = random_4k(1, 100, 4000);
        job.footprint = 4 * GIB;
        results[i] = load(&f, &job);
        fixture_close(&f);
    }
    double saved_us = load_mean_latency_us(&results[0]) - load_mean_latency_us(&results[1]);
    ck_assert_double_ge(saved_us, 0.7 * 35);
    ck_assert_double_le(saved_us, 0.8 * 45);
}
END_TEST

Suite *flash_suite(void);
Suite *flash_suite(void)
{
    Suite *suite = suite_create("flash");
    TCase *law = tcase_create("little's law");
    tcase_set_timeout(law, 240);
    tcase_add_loop_test(law, little_s_law_holds_on_flash, 0, COUNT(flash_drives));
    suite_add_tcase(suite, law);
    TCase *shapes = tcase_create("curves");
    tcase_set_timeout(shapes, 240);
    tcase_add_loop_test(shapes, reads_grow_with_the_depth_up_to_the_knee_and_are_flat_beyond, 0,
                        COUNT(flash_drives));
    tcase_add_loop_test(shapes, writes_are_flat_at_what_the_dies_program, 0, COUNT(flash_drives));
    tcase_add_loop_test(shapes, sequential_reads_saturate_the_channels, 0, COUNT(flash_drives));
    tcase_add_loop_test(shapes, sequential_reads_have_no_dip, 0, COUNT(flash_drives));
    tcase_add_loop_test(shapes, a_stream_alone_does_not_wait_for_the_dies, 0, COUNT(flash_drives));
    tcase_add_loop_test(shapes, random_reads_gain_nothing_from_a_read_buffer, 0,
                        COUNT(flash_drives));
    tcase_add_loop_test(shapes, the_cliff_is_as_high_as_the_write_amplification, 0,
                        COUNT(flash_drives));
    tcase_add_test(shapes, a_fresh_drive_arrives_at_the_steady_state);
    tcase_add_test(shapes, a_host_memory_buffer_saves_reads_of_the_map);
    suite_add_tcase(suite, shapes);
    return suite;
}
