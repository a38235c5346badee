/* SPDX-License-Identifier: BSD-2-Clause
 * The controller memory buffer (NVMe 1.4 sections 3.1.11, 3.1.12, 3.1.16, 3.1.17, 4.7): its
 * registers, queues, lists and data in it, and every use that it refuses. */
#include <string.h>

#include "unit/nvme/rig_sgl.h"

#define CMB_BYTES UINT64_C(0x40000)
#define CBA       UINT64_C(0x7700000000) /* where the host says that the buffer is */
#define BAR_AT    UINT64_C(0x8800000000)
enum { CMBLOC = 0x38, CMBSZ = 0x3c, CMBMSC = 0x50, CMBSTS = 0x58 };

static struct rig rig;
static struct rig_params params;

static void setup(void)
{
    rig_defaults(&params);
    params.ctrl.sgls = 1;
    params.ctrl.cmb_size = CMB_BYTES;
    params.ctrl.cmb_sqs = params.ctrl.cmb_cqs = params.ctrl.cmb_lists = 1;
    params.ctrl.cmb_rds = params.ctrl.cmb_wds = 1;
}

static void teardown(void)
{
    rig_close(&rig);
}

static void open_rig(void)
{
    rig_open(&rig, &params);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 16, 0);
    rig_write64(&rig, CMBMSC, CBA | 3);
}

/* The host's view: an offset in BAR0. */
static uint64_t bar_offset(void)
{
    return (uint64_t)(rig_read32(&rig, CMBLOC) >> 12) * 4096;
}

static void poke64(uint64_t offset, uint64_t value)
{
    rig_write64(&rig, bar_offset() + offset, value);
}

static uint64_t peek64(uint64_t offset)
{
    return rig_read64(&rig, bar_offset() + offset);
}

START_TEST(there_is_none)
{
    params.ctrl.cmb_size = 0;
    open_rig();
    ck_assert_uint_eq(rig_read64(&rig, 0) >> 57 & 1, 0);
    for (uint64_t at = CMBLOC; at <= CMBSTS; at += 4) {
        if (at != 0x40 && at != 0x44 && at != 0x48 && at != 0x4c)
            ck_assert_uint_eq(rig_read32(&rig, at), 0);
    }
    ck_assert_uint_eq(rig_io(&rig, 2, 0, 1, CBA, 0), 0x004);
}
END_TEST

/* 3.1.16: CMBLOC and CMBSZ are zero until CRE; CMBMSC takes writes by halves, in any order. */
START_TEST(registers_of_1_4)
{
    open_rig();
    rig_write64(&rig, CMBMSC, 0);
    ck_assert_uint_eq(rig_read64(&rig, 0) >> 57 & 1, 1);
    ck_assert_uint_eq(rig_read32(&rig, CMBLOC), 0);
    ck_assert_uint_eq(rig_read32(&rig, CMBSZ), 0);
    rig_write32(&rig, CMBMSC, 1);
    ck_assert_uint_eq(rig_read32(&rig, CMBSZ), CMB_BYTES / 4096 << 12 | 0x1f);
    ck_assert_uint_eq(rig_read32(&rig, CMBLOC) & 0xfff, 0x060); /* BIR 0, CDPMLS, CDPCILS */
    ck_assert_uint_gt(bar_offset(), 0);
    rig_write32(&rig, CMBMSC + 4, (uint32_t)(CBA >> 32));
    rig_write32(&rig, CMBMSC, 0xfff);
    ck_assert_uint_eq(rig_read64(&rig, CMBMSC), (CBA & ~UINT64_C(0xffffffff)) | 3);
    rig_write32(&rig, CMBSZ, 0); /* read only */
    rig_write32(&rig, CMBLOC, 0);
    rig_write32(&rig, CMBSTS, 1);
    ck_assert_uint_ne(rig_read32(&rig, CMBSZ), 0);
    ck_assert_uint_eq(rig_read32(&rig, CMBSTS), 0);
}
END_TEST

/* 3.1.17: a buffer that would run over the end of all addresses is not enabled, and says so. */
START_TEST(base_that_cannot_be)
{
    uint64_t highest = UINT64_MAX - CMB_BYTES + 1;

    open_rig();
    rig_write64(&rig, CMBMSC, highest | 3);
    ck_assert_uint_eq(rig_read32(&rig, CMBSTS), 0);
    ck_assert_uint_eq(rig_io(&rig, 2, 0, 1, highest, 0), 0);
    rig_write64(&rig, CMBMSC, (highest + 0x1000) | 3);
    ck_assert_uint_eq(rig_read32(&rig, CMBSTS), 1);
    ck_assert_uint_eq(rig_io(&rig, 2, 0, 1, highest + 0x1000, 0), 0x004);
    rig_write64(&rig, CMBMSC, CBA | 3);
    ck_assert_uint_eq(rig_read32(&rig, CMBSTS), 0);
    rig_write64(&rig, CMBMSC, CBA | 1); /* CMSE = 0 */
    ck_assert_uint_eq(rig_io(&rig, 2, 0, 1, CBA, 0), 0x004);
}
END_TEST

/* The uses that CMBSZ lists are those of the configuration. */
START_TEST(uses_are_listed)
{
    params.ctrl.cmb_sqs = _i == 0;
    params.ctrl.cmb_cqs = _i == 1;
    params.ctrl.cmb_lists = _i == 2;
    params.ctrl.cmb_rds = _i == 3;
    params.ctrl.cmb_wds = _i == 4;
    open_rig();
    ck_assert_uint_eq(rig_read32(&rig, CMBSZ) & 0xfff, 1u << _i);
}
END_TEST

START_TEST(the_host_reads_and_writes_it)
{
    uint64_t base;

    open_rig();
    base = bar_offset();
    rig_write64(&rig, base + 8, UINT64_C(0x1122334455667788));
    ck_assert_uint_eq(pcie_port_bar_read(rig.port, 0, base + 9, 1), 0x77);
    ck_assert_uint_eq(pcie_port_bar_read(rig.port, 0, base + 10, 2), 0x5566);
    ck_assert_uint_eq(rig_read32(&rig, base + 12), 0x11223344);
    pcie_port_bar_write(rig.port, 0, 0, base + 8, 1, 0xff);
    pcie_port_bar_write(rig.port, 0, 0, base + CMB_BYTES - 2, 2, 0xabcd);
    ck_assert_uint_eq(peek64(8), UINT64_C(0x11223344556677ff));
    ck_assert_uint_eq(peek64(CMB_BYTES - 8), UINT64_C(0xabcd000000000000));
    ck_assert_uint_eq(rig_stats(&rig).cmb_writes, 3);
    ck_assert_uint_eq(rig_stats(&rig).cmb_reads, 5);
    pcie_port_config_write(rig.port, 4, 2, 4); /* memory space off */
    ck_assert_uint_eq(rig_read64(&rig, base + 8), UINT64_MAX);
}
END_TEST

/* Data both ways, without the link and with Bus Master off for all but the queues' entries. */
START_TEST(data_in_the_buffer)
{
    struct link_stats before, after;
    uint64_t accesses;

    params.link.kind = LINK_PCIE;
    open_rig();
    rig_settle(&rig);
    for (uint64_t i = 0; i < 128; i++)
        poke64(8 * i, i * UINT64_C(0x0101010101010101));
    rig_settle(&rig);
    accesses = rig.dma_reads + rig.dma_writes;
    link_get_stats(pcie_port_link(rig.port), &before);
    ck_assert_uint_eq(rig_io(&rig, 1, 5, 2, CBA, 0), 0);
    ck_assert_uint_eq(rig_io(&rig, 2, 5, 2, CBA + 0x1200, 0), 0);
    link_get_stats(pcie_port_link(rig.port), &after);
    for (uint64_t i = 0; i < 128; i++)
        ck_assert_uint_eq(peek64(0x1200 + 8 * i), i * UINT64_C(0x0101010101010101));
    ck_assert_uint_eq(rig.dma_reads + rig.dma_writes, accesses + 4); /* two SQEs, two CQEs */
    ck_assert_uint_eq(after.up_bytes - before.up_bytes, 2 * 16);
    /* one page in the buffer, the next in the host's memory (CDPMLS = 1) */
    ck_assert_uint_eq(rig_io(&rig, 2, 5, 2, CBA + 0x1000 - 512, RIG_DATA), 0);
    ck_assert_uint_eq(peek64(0x1000 - 8), 63 * UINT64_C(0x0101010101010101));
    ck_assert_uint_eq(*rig_at(&rig, RIG_DATA), 64);
}
END_TEST

START_TEST(lists_in_the_buffer)
{
    open_rig();
    poke64(0x100, RIG_DATA + 0x1000);
    poke64(0x108, RIG_DATA + 0x2000);
    poke64(0x110, RIG_DATA); /* a data block of 512 */
    poke64(0x118, 512);
    ck_assert_uint_eq(rig_io(&rig, 2, 0, 24, RIG_DATA, CBA + 0x100), 0);
    ck_assert_uint_eq(
        rig_io_sgl(&rig, 2, 0, 1, (struct rig_sgl){CBA + 0x110, 16, RIG_LAST_SEGMENT}), 0);
    ck_assert_uint_eq(rig_stats(&rig).list_reads, 2);
}
END_TEST

static uint16_t create(unsigned qid, bool cq, uint64_t at, uint16_t size, bool contiguous)
{
    return rig_do(&rig, 0,
                  &(struct rig_cmd){.opcode = cq ? 5 : 1,
                                    .prp1 = at,
                                    .cdw10 = (size - 1u) << 16 | qid,
                                    .cdw11 = (cq ? 0 : qid << 16) | contiguous},
                  NULL);
}

/* Both queues in the buffer: entries by register writes, completions by register reads. */
START_TEST(queues_in_the_buffer)
{
    open_rig();
    ck_assert_uint_eq(create(2, true, CBA + 0x1000, 4, true), 0);
    ck_assert_uint_eq(create(2, false, CBA, 4, true), 0);
    for (unsigned i = 0; i < 6; i++) {
        unsigned slot = i % 4;

        poke64(64 * slot, 2 | (0x50 + i) << 16 | UINT64_C(1) << 32); /* Read, namespace 1 */
        poke64(64 * slot + 24, RIG_DATA);
        poke64(64 * slot + 32, 0);
        poke64(64 * slot + 40, 0);
        poke64(64 * slot + 48, 0);
        rig_write32(&rig, 0x1000 + 8 * 2, (i + 1) % 4);
        rig_settle(&rig);
        ck_assert_uint_eq(peek64(0x1000 + 16 * slot + 8) >> 32 & 0xffff, 0x50 + i);
        ck_assert_uint_eq(peek64(0x1000 + 16 * slot + 8) >> 48, i < 4); /* success and phase */
        rig_write32(&rig, 0x1000 + 8 * 2 + 4, (i + 1) % 4);
        rig_settle(&rig);
    }
}
END_TEST

/* Given a buffer without one of its uses, that use is refused: 12h. */
START_TEST(uses_that_are_not_supported)
{
    uint16_t no[5] = {0};

    params.ctrl.cmb_sqs = _i != 0;
    params.ctrl.cmb_cqs = _i != 1;
    params.ctrl.cmb_lists = _i != 2;
    params.ctrl.cmb_rds = _i != 3;
    params.ctrl.cmb_wds = _i != 4;
    no[_i] = 0x012;
    open_rig();
    ck_assert_uint_eq(create(2, true, CBA + 0x1000, 4, true), no[1]);
    ck_assert_uint_eq(create(3, true, RIG_IO_CQ + 3 * RIG_STEP, 4, true), 0);
    ck_assert_uint_eq(create(3, false, CBA, 4, true), no[0]);
    poke64(0x2000, RIG_DATA);
    poke64(0x2008, RIG_DATA);
    ck_assert_uint_eq(rig_io(&rig, 2, 0, 24, RIG_DATA, CBA + 0x2000), no[2]);
    poke64(0x2008, 512);
    ck_assert_uint_eq(
        rig_io_sgl(&rig, 2, 0, 1, (struct rig_sgl){CBA + 0x2000, 16, RIG_LAST_SEGMENT}), no[2]);
    ck_assert_uint_eq(rig_io(&rig, 2, 0, 1, CBA + 0x3000, 0), no[3]);
    ck_assert_uint_eq(rig_do(&rig, 0, /* Identify */
                             &(struct rig_cmd){.opcode = 6, .prp1 = CBA + 0x3000, .cdw10 = 1},
                             NULL),
                      no[3]);
    ck_assert_uint_eq(rig_io(&rig, 1, 0, 1, CBA + 0x3000, 0), no[4]);
    ck_assert_uint_eq(rig_io(&rig, 1, 0, 16, RIG_DATA, CBA + 0x3000), no[4]);
}
END_TEST

/* CQMMS = 0: a queue is inside or outside; CQPDS = 0: inside it is contiguous. */
START_TEST(queues_that_cannot_be_placed)
{
    params.ctrl.cap_cqr = 0;
    open_rig();
    ck_assert_uint_eq(create(2, true, CBA + CMB_BYTES - 4096, 256, true), 0);
    ck_assert_uint_eq(create(2, false, CBA + CMB_BYTES - 4096, 64, true), 0);
    ck_assert_uint_eq(create(3, true, CBA + CMB_BYTES - 0x1000, 4, true), 0);
    ck_assert_uint_eq(create(3, false, CBA + CMB_BYTES - 4096, 65, true), 0x012);
    ck_assert_uint_eq(create(3, false, CBA - 4096, 65, true), 0x012);
    rig_put64(&rig, RIG_LISTS, CBA + 0x5000);
    ck_assert_uint_eq(create(4, true, RIG_LISTS, 16, false), 0x012);
    rig_put64(&rig, RIG_LISTS, RIG_DATA);
    ck_assert_uint_eq(create(4, true, RIG_LISTS, 16, false), 0);
}
END_TEST

/* Data and lists that run out of the buffer: nobody answers there. */
START_TEST(running_out_of_it)
{
    params.cc |= 1 << 7; /* pages of 8 KiB */
    params.ctrl.cmb_size = 0x3000;
    open_rig();
    ck_assert_uint_eq(rig_io(&rig, 2, 0, 8, CBA + 0x2000, 0), 0);
    ck_assert_uint_eq(rig_io(&rig, 2, 0, 9, CBA + 0x2000, 0), 0x004);
    ck_assert_uint_eq(rig_io(&rig, 1, 0, 9, CBA + 0x2000, 0), 0x004);
    ck_assert_uint_eq(
        rig_io_sgl(&rig, 2, 0, 1, (struct rig_sgl){CBA + 0x2ff8, 16, RIG_LAST_SEGMENT}), 0x004);
    ck_assert_uint_eq(rig_io_sgl(&rig, 2, 0, 1, (struct rig_sgl){CBA - 8, 512, 0}), 0x004);
}
END_TEST

/* The admin queues: placed by ASQ and ACQ before CC.EN; what cannot be is CSTS.CFS. */
START_TEST(admin_queues_in_the_buffer)
{
    params.ctrl.cmb_sqs = (uint64_t)_i;
    rig_open(&rig, &params);
    rig_setup_admin(&rig);
    rig_write64(&rig, CMBMSC, CBA | 3);
    rig_write64(&rig, 0x28, CBA);
    rig_write32(&rig, 0x14, params.cc);
    rig_settle(&rig);
    ck_assert_uint_eq(rig_read32(&rig, 0x1c), _i != 0 ? 1 : 2);
}
END_TEST

/* CMBMSC outlives CC.EN and a function level reset, not what goes farther (7.3.2), and without
 * power nothing does; before 1.4 the buffer is where the BAR is. */
START_TEST(resets_and_the_bar)
{
    params.ctrl.version = (uint64_t)_i;
    rig_open(&rig, &params);
    pcie_port_config_write(rig.port, 0x10, 4, (uint32_t)BAR_AT);
    pcie_port_config_write(rig.port, 0x14, 4, BAR_AT >> 32);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 16, 0);
    if (_i == 0) {
        ck_assert_uint_eq(rig_read64(&rig, 0) >> 57 & 1, 0);
        ck_assert_uint_eq(rig_read32(&rig, CMBLOC) & 0xfff, 0);
        ck_assert_uint_eq(rig_read32(&rig, CMBSZ), CMB_BYTES / 4096 << 12 | 0x1f);
        rig_write64(&rig, CMBMSC, CBA | 3);
        ck_assert_uint_eq(rig_read64(&rig, CMBMSC), 0);
        ck_assert_uint_eq(rig_io(&rig, 2, 0, 1, BAR_AT + bar_offset(), 0), 0);
        pcie_port_config_write(rig.port, 0x14, 4, 0x99);
        ck_assert_uint_eq(rig_io(&rig, 2, 0, 1, BAR_AT + bar_offset(), 0), 0x004);
        return;
    }
    rig_write64(&rig, CMBMSC, CBA | 3);
    ck_assert_uint_eq(rig_io(&rig, 2, 0, 1, BAR_AT + bar_offset(), 0), 0x004);
    poke64(0, 42);
    rig_write32(&rig, 0x14, 0);
    rig_settle(&rig);
    ck_assert_uint_eq(rig_read64(&rig, CMBMSC), CBA | 3);
    ck_assert_uint_eq(peek64(0), 42);
    pcie_port_config_write(rig.port, 0x48, 2, 0x8000); /* Initiate Function Level Reset */
    pcie_port_config_write(rig.port, 4, 2, 6);
    ck_assert_uint_eq(rig_read64(&rig, CMBMSC), CBA | 3);
    ck_assert_uint_eq(peek64(0), 42);
    ctrl_conventional_reset(rig.ctrl);
    pcie_port_config_write(rig.port, 4, 2, 6);
    ck_assert_uint_eq(rig_read64(&rig, CMBMSC), 0);
    rig_write64(&rig, CMBMSC, 1);
    ck_assert_uint_eq(peek64(0), 42);
    ctrl_power_cycle(rig.ctrl);
    pcie_port_config_write(rig.port, 4, 2, 6);
    rig_write64(&rig, CMBMSC, 1);
    ck_assert_uint_eq(peek64(0), 0);
}
END_TEST

Suite *suite_cmb(void)
{
    Suite *suite = suite_create("nvme controller memory buffer");
    TCase *tc = tcase_create("cmb");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, there_is_none);
    tcase_add_test(tc, registers_of_1_4);
    tcase_add_test(tc, base_that_cannot_be);
    tcase_add_loop_test(tc, uses_are_listed, 0, 5);
    tcase_add_test(tc, the_host_reads_and_writes_it);
    tcase_add_test(tc, data_in_the_buffer);
    tcase_add_test(tc, lists_in_the_buffer);
    tcase_add_test(tc, queues_in_the_buffer);
    tcase_add_loop_test(tc, uses_that_are_not_supported, 0, 5);
    tcase_add_test(tc, queues_that_cannot_be_placed);
    tcase_add_test(tc, running_out_of_it);
    tcase_add_loop_test(tc, admin_queues_in_the_buffer, 0, 2);
    tcase_add_loop_test(tc, resets_and_the_bar, 0, 2);
    suite_add_tcase(suite, tc);
    return suite;
}
