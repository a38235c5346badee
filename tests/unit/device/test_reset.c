/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reset at every event of a run leaves a controller that comes up again. A workload of mixed
 * commands is run once to count its events; then, for each event, it is run again up to there, the
 * controller is reset in one of four ways, and must come up and write and read back data; nothing
 * of the life before may reach memory or the CPU once the reset has ended (NVMe 1.4, 7.3.1, 7.3.2).
 *
 * DOORBELL_RESET_POINTS (default 1000) bounds the number of events at which one way is tried; a run
 * with more of them is tried at evenly spread ones.
 */
#include <stdlib.h>

#include "raw/host.h"

#define POINTS_DEFAULT 1000u
#define EXPRESS        0x10           /* capability identifier */
#define FLR_WAIT_PS    (100 * RAW_MS) /* PCI Express Base 3.1, 6.6.2 */
#define MSI_ROUND_TRIP RAW_MS

enum reset { RESET_ENABLE, RESET_FUNCTION, RESET_SUBSYSTEM, RESET_CONVENTIONAL, RESETS };

struct variant {
    const char *settings[12];
    size_t count;
    bool msix;
};

#define COMMON                                                                                     \
    "ctrl.namespace_size=1MiB", "ctrl.cap_nssrs=yes", "ctrl.max_io_queues=3",                      \
        "ctrl.msix_vectors=4", "ctrl.ready_delay=3us", "ctrl.reset_delay=2us",                     \
        "media.read_latency=3us", "media.write_latency=2us", "media.flush_latency=5us"

static const struct variant variants[] = {
    {{COMMON}, 9, true},
    {{COMMON}, 9, false},
    {{COMMON, "link.kind=emulated"}, 10, true},
    {{COMMON, "ctrl.contexts=1", "ctrl.fetch_burst=1", "media.kind=page-cache"}, 12, false},
};

/* Keeps several things under way at a time: whatever the event, something is cut in the middle. */
static void workload(struct raw_host *host, bool msix)
{
    struct raw_cmd cmd;

    raw_enable(host);
    if (msix)
        raw_msix(host);
    /* two Asynchronous Event Requests stay held (5.2) */
    raw_put(host, 0, &(struct raw_cmd){.opcode = 0x0c});
    raw_put(host, 0, &(struct raw_cmd){.opcode = 0x0c});
    raw_ring(host, 0);
    raw_do(host, 0, &(struct raw_cmd){.opcode = 0x06, .prp1 = RAW_DATA, .cdw10 = 1}, 0);
    raw_create_queue(host, 1, msix ? 1 : 0);
    raw_create_queue(host, 2, msix ? 2 : 0);
    for (unsigned i = 0; i < 3; i++) { /* writes of one and two pages, side by side on two queues */
        cmd = raw_io(0x01, 16 * i, 8 + 4 * i, RAW_DATA + 0x2000 * i + (i == 1 ? 0x200 : 0));
        raw_put(host, 1, &cmd);
        cmd = raw_io(0x01, 100 + 16 * i, 8, RAW_DATA + 0x2000 * i);
        raw_put(host, 2, &cmd);
    }
    raw_ring(host, 1);
    raw_ring(host, 2);
    raw_put(host, 0,
            &(struct raw_cmd){.opcode = 0x02, /* SMART log while they run (5.14.1.2) */
                              .nsid = UINT32_MAX,
                              .prp1 = RAW_DATA + 0x8000,
                              .cdw10 = 127u << 16 | 2});
    raw_ring(host, 0);
    raw_reap(host, 1, 3, 0);
    raw_reap(host, 2, 3, 0);
    raw_reap(host, 0, 1, 0);
    cmd = raw_io(0x02, 0, 16, RAW_DATA);
    raw_put(host, 1, &cmd);
    cmd = (struct raw_cmd){.nsid = 1}; /* flush */
    raw_put(host, 1, &cmd);
    cmd = raw_io(0x08, 40, 4, 0); /* write zeroes */
    cmd.prp2 = 0;
    raw_put(host, 1, &cmd);
    raw_ring(host, 1);
    raw_write(host, 0x1000 + 8 * 2, 4, RAW_ENTRIES + 1); /* no such entry: an event (5.2) */
    raw_reap(host, 1, 3, 0);
    raw_reap(host, 0, 1, 0); /* the event */
    /* a fused Compare and Write (6.2) with what was read, Verify, Deallocate (6.7) */
    cmd = raw_io(0x05, 0, 8, RAW_DATA);
    cmd.flags = 1;
    raw_put(host, 1, &cmd);
    cmd = raw_io(0x01, 0, 8, RAW_DATA);
    cmd.flags = 2;
    raw_put(host, 1, &cmd);
    cmd = raw_io(0x0c, 100, 8, 0);
    cmd.prp2 = 0;
    raw_put(host, 1, &cmd);
    host->memory[RAW_LIST + 4] = 4;   /* blocks */
    host->memory[RAW_LIST + 8] = 200; /* from here on */
    raw_put(host, 1, &(struct raw_cmd){.opcode = 0x09, .nsid = 1, .prp1 = RAW_LIST, .cdw11 = 4});
    raw_ring(host, 1);
    raw_reap(host, 1, 4, 0);
    /* a read is under way when its queue is deleted (5.6) */
    cmd = raw_io(0x02, 0, 8, RAW_DATA);
    raw_put(host, 2, &cmd);
    raw_ring(host, 2);
    raw_delete_queue(host, 2);
    raw_create_queue(host, 3, msix ? 3 : 0);
    cmd = raw_io(0x02, 0, 8, RAW_DATA);
    raw_do(host, 3, &cmd, 0);
    raw_put(host, 0, &(struct raw_cmd){.opcode = 0x08, .cdw10 = 1}); /* Abort of nothing (5.1) */
    raw_put(host, 0, &(struct raw_cmd){.opcode = 0x0a, .cdw10 = 7}); /* Get Features (5.13) */
    raw_ring(host, 0);
    raw_reap(host, 0, 2, 0);
    if (!raw_stopped(host))
        raw_write(host, 0x14, 4, 0x00464001); /* normal shutdown (7.6.2) */
    raw_wait_csts(host, 0xc, 0x8);
}

/* What a host must not see any more once a reset has ended. */
static uint64_t signs_of_life(const struct raw_host *host)
{
    return host->dma_reads + host->dma_writes + host->messages + host->pin_rises;
}

static void reset(struct raw_host *host, enum reset how)
{
    unsigned express = raw_capability(host, EXPRESS);
    uint64_t before;

    switch (how) {
    case RESET_ENABLE:
        raw_config_set(host, 0x04, 2, 0x0006); /* the workload may not have come to it */
        raw_write(host, 0x14, 4, 0);
        raw_for(host, RAW_US); /* posted: it must have arrived before CSTS.RDY means anything */
        raw_wait_csts(host, 0x1, 0x0);
        break;
    case RESET_FUNCTION: /* Initiate Function Level Reset (PCI Express Base 3.1, 7.8.4) */
        raw_config_set(host, express + 8, 2, 0x8000);
        break;
    case RESET_SUBSYSTEM: /* (3.1.7) */
        raw_config_set(host, 0x04, 2, 0x0006);
        ck_assert_int_eq(doorbell_bar_poke(host->device, 0, 0x20, 4, 0x4e564d65), DOORBELL_OK);
        break;
    default:
        ck_assert_int_eq(doorbell_device_reset(host->device), DOORBELL_OK);
        break;
    }
    /* An asserted pin falls, which takes the link's latency. */
    before = signs_of_life(host);
    raw_for(host, FLR_WAIT_PS);
    ck_assert(!host->pin);
    ck_assert_uint_eq(signs_of_life(host), before);
}

static void comes_up_again(struct raw_host *host, bool msix, unsigned seed)
{
    ck_assert_uint_eq(raw_read(host, 0x1c) & 0x3, raw_config(host, 4, 2) & 2 ? 0 : 0x3);
    raw_enable(host);
    if (msix)
        raw_msix(host);
    raw_create_queue(host, 1, msix ? 1 : 0);
    raw_verify(host, 1, seed % 100, 12, seed);
    raw_for(host, RAW_US); /* the interrupt of the read */
    uint64_t before = msix ? host->messages : host->pin_rises;

    /* This one comes while nobody looks for the entry. */
    raw_put(host, 1, &(struct raw_cmd){.nsid = 1});
    raw_ring(host, 1);
    raw_for(host, RAW_MS);
    ck_assert_uint_eq(msix ? host->messages : host->pin_rises, before + 1);
    raw_reap(host, 1, 1, 0);
    raw_for(host, RAW_MS);
    ck_assert_uint_eq(doorbell_next_event(host->world), DOORBELL_NEVER); /* nothing left behind */
}

/* Events of the whole workload; with how = RESETS nothing is reset. */
static uint64_t run(const struct variant *variant, uint64_t events, enum reset how)
{
    struct doorbell_world *world = doorbell_world_create(1);
    struct raw_host host;
    uint64_t happened;

    raw_open(&host, world, 0, variant->settings, variant->count);
    host.budget = events;
    workload(&host, variant->msix);
    happened = doorbell_events(world);
    if (how != RESETS) {
        host.budget = RAW_UNBOUND;
        reset(&host, how);
        comes_up_again(&host, variant->msix, (unsigned)events);
    }
    raw_close(&host);
    doorbell_world_destroy(world);
    return happened;
}

static uint64_t points(void)
{
    const char *text = getenv("DOORBELL_RESET_POINTS");
    unsigned long value = text == NULL ? POINTS_DEFAULT : strtoul(text, NULL, 10);

    ck_assert_msg(value > 0, "DOORBELL_RESET_POINTS must be a number above 0");
    return value;
}

START_TEST(comes_up_after_a_reset_at_every_event)
{
    const struct variant *variant = &variants[_i / RESETS];
    uint64_t count = run(variant, RAW_UNBOUND, RESETS);
    uint64_t stride = (count + points() - 1) / points();

    ck_assert_uint_gt(count, 100); /* the workload did something */
    for (uint64_t k = 0; k <= count; k += stride) {
        if (k != 0) /* a budget of 0 means stopped: that is a reset before anything happened */
            ck_assert_uint_eq(run(variant, k, (enum reset)(_i % RESETS)), k);
        else
            run(variant, k, (enum reset)(_i % RESETS));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reset at every event");
    TCase *tc = tcase_create("reset");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, comes_up_after_a_reset_at_every_event, 0,
                        (int)(RESETS * (sizeof variants / sizeof variants[0])));
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
