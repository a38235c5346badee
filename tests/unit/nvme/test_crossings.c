/* SPDX-License-Identifier: BSD-2-Clause
 * Where two subjects meet: fused operations and queues that go away (NVMe 1.4 sections 4.12, 5.6,
 * 7.6.2), contexts and namespaces (5.19), MSI and MSI-X (2.3, 2.4), faults and the rest. */
#include <stdio.h>

#include "unit/nvme/rig_namespace.h"

#define WRITE   1u
#define READ    2u
#define COMPARE 5u
#define FIRST   1u
#define SECOND  2u
#define SGL     0x40u

static struct rig rig;
static struct rig_params params;

static void setup(void)
{
    rig_defaults(&params);
}

static void teardown(void)
{
    rig_close(&rig);
}

static void open_rig(void)
{
    ck_assert_ptr_null(ctrl_params_check(&params.ctrl));
    rig_open(&rig, &params);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 16, 0);
    rig_settle(&rig);
}

static void put(uint8_t opcode, uint8_t flags, uint16_t cid)
{
    rig_put(&rig, 1,
            &(struct rig_cmd){
                .opcode = opcode, .flags = flags, .cid = cid, .nsid = 1, .prp1 = RIG_DATA});
}

static void expect(unsigned queue, uint16_t cid, uint16_t status)
{
    struct rig_cqe cqe;

    ck_assert_msg(rig_take(&rig, queue, &cqe), "no completion of command %u", cid);
    ck_assert_uint_eq(cqe.cid, cid);
    ck_assert_uint_eq(cqe.status, status);
    rig_ring_cq(&rig, queue);
}

static void expect_none(unsigned queue)
{
    struct rig_cqe cqe;

    ck_assert(!rig_take(&rig, queue, &cqe));
}

/* A first half that is decoded behind Delete I/O Submission Queue: its second half will not be
 * fetched (5.6), so it does not wait for it. */
START_TEST(a_first_half_behind_the_deletion_of_its_queue)
{
    params.ctrl.decode.amount = 10 * RIG_US;
    open_rig();
    put(READ, 0, 1);
    put(COMPARE, FIRST, 2);
    rig_put(&rig, 0, &(struct rig_cmd){.opcode = 0, .cid = 40, .cdw10 = 1});
    rig_ring(&rig, 0);
    rig_ring(&rig, 1); /* decoded: deletion, read, first half */
    rig_settle(&rig);
    expect(1, 1, 0);
    expect(1, 2, 0x008);
    expect(0, 40, 0);
}
END_TEST

/* The same behind a shutdown notification, which waits for I/O commands (7.6.2). */
START_TEST(a_first_half_behind_a_shutdown)
{
    params.ctrl.decode.amount = 10 * RIG_US;
    open_rig();
    put(COMPARE, FIRST, 2);
    rig_ring(&rig, 1);
    rig_for(&rig, 5 * RIG_US);
    rig_write32(&rig, 0x14, params.cc | 1u << 14);
    rig_settle(&rig);
    ck_assert_uint_eq(rig_read32(&rig, 0x1c), 0x9);
    expect(1, 2, 0x00a);
}
END_TEST

/* A second half that ends before it is one ends the first as well: nothing is left waiting. */
START_TEST(a_second_half_that_is_refused)
{
    if (_i == 0)
        snprintf(params.ctrl.faults, sizeof params.ctrl.faults, "opcode=write : status 0x006");
    params.ctrl.cid_check = _i == 1;
    params.media.kind = MEDIA_FIXED;
    params.media.read_latency = 10 * RIG_US;
    open_rig();
    put(READ, 0, 3);
    put(COMPARE, FIRST, 2);
    put(WRITE, _i == 2 ? SECOND | SGL : SECOND, _i == 1 ? 3 : 4);
    rig_ring(&rig, 1);
    rig_settle(&rig);
    expect(1, 2, 0x009);
    expect(1, _i == 1 ? 3 : 4, _i == 0 ? 0x006 : _i == 1 ? 0x003 : 0x002);
    expect(1, 3, 0);
}
END_TEST

/* A context that was an Identify command's is taken for an I/O command whose entry is on its way
 * when the namespace goes: that command has named none yet (5.19). */
START_TEST(a_namespace_goes_while_an_entry_is_on_its_way)
{
    struct rig_cmd detach = {
        .opcode = 0x15, .cid = 41, .nsid = 1, .prp1 = RIG_DATA + 0x4000, .cdw10 = 1};

    params.ctrl.oacs_ns_management = 1;
    params.ctrl.fetch_setup.amount = RIG_MS;
    params.ctrl.dma_setup.amount = RIG_MS; /* of the list of controllers */
    open_rig();
    for (uint16_t cid = 0; cid < 3; cid++)
        rig_put(&rig, 0,
                &(struct rig_cmd){.opcode = 6, .cid = cid, .nsid = 1, .prp1 = RIG_DATA + 0x1000});
    rig_ring(&rig, 0);
    rig_settle(&rig);
    for (uint16_t cid = 0; cid < 3; cid++)
        expect(0, cid, 0);
    rig_put64(&rig, RIG_DATA + 0x4000, 1); /* controller list: one, number 0 */
    rig_put(&rig, 0, &detach);
    rig_ring(&rig, 0);
    rig_for(&rig, 3 * RIG_MS / 2);
    put(READ, 0, 7);
    put(READ, 0, 8);
    rig_ring(&rig, 1);
    rig_settle(&rig);
    expect(0, 41, 0);
    expect(1, 7, 0x002);
    expect(1, 8, 0x002);
    expect_none(1);
}
END_TEST

/* A queue got its vector while MSI counted; MSI-X has fewer: nothing is sent for it. */
START_TEST(a_vector_that_msix_has_not)
{
    params.ctrl.msi_vectors = 8;
    params.ctrl.msix_vectors = 2;
    rig_open(&rig, &params);
    rig_enable(&rig);
    rig.msi_address = 0xfee01000;
    pcie_port_config_write(rig.port, 0xa4, 4, 0xfee01000);
    pcie_port_config_write(rig.port, 0xa2, 2, 1 | 3 << 4);
    rig_create_queue(&rig, 1, 16, 5);
    rig_create_queue(&rig, 2, 16, 1);
    pcie_port_config_write(rig.port, 0xa2, 2, 0);
    rig_msix_enable(&rig, 2);
    put(READ, 0, 7);
    rig_ring(&rig, 1);
    rig_settle(&rig);
    expect(1, 7, 0);
    rig_put(&rig, 2, &(struct rig_cmd){.opcode = READ, .cid = 8, .nsid = 1, .prp1 = RIG_DATA});
    rig_ring(&rig, 2);
    rig_settle(&rig);
    expect(2, 8, 0);
    ck_assert_uint_eq(rig.messages[1], 1);
    ck_assert_uint_eq(rig.messages[5], 0);
}
END_TEST

/* Two faults keep the link down: it comes up with the later end. */
START_TEST(the_longer_time_of_a_link_that_is_down)
{
    snprintf(params.ctrl.faults, sizeof params.ctrl.faults, "%s",
             _i == 0 ? "at=50ms : link-down 9ms; at=52ms : power-loss 3ms"
                     : "at=50ms : link-down 3ms; at=52ms : power-loss 7ms");
    rig_open(&rig, &params);
    rig_setup_admin(&rig);
    rig_for(&rig, 50 * RIG_MS - rig_now(&rig));
    rig_for(&rig, 9 * RIG_MS - 1);
    ck_assert_uint_eq(pcie_port_config_read(rig.port, 0, 4), 0xffffffff);
    rig_for(&rig, 1);
    ck_assert_uint_eq(pcie_port_config_read(rig.port, 0, 2), 0x1b36);
    ck_assert_uint_eq(rig_stats(&rig).faults, 2);
}
END_TEST

/* Register writes on their way are lost with the link (PCI Express Base 3.1, 2.9.1). */
START_TEST(a_write_on_a_link_that_goes_down)
{
    snprintf(params.ctrl.faults, sizeof params.ctrl.faults, "at=50ms : link-down 1ps");
    params.link.kind = LINK_PCIE;
    rig_open(&rig, &params);
    rig_setup_admin(&rig);
    rig_for(&rig, 50 * RIG_MS - 1 - rig_now(&rig));
    rig_write32(&rig, 0x24, 0x000f000f);
    rig_for(&rig, 2);
    pcie_port_config_write(rig.port, 4, 2, 6);
    rig_for(&rig, RIG_MS);
    ck_assert_uint_eq(rig_read32(&rig, 0x24), 0);
}
END_TEST

/* Durations that reach over the end of time do not end. */
START_TEST(durations_without_end)
{
    static const char *const rules[] = {": late 18446744073709551614ps",
                                        ": slow 18446744073709551614ps"};

    snprintf(params.ctrl.faults, sizeof params.ctrl.faults, "%s", rules[_i]);
    open_rig();
    rig_for(&rig, RIG_MS);
    put(READ, 0, 1);
    rig_ring(&rig, 1);
    rig_settle(&rig);
    expect_none(1);
}
END_TEST

START_TEST(ready_never)
{
    snprintf(params.ctrl.faults, sizeof params.ctrl.faults,
             "nth=1 : not-ready 18446744073709551614ps");
    params.ctrl.ready_delay = 5 * RIG_MS;
    rig_open(&rig, &params);
    rig_setup_admin(&rig);
    rig_write32(&rig, 0x14, params.cc);
    rig_settle(&rig);
    ck_assert_uint_eq(rig_read32(&rig, 0x1c), 0);
}
END_TEST

Suite *suite_crossings(void)
{
    Suite *suite = suite_create("nvme crossings");
    TCase *tc = tcase_create("crossings");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_first_half_behind_the_deletion_of_its_queue);
    tcase_add_test(tc, a_first_half_behind_a_shutdown);
    tcase_add_loop_test(tc, a_second_half_that_is_refused, 0, 3);
    tcase_add_test(tc, a_namespace_goes_while_an_entry_is_on_its_way);
    tcase_add_test(tc, a_vector_that_msix_has_not);
    tcase_add_loop_test(tc, the_longer_time_of_a_link_that_is_down, 0, 2);
    tcase_add_test(tc, a_write_on_a_link_that_goes_down);
    tcase_add_loop_test(tc, durations_without_end, 0, 2);
    tcase_add_test(tc, ready_never);
    suite_add_tcase(suite, tc);
    return suite;
}
