/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whole machines at both levels of the link's detail, on a drive that only the link limits: where
 * the link is full, throughput is the same; a request alone takes the same time.
 */
#include <check.h>
#include <stdlib.h>

#include "run/load.h"
#include "scenario/fixture.h"

#define KIB UINT64_C(1024)
#define MIB (KIB * KIB)

static struct load_result load(const char *detail, const struct run_load *job)
{
    struct fixture f;
    char message[RUN_MESSAGE_MAX] = "";
    struct load_result result;
    int error;

    fixture_open(&f, NULL, "doorbell", "fixed-latency", "ideal");
    fixture_set(&f, "media.kind=null");
    fixture_set(&f, detail);
    error = run_load(&f.spec, job, &result, message);
    ck_assert_msg(error == RUN_OK, "%s", message);
    ck_assert_uint_eq(result.blocks_mismatched, 0);
    fixture_close(&f);
    return result;
}

static struct run_load job_of(uint64_t depth, uint64_t block_bytes, uint64_t read_percent)
{
    return (struct run_load){.depth = depth,
                             .block_bytes = block_bytes,
                             .footprint = 64 * MIB,
                             .read_percent = read_percent,
                             .warm_ios = 2 * depth,
                             .ios = 4000 / (block_bytes / (4 * KIB)) + 40 * depth};
}

static const struct {
    uint64_t depth, block_bytes, read_percent;
} full[] = {
    {32, 4 * KIB, 100}, {64, 4 * KIB, 100},  {256, 4 * KIB, 100}, {32, 4 * KIB, 0},
    {64, 4 * KIB, 0},   {8, 128 * KIB, 100}, {8, 128 * KIB, 0},
};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

START_TEST(a_full_link_carries_the_same)
{
    const struct run_load job = job_of(full[_i].depth, full[_i].block_bytes, full[_i].read_percent);
    const struct load_result line = load("link.detail=line", &job);
    const struct load_result tlp = load("link.detail=tlp", &job);
    double ratio = load_mb_per_s(&tlp) / load_mb_per_s(&line);

    ck_assert_double_ge(load_link_use(&tlp), 0.97);
    ck_assert_double_eq_tol(ratio, 1, 0.01);
}
END_TEST

/* Entries of writes do not wait for the data of reads that is ahead of them on the way up: at
 * detail line they do, which docs/design.md says. */
START_TEST(reads_and_writes_together_are_what_detail_line_underrates)
{
    const struct run_load job = job_of(8, 128 * KIB, 50);
    const struct load_result line = load("link.detail=line", &job);
    const struct load_result tlp = load("link.detail=tlp", &job);
    double ratio = load_mb_per_s(&tlp) / load_mb_per_s(&line);

    ck_assert_double_ge(ratio, 1.15);
    ck_assert_double_le(ratio, 1.23);
}
END_TEST

/* A command alone: the same, but for times of packets, of which each is a whole number of ps. */
START_TEST(one_request_takes_the_same)
{
    static const uint64_t sizes[] = {4 * KIB, 128 * KIB};

    for (unsigned i = 0; i < 4; i++) {
        const struct run_load job = job_of(1, sizes[i / 2], i % 2 * 100);
        const struct load_result line = load("link.detail=line", &job);
        const struct load_result tlp = load("link.detail=tlp", &job);
        uint64_t packets = job.ios * (job.block_bytes / 64 + 64);

        ck_assert_uint_le(tlp.latency_sum_ps, line.latency_sum_ps);
        ck_assert_uint_ge(tlp.latency_sum_ps + packets, line.latency_sum_ps);
    }
}
END_TEST

Suite *tlp_suite(void);
Suite *tlp_suite(void)
{
    Suite *suite = suite_create("tlp");
    TCase *tcase = tcase_create("levels of detail");

    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, a_full_link_carries_the_same, 0, COUNT(full));
    tcase_add_test(tcase, reads_and_writes_together_are_what_detail_line_underrates);
    tcase_add_test(tcase, one_request_takes_the_same);
    suite_add_tcase(suite, tcase);
    return suite;
}
