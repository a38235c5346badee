/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Many controllers in one world: their events interleave, and none of them can tell.
 */
#include "unit/device/suites.h"

#include <stdio.h>

#include "raw/host.h"

#define PHASES   6u
#define PHASE_PS RAW_MS

/* A controller that differs from its neighbours in nearly everything. */
static void open_one(struct raw_host *host, struct doorbell_world *world, unsigned i)
{
    char text[8][48];
    const char *settings[8];

    snprintf(text[0], 48, "ctrl.namespace_size=%u MiB", 1 + i);
    snprintf(text[1], 48, "ctrl.max_io_queues=%u", 2 + i);
    snprintf(text[2], 48, "link.lanes=%u", 1u << i % 5);
    snprintf(text[3], 48, "link.generation=%u", 1 + i % 4);
    snprintf(text[4], 48, "media.read_latency=%u us", 1 + i % 7);
    snprintf(text[5], 48, "ctrl.ready_delay=%u us", 1 + i);
    snprintf(text[6], 48, "ctrl.fetch_burst=%u", 1 + i % 3);
    snprintf(text[7], 48, "media.kind=%s", i % 3 == 0 ? "page-cache" : "fixed");
    for (unsigned s = 0; s < 8; s++)
        settings[s] = text[s];
    raw_open(host, world, i, settings, 8);
}

/* What a host does at the beginning of each phase, without waiting for anything. */
static void act(struct raw_host *host, unsigned i, unsigned phase)
{
    struct raw_cmd cmd;

    switch (phase) {
    case 0:
        raw_enable_begin(host);
        break;
    case 1:
        raw_msix(host);
        /* the namespace: the controller's own page tells its number, CNTLID (5.15.2.2) */
        raw_put(host, 0, &(struct raw_cmd){.opcode = 0x06, .nsid = 1, .prp1 = RAW_DATA});
        raw_ring(host, 0);
        break;
    case 2:
        host->queue[1] = (struct raw_queue){.size = RAW_ENTRIES, .phase = true};
        raw_put(host, 0,
                &(struct raw_cmd){.opcode = 0x05,
                                  .prp1 = RAW_CQ(1),
                                  .cdw10 = (RAW_ENTRIES - 1) << 16 | 1,
                                  .cdw11 = 1 << 16 | 3});
        raw_put(host, 0,
                &(struct raw_cmd){.opcode = 0x01,
                                  .prp1 = RAW_SQ(1),
                                  .cdw10 = (RAW_ENTRIES - 1) << 16 | 1,
                                  .cdw11 = 1 << 16 | 1});
        raw_ring(host, 0);
        break;
    case 3:
        for (unsigned k = 0; k < RAW_ENTRIES - 1; k++) {
            for (unsigned at = 0; at < 0x1000; at++)
                host->memory[RAW_DATA + k * 0x1000 + at] = (uint8_t)(i * 3 + k * 7 + at);
            cmd = raw_io(0x01, (i + k * 11) % 1000, 8, RAW_DATA + k * 0x1000);
            raw_put(host, 1, &cmd);
        }
        raw_ring(host, 1);
        break;
    case 4:
        raw_reap(host, 1, RAW_ENTRIES - 1, 0);
        for (unsigned k = 0; k < RAW_ENTRIES - 1; k++) {
            cmd = raw_io(0x02, (i + k * 11) % 1000, 8, RAW_DATA + (8 + k) * 0x1000);
            raw_put(host, 1, &cmd);
        }
        raw_ring(host, 1);
        break;
    default:
        raw_reap(host, 1, RAW_ENTRIES - 1, 0);
        ck_assert_mem_eq(host->memory + RAW_DATA, host->memory + RAW_DATA + 8 * 0x1000, 0x7000);
        break;
    }
}

/* Hosts first..first+count-1 in one world; their digests. */
static void live(unsigned first, unsigned count, uint64_t *digests)
{
    static struct raw_host hosts[DOORBELL_DEVICES_MAX];
    struct doorbell_world *world = doorbell_world_create(5);

    for (unsigned i = 0; i < count; i++)
        open_one(&hosts[i], world, first + i);
    for (unsigned phase = 0; phase < PHASES; phase++) {
        for (unsigned i = 0; i < count; i++)
            act(&hosts[i], first + i, phase);
        ck_assert_int_eq(doorbell_run_until(world, (phase + 1) * PHASE_PS), DOORBELL_OK);
    }
    for (unsigned i = 0; i < count; i++) {
        ck_assert_uint_gt(hosts[i].messages, 2);
        digests[i] = hosts[i].digest;
        raw_close(&hosts[i]);
    }
    doorbell_world_destroy(world);
}

START_TEST(thirty_two_controllers_behave_as_each_does_alone)
{
    uint64_t together[DOORBELL_DEVICES_MAX], again[DOORBELL_DEVICES_MAX], alone;

    live(0, DOORBELL_DEVICES_MAX, together);
    live(0, DOORBELL_DEVICES_MAX, again);
    ck_assert_mem_eq(together, again, sizeof together);
    for (unsigned i = 0; i < DOORBELL_DEVICES_MAX; i++) {
        live(i, 1, &alone);
        ck_assert_msg(alone == together[i], "controller %u is not as it is alone", i);
    }
    for (unsigned i = 1; i < DOORBELL_DEVICES_MAX; i++)
        ck_assert_uint_ne(together[i], together[0]); /* a digest that tells something */
}
END_TEST

START_TEST(two_worlds_do_not_know_each_other)
{
    uint64_t x[2], y[2];

    live(3, 2, x);
    struct doorbell_world *other = doorbell_world_create(9);
    struct raw_host host;

    open_one(&host, other, 7);
    raw_enable(&host);
    live(3, 2, y);
    raw_for(&host, RAW_MS);
    ck_assert_mem_eq(x, y, sizeof x);
    raw_close(&host);
    doorbell_world_destroy(other);
}
END_TEST

Suite *suite_many(void)
{
    Suite *suite = suite_create("many controllers");
    TCase *tc = tcase_create("many");

    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, thirty_two_controllers_behave_as_each_does_alone);
    tcase_add_test(tc, two_worlds_do_not_know_each_other);
    suite_add_tcase(suite, tc);
    return suite;
}
