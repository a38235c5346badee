/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The operating system's path: what it charges, who looks for completions, and that a request which
 * nothing can complete any more is reported at once. On the driver core and a controller of the
 * tests' own (controller.h).
 */
#include <stdlib.h>
#include <string.h>

#include "host/os.h"
#include "unit/host/controller.h"
#include "unit/host/suites.h"

static void *driver_memory;
static struct nvme *nvme;
static struct os *os;
static struct memory_area *area;

static const struct os_params costs = {.path = OS_DIRECT,
                                       .submit = {1000 * NS, false},
                                       .complete = {300 * NS, false},
                                       .poll_pause = {20 * NS, false},
                                       .begin_io = {2000 * NS, false},
                                       .task_switch = {5000 * NS, false},
                                       .dispatch = {700 * NS, false},
                                       .check_signals = {90 * NS, false},
                                       .yield = {110 * NS, false},
                                       .reply = {1100 * NS, false}};

static void on_interrupt(void *ctx, unsigned vector)
{
    (void)ctx;
    nvme_interrupt(nvme, vector);
}

static void start(enum os_path path, bool interrupts, uint32_t spins)
{
    struct nvme_config config;
    rig_setup();
    rig_config_nvme();
    controller_attach();
    nvme_config_defaults(&config);
    config.io_queues = 1;
    config.aer_count = 0;
    config.irq = NVME_IRQ_MSIX;
    config.completion = interrupts ? NVME_COMPLETION_INTERRUPT : NVME_COMPLETION_POLL;
    config.ring = NVME_RING_PER_BATCH;
    config.poll_unmasks = false;
    size_t bytes = nvme_memory_size(&config);
    ck_assert_uint_gt(bytes, 0);
    driver_memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    nvme = nvme_init(driver_memory, bytes, host_platform(rig.host), &config);
    ck_assert_ptr_nonnull(nvme);
    const char *why = NULL;
    ck_assert_int_eq(host_enumerate(rig.host, &why), NVME_OK);
    host_set_interrupt_handler(rig.host, on_interrupt, NULL);
    ck_assert_int_eq(nvme_start_blocking(nvme), NVME_OK);
    struct os_params params = costs;
    params.path = path;
    static struct nvme_queue *queue;
    queue = nvme_get_queue(nvme, 0);
    struct os_config wiring = {.host = rig.host,
                               .nvme = nvme,
                               .queues = &queue,
                               .queue_count = 1,
                               .slots = nvme_get_info(nvme)->slots,
                               .interrupts = interrupts,
                               .hybrid_spins = spins};
    os = os_create(&params, &wiring);
    area = memory_alloc(host_memory(rig.host), 65536, 4096, true, false);
}

static void stop(void)
{
    os_destroy(os);
    os_destroy(NULL);
    free(driver_memory);
    rig_teardown();
}

static struct nvme_request request_of(uint64_t lba)
{
    return (struct nvme_request){
        .op = NVME_OP_READ, .nsid = 1, .blocks = 8, .lba = lba, .buffer = memory_pointer(area)};
}

static uint64_t spent(enum record_cpu_use use)
{
    return host_get_stats(rig.host)->spent_ps[use];
}

/* Every way to wait for a completion. */
static const struct {
    enum os_path path;
    bool interrupts;
    uint32_t spins;
    uint64_t os_ps; /* what the path charges for one request */
} ways[] = {{OS_DIRECT, false, 0, 1300 * NS},   {OS_DIRECT, false, 100, 1300 * NS},
            {OS_DIRECT, true, 0, 1300 * NS},    {OS_DIRECT, true, 100, 1300 * NS},
            {OS_AMIGAOS, false, 0, 13800 * NS}, {OS_AMIGAOS, false, 512, 13800 * NS}};
#define WAYS ((int)(sizeof ways / sizeof ways[0]))

START_TEST(a_request_completes_and_is_charged)
{
    start(ways[_i].path, ways[_i].interrupts, ways[_i].spins);
    controller_answer_after(50000 * NS, ways[_i].interrupts);
    for (unsigned i = 0; i < 100; i++) { /* round the ring, more than once */
        struct nvme_request request = request_of(i * 8);
        uint64_t from = host_now(rig.host), charged = spent(CPU_OS);
        ck_assert_int_eq(os_io(os, &request), NVME_OK);
        ck_assert_uint_ge(host_now(rig.host) - from, ways[_i].os_ps + 50000 * NS);
        ck_assert_uint_le(host_now(rig.host) - from, ways[_i].os_ps + 56000 * NS);
        ck_assert_uint_eq(spent(CPU_OS) - charged, ways[_i].os_ps);
    }
    ck_assert_uint_eq(controller_commands(), 100);
    stop();
}
END_TEST

START_TEST(a_request_that_nothing_can_complete_is_reported_at_once)
{
    /* given a controller that never completes */
    start(ways[_i].path, ways[_i].interrupts, ways[_i].spins);
    struct nvme_request request = request_of(0);
    uint64_t from = host_now(rig.host);
    ck_assert_int_eq(os_io(os, &request), NVME_E_TIMEOUT);
    /* then the host finds out within a few turns, and not by polling for ever */
    ck_assert_uint_eq(controller_commands(), 1);
    ck_assert_uint_le(host_now(rig.host) - from,
                      ways[_i].os_ps + 3000 * NS + ways[_i].spins * 20 * NS);
    stop();
}
END_TEST

START_TEST(a_slow_device_is_not_a_dead_one)
{
    start(ways[_i].path, ways[_i].interrupts, ways[_i].spins);
    controller_answer_after(20 * PS_PER_MS, ways[_i].interrupts);
    struct nvme_request request = request_of(0);
    ck_assert_int_eq(os_io(os, &request), NVME_OK);
    ck_assert_uint_ge(host_now(rig.host), 20 * PS_PER_MS);
    stop();
}
END_TEST

START_TEST(a_lost_message_is_a_lost_completion)
{
    /* given a controller that completes but interrupts nobody */
    start(OS_DIRECT, true, 0);
    controller_answer_after(50000 * NS, false);
    struct nvme_request request = request_of(0);
    ck_assert_int_eq(os_io(os, &request), NVME_E_TIMEOUT);
    stop();
}
END_TEST

START_TEST(spinning_finds_what_comes_while_it_lasts)
{
    /* 100 turns of a spin (13 ns) and a look (7 ns) are 2 us: a completion after 1 us is found in
     * them, without an interrupt */
    start(OS_DIRECT, true, 100);
    controller_answer_after(1000 * NS, false);
    struct nvme_request request = request_of(0);
    ck_assert_int_eq(os_io(os, &request), NVME_OK);
    ck_assert_uint_eq(host_get_stats(rig.host)->interrupts, 0);
    stop();
}
END_TEST

START_TEST(a_request_that_the_driver_refuses_comes_back)
{
    start(OS_DIRECT, false, 0);
    struct nvme_request request = request_of(UINT64_C(1) << 40);
    uint64_t charged = spent(CPU_OS);
    ck_assert_int_eq(os_io(os, &request), NVME_E_RANGE);
    ck_assert_uint_eq(spent(CPU_OS) - charged, 1300 * NS);
    ck_assert_uint_eq(controller_commands(), 0);
    ck_assert_int_eq(os_wait(os), NVME_OK); /* nothing is in flight */
    stop();
}
END_TEST

/* ---- many at once ---- */

static unsigned ended_count;

static void ended(void *ctx, struct nvme_request *request)
{
    ck_assert_ptr_eq(ctx, &ended_count);
    ck_assert_int_eq(request->error, NVME_OK);
    ended_count++;
}

START_TEST(a_batch_ends_one_by_one)
{
    enum { BATCH = 16 };
    struct nvme_request requests[BATCH];
    start(ways[_i].path, ways[_i].interrupts, ways[_i].spins);
    controller_answer_after(50000 * NS, ways[_i].interrupts);
    ended_count = 0;
    for (unsigned round = 0; round < 5; round++) {
        for (unsigned i = 0; i < BATCH; i++) {
            requests[i] = request_of(i * 8);
            ck_assert_int_eq(os_start(os, &requests[i], ended, &ended_count), NVME_OK);
        }
        ck_assert_uint_eq(controller_commands(), BATCH * round); /* nothing was rung yet */
        os_kick(os);
        ck_assert_uint_eq(controller_commands(), BATCH * (round + 1));
        while (ended_count < BATCH * (round + 1))
            ck_assert_int_eq(os_wait(os), NVME_OK);
        ck_assert_uint_eq(ended_count, BATCH * (round + 1));
    }
    ck_assert_int_eq(os_wait(os), NVME_OK);
    stop();
}
END_TEST

START_TEST(a_batch_that_nothing_can_complete_is_reported)
{
    struct nvme_request requests[4];
    start(ways[_i].path, ways[_i].interrupts, ways[_i].spins);
    ended_count = 0;
    for (unsigned i = 0; i < 4; i++) {
        requests[i] = request_of(i * 8);
        ck_assert_int_eq(os_start(os, &requests[i], ended, &ended_count), NVME_OK);
    }
    os_kick(os);
    ck_assert_int_eq(os_wait(os), NVME_E_TIMEOUT);
    ck_assert_uint_eq(ended_count, 0);
    stop();
}
END_TEST

Suite *suite_os(void)
{
    Suite *suite = suite_create("operating system");
    TCase *tcase = tcase_create("os");
    tcase_set_timeout(tcase, 30);
    tcase_add_loop_test(tcase, a_request_completes_and_is_charged, 0, WAYS);
    tcase_add_loop_test(tcase, a_request_that_nothing_can_complete_is_reported_at_once, 0, WAYS);
    tcase_add_loop_test(tcase, a_slow_device_is_not_a_dead_one, 0, WAYS);
    tcase_add_test(tcase, a_lost_message_is_a_lost_completion);
    tcase_add_test(tcase, spinning_finds_what_comes_while_it_lasts);
    tcase_add_test(tcase, a_request_that_the_driver_refuses_comes_back);
    tcase_add_loop_test(tcase, a_batch_ends_one_by_one, 0, WAYS);
    tcase_add_loop_test(tcase, a_batch_that_nothing_can_complete_is_reported, 0, WAYS);
    suite_add_tcase(suite, tcase);
    return suite;
}
