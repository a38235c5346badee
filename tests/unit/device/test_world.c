/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Worlds: time and its limits, calls from callbacks, the trace, and what creation refuses.
 */
#include "unit/device/suites.h"

#include <string.h>

#include "raw/host.h"

static struct doorbell_world *world;
static struct raw_host host;

static const char *const quick[] = {"ctrl.namespace_size=1MiB", "ctrl.max_io_queues=2",
                                    "ctrl.msix_vectors=4", "ctrl.ready_delay=5us"};

static void setup(void)
{
    world = doorbell_world_create(1);
    raw_open(&host, world, 0, quick, 4);
}

static void teardown(void)
{
    raw_close(&host);
    doorbell_world_destroy(world);
}

START_TEST(a_new_world_is_at_time_zero_and_nothing_is_due)
{
    ck_assert_uint_eq(doorbell_now(world), 0);
    ck_assert_uint_eq(doorbell_next_event(world), DOORBELL_NEVER);
    ck_assert_uint_eq(doorbell_events(world), 0);
    ck_assert_int_eq(doorbell_step(world), 0);
    ck_assert_str_eq(doorbell_error_text(world), "");
}
END_TEST

START_TEST(time_passes_to_where_it_is_told_and_never_back)
{
    ck_assert_int_eq(doorbell_run_until(world, 7), DOORBELL_OK);
    ck_assert_uint_eq(doorbell_now(world), 7);
    ck_assert_int_eq(doorbell_run_until(world, 7), DOORBELL_OK);
    ck_assert_int_eq(doorbell_run_until(world, 6), DOORBELL_E_INVAL);
    ck_assert_str_eq(doorbell_error_text(world), "cannot run until 6 ps: it is 7 ps already");
    ck_assert_uint_eq(doorbell_now(world), 7);
}
END_TEST

START_TEST(time_ends_at_its_maximum)
{
    ck_assert_int_eq(doorbell_run_until(world, DOORBELL_NEVER), DOORBELL_E_INVAL);
    ck_assert_int_eq(doorbell_run_until(world, DOORBELL_TIME_MAX + 1), DOORBELL_E_INVAL);
    ck_assert_int_eq(doorbell_run_until(world, DOORBELL_TIME_MAX), DOORBELL_OK);
    raw_enable(&host); /* and still everything works */
    ck_assert_uint_gt(doorbell_now(world), DOORBELL_TIME_MAX);
    ck_assert_int_eq(doorbell_run_until(world, doorbell_now(world)), DOORBELL_E_INVAL);
}
END_TEST

START_TEST(an_event_happens_at_its_time_and_not_a_picosecond_earlier)
{
    uint64_t ready_ps;

    raw_enable_begin(&host);
    while ((raw_read(&host, 0x14) & 1) == 0) /* the write of CC is on the link */
        ck_assert_int_eq(doorbell_step(world), 1);
    ready_ps = doorbell_now(world) + 5 * RAW_US; /* ctrl.ready_delay */
    ck_assert_uint_eq(doorbell_next_event(world), ready_ps);
    ck_assert_int_eq(doorbell_run_until(world, ready_ps - 1), DOORBELL_OK);
    ck_assert_uint_eq(raw_read(&host, 0x1c), 0);
    ck_assert_int_eq(doorbell_run_until(world, ready_ps), DOORBELL_OK);
    ck_assert_uint_eq(raw_read(&host, 0x1c), 1);
}
END_TEST

static unsigned insides;

/* Everything that a callback may not do is refused; what it may do works. */
static void misbehave(struct raw_host *h)
{
    struct doorbell_device_config config = {.host_ctx = NULL};
    struct doorbell_device *device = NULL;
    struct doorbell_stats stats;
    uint64_t value = 77;
    uint32_t word = 77;

    insides++;
    ck_assert_int_eq(doorbell_run_until(world, doorbell_now(world)), DOORBELL_E_CONTEXT);
    ck_assert_int_eq(doorbell_step(world), DOORBELL_E_CONTEXT);
    ck_assert_int_eq(doorbell_device_create(world, &config, &device), DOORBELL_E_CONTEXT);
    ck_assert_int_eq(doorbell_device_reset(h->device), DOORBELL_E_CONTEXT);
    ck_assert_int_eq(doorbell_config_read(h->device, 0, 4, &word), DOORBELL_E_CONTEXT);
    ck_assert_int_eq(doorbell_config_write(h->device, 4, 2, 0), DOORBELL_E_CONTEXT);
    ck_assert_int_eq(doorbell_bar_write(h->device, 0, 0x14, 4, 0), DOORBELL_E_CONTEXT);
    ck_assert_int_eq(doorbell_bar_read(h->device, 0, 0, 8, &value), DOORBELL_E_CONTEXT);
    ck_assert_int_eq(doorbell_bar_read_request(h->device, &value), DOORBELL_E_CONTEXT);
    ck_assert_int_eq(doorbell_bar_read_reply(h->device, 4, &value), DOORBELL_E_CONTEXT);
    ck_assert_int_eq(doorbell_bar_peek(h->device, 0, 0, 8, &value), DOORBELL_E_CONTEXT);
    ck_assert_int_eq(doorbell_bar_poke(h->device, 0, 0x14, 4, 0), DOORBELL_E_CONTEXT);
    ck_assert_int_eq(doorbell_trace(world, NULL, NULL), DOORBELL_E_CONTEXT);
    doorbell_world_destroy(world);
    ck_assert_str_eq(doorbell_error_text(world),
                     "this call is not allowed from inside a function of the host");
    ck_assert_uint_eq(value, 77);
    ck_assert_uint_eq(word, 77);
    ck_assert_int_eq(doorbell_device_stats(h->device, &stats), DOORBELL_OK);
    ck_assert_uint_gt(doorbell_events(world), 0);
    ck_assert_uint_ge(doorbell_next_event(world), doorbell_now(world));
    ck_assert_uint_eq(doorbell_device_index(h->device), 0);
}

START_TEST(a_callback_may_look_but_not_touch)
{
    insides = 0;
    raw_enable(&host);
    raw_msix(&host);
    host.inside = misbehave;
    raw_create_queue(&host, 1, 1);
    raw_verify(&host, 1, 5, 8, 1);
    raw_for(&host, RAW_MS);
    ck_assert_uint_gt(insides, 10);
    ck_assert_uint_gt(host.messages, 0);
}
END_TEST

#define NAMES 8
static const char *const names[NAMES] = {"doorbell", "fetch", "command", "stage",
                                         "dma",      "cqe",   "irq",     "csts"};
static unsigned seen[NAMES];
static bool stage_named;

static void count_events(void *ctx, const struct doorbell_event *event)
{
    ck_assert_ptr_eq(ctx, &host);
    ck_assert_uint_eq(event->device, 0);
    ck_assert_uint_le(event->time_ps, doorbell_now(world));
    ck_assert_int_eq(doorbell_step(world), DOORBELL_E_CONTEXT);
    for (unsigned i = 0; i < NAMES; i++)
        seen[i] += strcmp(event->what, names[i]) == 0;
    if (strcmp(event->what, "stage") == 0 && strcmp(event->detail, "media") == 0)
        stage_named = true;
}

START_TEST(the_trace_tells_what_happens_until_it_is_stopped)
{
    memset(seen, 0, sizeof seen);
    ck_assert_int_eq(doorbell_trace(world, count_events, &host), DOORBELL_OK);
    raw_enable(&host);
    raw_msix(&host);
    raw_create_queue(&host, 1, 1);
    raw_verify(&host, 1, 5, 8, 1);
    raw_for(&host, RAW_MS);
    for (unsigned i = 0; i < NAMES; i++)
        ck_assert_msg(seen[i] > 0, "no \"%s\"", names[i]);
    ck_assert_uint_eq(seen[2], 4); /* commands: two queues, a write, a read */
    ck_assert_uint_eq(seen[5], 4);
    ck_assert(stage_named);
    ck_assert_int_eq(doorbell_trace(world, NULL, NULL), DOORBELL_OK);
    raw_verify(&host, 1, 5, 8, 2);
    ck_assert_uint_eq(seen[2], 4);
}
END_TEST

Suite *suite_world(void)
{
    Suite *suite = suite_create("world");
    TCase *tc = tcase_create("world");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_new_world_is_at_time_zero_and_nothing_is_due);
    tcase_add_test(tc, time_passes_to_where_it_is_told_and_never_back);
    tcase_add_test(tc, time_ends_at_its_maximum);
    tcase_add_test(tc, an_event_happens_at_its_time_and_not_a_picosecond_earlier);
    tcase_add_test(tc, a_callback_may_look_but_not_touch);
    tcase_add_test(tc, the_trace_tells_what_happens_until_it_is_stopped);
    suite_add_tcase(suite, tc);
    return suite;
}
