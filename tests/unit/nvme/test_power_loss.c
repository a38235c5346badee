/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The promise that a host relies on, end to end: what was acknowledged and then flushed, or written
 * with FUA, or written with the cache off or protected, is there after a loss of power; nothing is
 * there that was never written; and what was only acknowledged can be lost
 * (NVMe 1.4, 5.21.1.6, 6.8, 6.15, 6.16, 6.17). The host of power_host.h is run again and again, and
 * the power goes at each event of that run in turn.
 */
#include "unit/nvme/power_host.h"

#define EVENTS_MOST 400u

static const struct power_medium cases[] = {
    {.kind = MEDIA_FIXED},
    {.kind = MEDIA_PAGE_CACHE, .large = true},
    {.kind = MEDIA_NAND},
    {.kind = MEDIA_NAND, .large = true, .watermark = true},
    {.kind = MEDIA_NAND, .small = true},
    {.kind = MEDIA_NAND, .large = true, .small = true},
    {.kind = MEDIA_FIXED, .cache_off = true},
    {.kind = MEDIA_NAND, .cache_off = true},
    {.kind = MEDIA_NAND, .protected = true},
};
#define CASES (int)(sizeof cases / sizeof cases[0])

START_TEST(power_goes_at_every_event)
{
    unsigned lost = 0;

    for (unsigned events = 0; events < EVENTS_MOST; events++) {
        power_host_begin(&cases[_i]);
        power_host_run(events);
        lost += power_host_lose(events);
        power_host_end();
    }
    /* Volatile is volatile, and safe is safe. */
    if (cases[_i].protected || cases[_i].cache_off)
        ck_assert_uint_eq(lost, 0);
    else
        ck_assert_uint_gt(lost, 0);
}
END_TEST

/* Behind a normal shutdown (7.6.2) the power may go: whatever was acknowledged is there, and so is
 * what the shutdown let end. */
START_TEST(power_goes_behind_a_shutdown)
{
    for (unsigned events = 0; events < EVENTS_MOST; events += 7) {
        power_host_begin(&cases[_i]);
        power_host_run(events);
        power_host_shut_down();
        ck_assert_uint_eq(power_host_lose(events), 0);
        power_host_end();
    }
}
END_TEST

Suite *suite_power_loss(void)
{
    Suite *s = suite_create("power loss");
    TCase *tc = tcase_create("every event");

    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, power_goes_at_every_event, 0, CASES);
    tcase_add_loop_test(tc, power_goes_behind_a_shutdown, 0, CASES);
    suite_add_tcase(s, tc);
    return s;
}
