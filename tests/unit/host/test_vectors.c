/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Vectors and CPUs: which CPU a vector goes to with the pin, MSI and MSI-X (PCI Local
 * Bus 3.0, 6.8), moving one while interrupts go on, and handlers in two halves.
 */
#include <string.h>

#include "unit/host/rig.h"
#include "unit/host/suites.h"

#define ENTRY      (503 * NS)
#define EXIT       (199 * NS)
#define SOFT       (211 * NS)
#define TABLE      0x2000u
#define MSI_CAP    0x50u
#define MSI_64     0x80u
#define MSI_EIGHT  (3u << 1)
#define ADDRESS(n) (UINT64_C(0xfee00000) | (uint64_t)(n) << 12)

static struct {
    unsigned cpu, vector;
    bool soft;
    uint64_t time_ps;
} seen[64];
static unsigned seen_count;
static void (*in_soft)(unsigned vector);

static void note(unsigned vector, bool soft)
{
    ck_assert_uint_lt(seen_count, 64);
    seen[seen_count].cpu = host_here(rig.host);
    seen[seen_count].vector = vector;
    seen[seen_count].soft = soft;
    seen[seen_count++].time_ps = host_now(rig.host);
}

static void ck_seen(unsigned index, unsigned cpu, unsigned vector, bool soft, uint64_t time_ps)
{
    ck_assert_uint_lt(index, seen_count);
    ck_assert_uint_eq(seen[index].cpu, cpu);
    ck_assert_uint_eq(seen[index].vector, vector);
    ck_assert_int_eq(seen[index].soft, soft);
    ck_assert_uint_eq(seen[index].time_ps, time_ps);
}

static void whole(void *ctx, unsigned vector)
{
    (void)ctx;
    note(vector, false);
}

static bool hard(void *ctx, unsigned vector)
{
    (void)ctx;
    note(vector, false);
    return vector != 9; /* not ours */
}

static void soft(void *ctx, unsigned vector)
{
    (void)ctx;
    note(vector, true);
    if (in_soft != NULL)
        in_soft(vector);
}

static void remake_with(const struct rig_options *options)
{
    rig_teardown();
    rig_make(options);
    rig_config_nvme();
    seen_count = 0;
    in_soft = NULL;
    const char *why = NULL;
    ck_assert_int_eq(host_enumerate(rig.host, &why), NVME_OK);
    rig.device.count = 0;
    host_set_interrupt_handler(rig.host, whole, NULL);
}

static void remake(unsigned cpus)
{
    struct rig_options options = rig_options();
    options.host.cpus = cpus;
    remake_with(&options);
}

/* An MSI capability in front of that of MSI-X. */
static void offer_msi(uint32_t control)
{
    rig_config_set(0x34, 1, MSI_CAP);
    rig_config_set(MSI_CAP, 2, 0x4005);
    rig_config_set(MSI_CAP + 2, 2, control);
    const char *why = NULL;
    ck_assert_int_eq(host_enumerate(rig.host, &why), NVME_OK);
}

static void msi_event(void *ctx, uint64_t where)
{
    (void)ctx;
    pcie_msi(rig.port, ADDRESS(where >> 8), (uint32_t)where & 0xff);
}

static void msi_at(uint64_t time_ps, unsigned cpu, unsigned vector)
{
    engine_at(rig.engine, time_ps, msi_event, NULL, cpu << 8 | vector);
}

static void spend(uint64_t ps)
{
    host_spend_ps(rig.host, CPU_WORKLOAD, ps);
}

static void spend_a_while(void *ctx)
{
    (void)ctx;
    spend(10000 * NS);
}

/* CPU 0 idles until its program has nothing to do, so do the others. */
static void run_cpu_0(void (*program)(void *ctx))
{
    struct host_program programs[64] = {{program, NULL}};
    ck_assert_int_eq(host_run(rig.host, programs), NVME_OK);
}

/* What was written to an entry of the table last; -1: nothing. */
static int64_t entry_word(unsigned vector, uint32_t offset)
{
    for (unsigned i = rig.device.count; i-- > 0;)
        if (rig.device.writes[i].offset == TABLE + vector * 16 + offset)
            return (int64_t)rig.device.writes[i].value;
    return -1;
}

/* ---- set up ---- */

START_TEST(msix_vectors_go_round_the_cpus)
{
    remake(3);
    ck_assert_int_eq(rig.ops->irq_setup(rig.ctx, NVME_IRQ_MSIX, 6), 6);
    static const unsigned cpus[] = {0, 0, 1, 2, 0, 1}; /* the admin queue's, then in turn */
    for (unsigned v = 0; v < 6; v++) {
        ck_assert_int_eq(entry_word(v, 0), (int64_t)ADDRESS(cpus[v]));
        ck_assert_int_eq(entry_word(v, 4), 0);
        ck_assert_int_eq(entry_word(v, 8), v);
        ck_assert_int_eq(entry_word(v, 12), 0);
    }
}
END_TEST

START_TEST(a_message_is_handled_by_the_cpu_of_its_address)
{
    remake(3);
    msi_at(1000 * NS, 2, 5);
    msi_at(1000 * NS, 1, 4);
    msi_at(1000 * NS, 3, 1); /* no such CPU */
    run_cpu_0(spend_a_while);
    ck_assert_uint_eq(seen_count, 2);
    ck_seen(0, 2, 5, false, 1000 * NS + 307 * NS + ENTRY); /* asleep both, and at the same time */
    ck_seen(1, 1, 4, false, 1000 * NS + 307 * NS + ENTRY);
    struct host_cpu_stats stats;
    host_get_cpu_stats(rig.host, 0, &stats);
    ck_assert_uint_eq(stats.interrupts, 0);
    ck_assert_uint_eq(host_get_stats(rig.host)->interrupts, 2);
}
END_TEST

static const struct {
    unsigned wanted, granted;
    uint32_t control; /* as offered */
    uint32_t enable;  /* Multiple Message Enable and MSI Enable, as left */
} msi_cases[] = {
    {1, 1, MSI_64 | MSI_EIGHT, 0x01}, {2, 2, MSI_64 | MSI_EIGHT, 0x11},
    {5, 5, MSI_64 | MSI_EIGHT, 0x31}, {8, 8, MSI_64 | MSI_EIGHT, 0x31},
    {9, 8, MSI_64 | MSI_EIGHT, 0x31}, {9, 1, MSI_64, 0x01},
    {32, 32, 5u << 1, 0x51},          {32, 32, 7u << 1, 0x51}, /* reserved: 32 at most */
};

START_TEST(msi_is_granted_in_powers_of_two_and_goes_to_cpu_0)
{
    remake(4);
    offer_msi(msi_cases[_i].control);
    rig_config_set(MSI_CAP + 4, 4, 0x55555555);
    rig_config_set(MSI_CAP + 8, 4, 0x55555555);
    rig_config_set(MSI_CAP + 12, 4, 0x55555555);
    ck_assert_int_eq(rig.ops->irq_setup(rig.ctx, NVME_IRQ_MSI, msi_cases[_i].wanted),
                     (int)msi_cases[_i].granted);
    ck_assert_uint_eq(rig_config_get(MSI_CAP + 2, 2), msi_cases[_i].control | msi_cases[_i].enable);
    ck_assert_uint_eq(rig_config_get(MSI_CAP + 4, 4), ADDRESS(0));
    bool wide = (msi_cases[_i].control & MSI_64) != 0;
    ck_assert_uint_eq(rig_config_get(MSI_CAP + 8, 4), wide ? 0 : 0x55550000);
    ck_assert_uint_eq(rig_config_get(MSI_CAP + 12, 4), wide ? 0x55550000 : 0x55555555);
    ck_assert_uint_eq(rig_config_get(0x42, 2) & 0x8000, 0); /* MSI-X is off */
    rig.ops->irq_setup(rig.ctx, NVME_IRQ_NONE, 0);
    ck_assert_uint_eq(rig_config_get(MSI_CAP + 2, 2) & 1, 0);
}
END_TEST

START_TEST(msi_needs_the_capability)
{
    remake(1);
    ck_assert_int_eq(rig.ops->irq_setup(rig.ctx, NVME_IRQ_MSI, 1), NVME_E_UNSUPPORTED);
    ck_assert_int_eq(rig.ops->irq_move(rig.ctx, 0, 0), NVME_E_INVAL); /* no vectors */
}
END_TEST

static void intx_event(void *ctx, uint64_t level)
{
    (void)ctx;
    pcie_intx(rig.port, level != 0);
}

static void lower(void *ctx, unsigned vector)
{
    whole(ctx, vector);
    pcie_intx(rig.port, false);
}

START_TEST(the_pin_is_cpu_0_s)
{
    remake(2);
    host_set_interrupt_handler(rig.host, lower, NULL);
    ck_assert_int_eq(rig.ops->irq_setup(rig.ctx, NVME_IRQ_INTX, 1), 1);
    ck_assert_int_eq(rig.ops->irq_move(rig.ctx, 0, 1), NVME_E_UNSUPPORTED);
    ck_assert_int_eq(rig.ops->irq_move(rig.ctx, 0, 0), NVME_OK);
    engine_at(rig.engine, 1000 * NS, intx_event, NULL, 1);
    run_cpu_0(spend_a_while); /* CPU 0 is busy and CPU 1 sleeps */
    ck_assert_uint_eq(seen_count, 1);
    ck_seen(0, 0, 0, false, 10000 * NS + ENTRY);
}
END_TEST

/* ---- moving ---- */

static bool entry_masked, entry_pending;
static uint64_t entry_address;

/* Vector 2's entry as a device has it (6.8.2): masked, its message waits in the device. */
static void device_entry(uint64_t offset, uint64_t value)
{
    if (offset == TABLE + 32)
        entry_address = value;
    if (offset != TABLE + 44)
        return;
    entry_masked = value != 0;
    if (entry_masked || !entry_pending)
        return;
    entry_pending = false;
    pcie_msi(rig.port, entry_address, 2);
}

static void device_event(void *ctx, uint64_t arg)
{
    (void)ctx;
    (void)arg;
    if (entry_masked)
        entry_pending = true;
    else
        pcie_msi(rig.port, entry_address, 2);
}

static void move_at_1000(void *ctx)
{
    (void)ctx;
    spend(1000 * NS);
    rig.device.count = 0;
    ck_assert_int_eq(rig.ops->irq_move(rig.ctx, 2, 2), NVME_OK);
    spend(10000 * NS);
}

/* The event comes before the move, in each of its steps, and after it. */
static const struct {
    uint64_t event_ns;
    unsigned cpu;
} moves[] = {{500, 1}, {999, 1}, {1050, 2}, {1150, 2}, {1302, 2}, {1303, 2}, {1304, 2}, {2000, 2}};

START_TEST(a_vector_moves_and_no_message_is_lost)
{
    remake(3);
    entry_masked = entry_pending = false;
    rig.device.on_write = device_entry;
    ck_assert_int_eq(rig.ops->irq_setup(rig.ctx, NVME_IRQ_MSIX, 4), 4);
    engine_at(rig.engine, moves[_i].event_ns * NS, device_event, NULL, 0);
    run_cpu_0(move_at_1000);
    ck_assert_uint_eq(seen_count, 1);
    ck_assert_uint_eq(seen[0].cpu, moves[_i].cpu);
    ck_assert_uint_eq(seen[0].vector, 2);
    /* masked, rewritten, unmasked */
    ck_assert_uint_eq(rig.device.count, 3);
    ck_assert_uint_eq(rig.device.writes[0].offset, TABLE + 44);
    ck_assert_uint_eq(rig.device.writes[0].value, 1);
    ck_assert_uint_eq(rig.device.writes[1].offset, TABLE + 32);
    ck_assert_uint_eq(rig.device.writes[1].value, ADDRESS(2));
    ck_assert_uint_eq(rig.device.writes[2].offset, TABLE + 44);
    ck_assert_uint_eq(rig.device.writes[2].value, 0);
}
END_TEST

START_TEST(what_cannot_move_says_so)
{
    remake(3);
    rig.ops->irq_setup(rig.ctx, NVME_IRQ_MSIX, 4);
    ck_assert_int_eq(rig.ops->irq_move(rig.ctx, 4, 0), NVME_E_INVAL);
    ck_assert_int_eq(rig.ops->irq_move(rig.ctx, 0, 3), NVME_E_INVAL);
    rig.device.count = 0;
    ck_takes(0, rig.ops->irq_move(rig.ctx, 2, 1)); /* it is there */
    ck_assert_uint_eq(rig.device.count, 0);
    offer_msi(MSI_64 | MSI_EIGHT);
    rig.ops->irq_setup(rig.ctx, NVME_IRQ_MSI, 2);
    ck_assert_int_eq(rig.ops->irq_move(rig.ctx, 1, 2), NVME_E_UNSUPPORTED); /* one address */
    ck_assert_int_eq(rig.ops->irq_move(rig.ctx, 1, 0), NVME_OK);
    rig.ops->irq_setup(rig.ctx, NVME_IRQ_MSI, 1);
    ck_assert_int_eq(rig.ops->irq_move(rig.ctx, 0, 2), NVME_OK);
    ck_assert_uint_eq(rig_config_get(MSI_CAP + 4, 4), ADDRESS(2));
}
END_TEST

/* ---- two halves ---- */

START_TEST(the_soft_half_follows_the_hard_one)
{
    remake(1);
    host_set_split_handler(rig.host, hard, soft, NULL);
    msi_at(100, 0, 3);
    spend(1000);
    ck_assert_uint_eq(seen_count, 2);
    ck_seen(0, 0, 3, false, 1000 + ENTRY);
    ck_seen(1, 0, 3, true, 1000 + ENTRY + EXIT + SOFT);
    ck_assert_uint_eq(host_get_stats(rig.host)->interrupts, 1);
    ck_assert_uint_eq(host_get_stats(rig.host)->soft_halves, 1);
    msi_at(host_now(rig.host) + 10, 0, 9);
    spend(1000);
    ck_assert_uint_eq(seen_count, 3); /* not ours: no soft half */
}
END_TEST

static void spend_100_us(unsigned vector)
{
    if (vector == 3 && seen_count < 3)
        spend(100000 * NS);
}

START_TEST(a_soft_half_is_interrupted_by_hard_ones_only)
{
    /* given vectors 1 and 3 (again) while the soft half of 3 runs */
    remake(1);
    host_set_split_handler(rig.host, hard, soft, NULL);
    in_soft = spend_100_us;
    msi_at(100, 0, 3);
    msi_at(50000 * NS, 0, 1);
    msi_at(50001 * NS, 0, 3);
    spend(1000);
    /* then their hard halves run inside it, and their soft halves after it, once each */
    uint64_t ends = 1000 + ENTRY + EXIT + SOFT + 100000 * NS;
    ck_assert_uint_eq(seen_count, 6);
    ck_seen(2, 0, 1, false, ends + ENTRY);
    ck_seen(3, 0, 3, false, ends + ENTRY + EXIT + ENTRY);
    uint64_t after = ends + 2 * (ENTRY + EXIT);
    ck_seen(4, 0, 1, true, after + SOFT);
    ck_seen(5, 0, 3, true, after + 2 * SOFT);
}
END_TEST

static void lock_in_hard_gap(void *ctx)
{
    (void)ctx;
    spend(1000 * NS);
    rig.ops->lock(rig.ctx, 1);
    spend(5000 * NS);
    ck_assert_uint_eq(seen_count, 1); /* the hard half; due since 2702 ns, the soft one waits */
    rig.ops->unlock(rig.ctx, 1);
    ck_assert_uint_eq(seen_count, 2);
}

START_TEST(a_soft_half_has_its_latency_and_waits_for_locks)
{
    struct rig_options options = rig_options();
    options.host.softirq_latency = 2000 * NS;
    remake_with(&options);
    host_set_split_handler(rig.host, hard, soft, NULL);
    msi_at(1000 * NS, 0, 3);
    lock_in_hard_gap(NULL);
    ck_seen(0, 0, 3, false, 1000 * NS + ENTRY);
    ck_seen(1, 0, 3, true, 1000 * NS + ENTRY + EXIT + 5000 * NS + SOFT);
    /* and out of idle it comes when it is due */
    uint64_t at = host_now(rig.host) + 1000 * NS;
    msi_at(at, 0, 2);
    ck_assert(host_idle(rig.host));
    ck_assert(host_idle(rig.host));
    uint64_t due = at + 307 * NS + ENTRY + EXIT + 2000 * NS;
    ck_seen(3, 0, 2, true, due + 307 * NS + SOFT);
}
END_TEST

Suite *suite_vectors(void)
{
    Suite *suite = suite_create("vectors and CPUs");
    TCase *tcase = tcase_create("vectors");
    tcase_add_checked_fixture(tcase, rig_setup, rig_teardown);
    tcase_add_test(tcase, msix_vectors_go_round_the_cpus);
    tcase_add_test(tcase, a_message_is_handled_by_the_cpu_of_its_address);
    tcase_add_loop_test(tcase, msi_is_granted_in_powers_of_two_and_goes_to_cpu_0, 0,
                        sizeof msi_cases / sizeof msi_cases[0]);
    tcase_add_test(tcase, msi_needs_the_capability);
    tcase_add_test(tcase, the_pin_is_cpu_0_s);
    tcase_add_loop_test(tcase, a_vector_moves_and_no_message_is_lost, 0,
                        sizeof moves / sizeof moves[0]);
    tcase_add_test(tcase, what_cannot_move_says_so);
    tcase_add_test(tcase, the_soft_half_follows_the_hard_one);
    tcase_add_test(tcase, a_soft_half_is_interrupted_by_hard_ones_only);
    tcase_add_test(tcase, a_soft_half_has_its_latency_and_waits_for_locks);
    suite_add_tcase(suite, tcase);
    return suite;
}
