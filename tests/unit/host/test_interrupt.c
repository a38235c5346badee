/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Interrupts at the host: when the handler runs and when it must not, what it costs, idling, the
 * level of INTx, and setting up MSI-X (PCI Local Bus 3.0 section 6.8.2).
 */
#include <string.h>

#include "unit/host/rig.h"
#include "unit/host/suites.h"

#define MSI_ADDRESS UINT64_C(0xfee00000)
#define ENTRY       (503 * NS)
#define EXIT        (199 * NS)
#define IDLE_EXIT   (307 * NS)

static struct {
    unsigned vector;
    uint64_t time_ps;
} handled[64];
static unsigned handled_count, depth, deepest;
static void (*in_handler)(unsigned vector);

static void handler(void *ctx, unsigned vector)
{
    ck_assert_ptr_eq(ctx, &handled_count);
    ck_assert_uint_lt(handled_count, 64);
    if (++depth > deepest)
        deepest = depth;
    handled[handled_count].vector = vector;
    handled[handled_count++].time_ps = host_now(rig.host);
    if (in_handler != NULL)
        in_handler(vector);
    depth--;
}

static void begin(void)
{
    handled_count = depth = deepest = 0;
    in_handler = NULL;
    host_set_interrupt_handler(rig.host, handler, &handled_count);
}

static void setup(void)
{
    rig_setup();
    begin();
}

static void remake(const struct rig_options *options)
{
    rig_teardown();
    rig_make(options);
    begin();
}

static void msi_event(void *ctx, uint64_t vector)
{
    (void)ctx;
    unsigned before = handled_count;
    pcie_msi(rig.port, MSI_ADDRESS, (uint32_t)vector);
    ck_assert_uint_eq(handled_count, before); /* not from the event */
}

static void msi_at(uint64_t time_ps, unsigned vector)
{
    engine_at(rig.engine, time_ps, msi_event, NULL, vector);
}

static void spend(uint64_t ps)
{
    host_spend_ps(rig.host, CPU_WORKLOAD, ps);
}

static void ck_handled(unsigned index, unsigned vector, uint64_t time_ps)
{
    ck_assert_uint_lt(index, handled_count);
    ck_assert_uint_eq(handled[index].vector, vector);
    ck_assert_uint_eq(handled[index].time_ps, time_ps);
}

/* ---- when ---- */

static unsigned handled_at_event;

static void look_event(void *ctx, uint64_t arg)
{
    (void)ctx;
    (void)arg;
    handled_at_event = handled_count;
}

START_TEST(a_message_is_handled_at_the_end_of_the_call_that_it_came_in)
{
    /* given a message at 1000 ps, inside a call that takes 5000 */
    msi_at(1000, 5);
    engine_at(rig.engine, 1001, look_event, NULL, 0);
    spend(5000);
    /* then no event saw the handler run, and it ran at the end of the call */
    ck_assert_uint_eq(handled_at_event, 0);
    ck_assert_uint_eq(handled_count, 1);
    ck_handled(0, 5, 5000 + ENTRY);
    ck_assert_uint_eq(host_now(rig.host), 5000 + ENTRY + EXIT);
    const struct host_stats *stats = host_get_stats(rig.host);
    ck_assert_uint_eq(stats->interrupts, 1);
    ck_assert_uint_eq(stats->spent_ps[CPU_INTERRUPT], ENTRY + EXIT);
    ck_assert_uint_eq(stats->spent_ps[CPU_WORKLOAD], 5000);
}
END_TEST

START_TEST(a_message_outside_of_a_call_waits_for_the_next)
{
    engine_run_until(rig.engine, 0);
    pcie_msi(rig.port, MSI_ADDRESS, 0);
    ck_assert_uint_eq(handled_count, 0);
    spend(1);
    ck_handled(0, 0, 1 + ENTRY);
    spend(100000);
    ck_assert_uint_eq(handled_count, 1); /* once */
}
END_TEST

START_TEST(a_register_access_is_not_cut_in_two)
{
    /* given a message while a register read is under way on a bus, */
    struct rig_options options = rig_options();
    rig_use_pcie(&options);
    remake(&options);
    msi_at(60 * NS, 1);
    rig.ops->read32(rig.ctx, 0x1c);
    uint64_t there = 53 * NS + RIG_HEADER * RIG_BYTE_PS + RIG_WAY_PS;
    uint64_t back = there + (4 + RIG_REPLY_HEADER) * RIG_BYTE_PS + RIG_WAY_PS;
    /* then the access is at the device when it is due, and the handler runs behind the answer */
    ck_assert_uint_eq(rig.device.read_time_ps, there);
    ck_handled(0, 1, back + ENTRY);
    /* and with one thread a write that lets the message in is done before it is handled */
    options = rig_options();
    options.host.emulation = HOST_EMULATION_SINGLE_THREAD;
    remake(&options);
    msi_at(60 * NS, 1);
    pcie_msi(rig.port, MSI_ADDRESS, 2);
    rig.ops->write32(rig.ctx, 0x1000, 1);
    ck_assert_uint_eq(rig.device.writes[0].time_ps, 101 * NS);
    ck_handled(0, 1, 101 * NS + ENTRY);
    ck_handled(1, 2, 101 * NS + 2 * ENTRY + EXIT);
}
END_TEST

START_TEST(a_message_waits_for_the_last_unlock)
{
    rig.ops->lock(rig.ctx, 1);
    rig.ops->lock(rig.ctx, 0);
    msi_at(1000, 3);
    spend(5000);
    spend(5000);
    ck_assert_uint_eq(handled_count, 0);
    rig.ops->unlock(rig.ctx, 0);
    ck_assert_uint_eq(handled_count, 0);
    rig.ops->unlock(rig.ctx, 1);
    ck_assert_uint_eq(handled_count, 1);
    ck_handled(0, 3, 10000 + ENTRY);
    rig.ops->lock(rig.ctx, 1); /* nothing pending: nothing happens */
    rig.ops->unlock(rig.ctx, 1);
    ck_assert_uint_eq(handled_count, 1);
}
END_TEST

static void spend_in_handler(unsigned vector)
{
    if (vector != 1)
        return;
    msi_at(host_now(rig.host) + 10, 0);
    msi_at(host_now(rig.host) + 20, 2);
    spend(1000);
    rig.ops->lock(rig.ctx, 1);
    rig.ops->unlock(rig.ctx, 1); /* no way in either */
    ck_assert_uint_eq(handled_count, 1);
}

START_TEST(handlers_do_not_nest)
{
    in_handler = spend_in_handler;
    msi_at(100, 1);
    spend(100);
    ck_assert_uint_eq(handled_count, 3);
    ck_assert_uint_eq(deepest, 1);
    ck_handled(0, 1, 100 + ENTRY);
    ck_handled(1, 0, 100 + ENTRY + 1000 + EXIT + ENTRY); /* behind the first, back to back */
    ck_handled(2, 2, 100 + 1000 + 2 * (ENTRY + EXIT) + ENTRY);
}
END_TEST

START_TEST(vectors_are_handled_lowest_first_and_once)
{
    msi_at(10, 63);
    msi_at(20, 7);
    msi_at(30, 0);
    msi_at(40, 7); /* the same message again before it is handled is one */
    spend(100);
    static const unsigned order[] = {0, 7, 63};
    ck_assert_uint_eq(handled_count, 3);
    for (unsigned i = 0; i < 3; i++)
        ck_handled(i, order[i], 100 + i * (ENTRY + EXIT) + ENTRY);
}
END_TEST

START_TEST(a_message_to_nowhere_is_nothing)
{
    pcie_msi(rig.port, MSI_ADDRESS + 4, 1);
    pcie_msi(rig.port, MSI_ADDRESS | UINT64_C(1) << 32, 1);
    pcie_msi(rig.port, 0, 1);
    pcie_msi(rig.port, MSI_ADDRESS, 64); /* no such vector */
    pcie_msi(rig.port, MSI_ADDRESS, UINT32_MAX);
    spend(100);
    ck_assert_uint_eq(handled_count, 0);
    ck_assert(!host_idle(rig.host)); /* it woke nobody */
    ck_assert_uint_eq(host_get_stats(rig.host)->interrupts, 0);
}
END_TEST

START_TEST(without_a_handler_an_interrupt_waits_for_one)
{
    host_set_interrupt_handler(rig.host, NULL, NULL);
    msi_at(10, 1);
    spend(10);
    ck_assert_uint_eq(host_now(rig.host), 10);
    ck_assert_uint_eq(host_get_stats(rig.host)->interrupts, 0);
    ck_assert(!host_idle(rig.host)); /* nobody would ever wake it */
}
END_TEST

/* ---- idle ---- */

START_TEST(idle_ends_with_the_interrupt_and_its_costs)
{
    msi_at(1000000, 2);
    ck_assert(host_idle(rig.host));
    ck_handled(0, 2, 1000000 + IDLE_EXIT + ENTRY);
    ck_assert_uint_eq(host_now(rig.host), 1000000 + IDLE_EXIT + ENTRY + EXIT);
    const struct host_stats *stats = host_get_stats(rig.host);
    ck_assert_uint_eq(stats->spent_ps[CPU_IDLE], 1000000);
    ck_assert_uint_eq(stats->spent_ps[CPU_INTERRUPT], IDLE_EXIT + ENTRY + EXIT);
}
END_TEST

START_TEST(idle_with_something_pending_does_not_sleep)
{
    pcie_msi(rig.port, MSI_ADDRESS, 1);
    ck_assert(host_idle(rig.host));
    ck_handled(0, 1, ENTRY); /* no time idle, and no waking from it */
    ck_assert_uint_eq(host_get_stats(rig.host)->spent_ps[CPU_IDLE], 0);
    /* an interrupt handled before does not end the next idle */
    msi_at(5000000, 4);
    ck_assert(host_idle(rig.host));
    ck_handled(1, 4, 5000000 + IDLE_EXIT + ENTRY);
}
END_TEST

START_TEST(idle_for_ever_is_noticed_and_its_time_has_passed)
{
    engine_at(rig.engine, 777, look_event, NULL, 0);
    ck_assert(!host_idle(rig.host));
    ck_assert_uint_eq(host_now(rig.host), 777);
    ck_assert_uint_eq(host_get_stats(rig.host)->spent_ps[CPU_IDLE], 777);
    rig.ops->write32(rig.ctx, 0x1000, 1); /* and the host can go on */
    ck_assert_uint_eq(rig.device.writes[0].time_ps, 777);
}
END_TEST

/* ---- INTx ---- */

static unsigned asserted_left;

static void deassert_after_some(unsigned vector)
{
    ck_assert_uint_eq(vector, 0);
    if (--asserted_left == 0)
        pcie_intx(rig.port, false);
}

static void intx_event(void *ctx, uint64_t level)
{
    (void)ctx;
    pcie_intx(rig.port, level != 0);
}

START_TEST(the_level_of_intx_delivers_until_it_falls)
{
    ck_assert_int_eq(rig.ops->irq_setup(rig.ctx, NVME_IRQ_INTX, 1), 1);
    in_handler = deassert_after_some;
    asserted_left = 3;
    engine_at(rig.engine, 1000, intx_event, NULL, 1);
    spend(2000);
    ck_assert_uint_eq(handled_count, 3);
    for (unsigned i = 0; i < 3; i++)
        ck_handled(i, 0, 2000 + i * (ENTRY + EXIT) + ENTRY);
    spend(1000);
    ck_assert_uint_eq(handled_count, 3);
    /* out of idle as well */
    asserted_left = 1;
    uint64_t at = host_now(rig.host) + 5000;
    engine_at(rig.engine, at, intx_event, NULL, 1);
    ck_assert(host_idle(rig.host));
    ck_handled(3, 0, at + IDLE_EXIT + ENTRY);
}
END_TEST

START_TEST(a_level_that_falls_before_it_is_looked_at_is_nothing)
{
    rig.ops->irq_setup(rig.ctx, NVME_IRQ_INTX, 1);
    engine_at(rig.engine, 10, intx_event, NULL, 1);
    engine_at(rig.engine, 20, intx_event, NULL, 0);
    spend(100);
    ck_assert_uint_eq(handled_count, 0);
    ck_assert(!host_idle(rig.host)); /* woken, but for nothing */
}
END_TEST

START_TEST(intx_counts_only_while_it_is_set_up)
{
    in_handler = deassert_after_some;
    asserted_left = 1;
    pcie_intx(rig.port, true);
    spend(100);
    ck_assert_uint_eq(handled_count, 0);
    rig.ops->irq_setup(rig.ctx, NVME_IRQ_INTX, 1);
    spend(100);
    ck_assert_uint_eq(handled_count, 1); /* the level was there all the time */
    pcie_intx(rig.port, true);
    rig.ops->irq_setup(rig.ctx, NVME_IRQ_NONE, 0);
    spend(100);
    ck_assert_uint_eq(handled_count, 1);
}
END_TEST

/* ---- accounting ---- */

START_TEST(every_picosecond_is_accounted_for)
{
    struct rig_options options = rig_options();
    rig_use_pcie(&options);
    options.host.cpu_clock = 733000000;
    options.host.publish = (struct param_cost){17, true};
    options.host.coherent = 0;
    remake(&options);
    struct nvme_ring ring = {.depth = 8, .qid = 1, .entry_log2 = 6};
    struct memory_area *area = memory_alloc(host_memory(rig.host), 65536, 512, true, false);
    struct nvme_segment segment;
    unsigned n;
    for (unsigned i = 0; i < 20; i++) {
        msi_at(host_now(rig.host) + 100 * NS * i, i);
        rig.ops->map(rig.ctx, memory_pointer(area), 777, NVME_FROM_DEVICE, 0, &segment, 1, &n);
        rig.ops->publish(rig.ctx, &ring, 0, 1);
        rig.ops->write32(rig.ctx, 0x1000, i);
        rig.ops->read32(rig.ctx, 0x1c);
        host_fill(rig.host, area, 1000, 999);
        rig.ops->relax(rig.ctx);
        rig.ops->unmap(rig.ctx, memory_pointer(area), 777, NVME_FROM_DEVICE, 0);
    }
    msi_at(host_now(rig.host) + 12345, 1);
    host_idle(rig.host);
    host_idle(rig.host);
    uint64_t sum = 0;
    for (unsigned use = 0; use < CPU_USES; use++)
        sum += host_get_stats(rig.host)->spent_ps[use];
    ck_assert_uint_eq(sum, host_now(rig.host));
}
END_TEST

Suite *suite_interrupt(void)
{
    Suite *suite = suite_create("interrupts");
    TCase *tcase = tcase_create("interrupts");
    tcase_add_checked_fixture(tcase, setup, rig_teardown);
    tcase_add_test(tcase, a_message_is_handled_at_the_end_of_the_call_that_it_came_in);
    tcase_add_test(tcase, a_message_outside_of_a_call_waits_for_the_next);
    tcase_add_test(tcase, a_register_access_is_not_cut_in_two);
    tcase_add_test(tcase, a_message_waits_for_the_last_unlock);
    tcase_add_test(tcase, handlers_do_not_nest);
    tcase_add_test(tcase, vectors_are_handled_lowest_first_and_once);
    tcase_add_test(tcase, a_message_to_nowhere_is_nothing);
    tcase_add_test(tcase, without_a_handler_an_interrupt_waits_for_one);
    tcase_add_test(tcase, idle_ends_with_the_interrupt_and_its_costs);
    tcase_add_test(tcase, idle_with_something_pending_does_not_sleep);
    tcase_add_test(tcase, idle_for_ever_is_noticed_and_its_time_has_passed);
    tcase_add_test(tcase, the_level_of_intx_delivers_until_it_falls);
    tcase_add_test(tcase, a_level_that_falls_before_it_is_looked_at_is_nothing);
    tcase_add_test(tcase, intx_counts_only_while_it_is_set_up);
    tcase_add_test(tcase, every_picosecond_is_accounted_for);
    suite_add_tcase(suite, tcase);
    return suite;
}
