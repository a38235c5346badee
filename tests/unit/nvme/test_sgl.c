/* SPDX-License-Identifier: BSD-2-Clause
 * SGLs (NVMe 1.4 section 4.4): what may select them, where the data goes, and every status that
 * they can end with. */
#include <string.h>

#include "unit/nvme/rig_sgl.h"

enum { OFF, BYTE, DWORD };

#define LIST(n) (RIG_LISTS + 0x1000 * (n))

static struct rig rig;
static struct rig_params params;

static void setup(void)
{
    rig_defaults(&params);
    params.ctrl.mdts = 9;
    params.ctrl.sgls = BYTE;
    params.ctrl.sgl_bit_bucket = 1;
    params.ctrl.sgl_longer = 1;
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
}

static struct rig_sgl block(uint64_t address, uint32_t length)
{
    return (struct rig_sgl){address, length, RIG_DATA_BLOCK};
}

static struct rig_sgl last(uint64_t address, unsigned descriptors)
{
    return (struct rig_sgl){address, 16 * descriptors, RIG_LAST_SEGMENT};
}

static struct rig_sgl chain(uint64_t address, unsigned descriptors)
{
    return (struct rig_sgl){address, 16 * descriptors, RIG_SEGMENT};
}

static uint16_t read_blocks(uint32_t blocks, struct rig_sgl sgl)
{
    return rig_io_sgl(&rig, 2, 0, blocks, sgl);
}

/* Bytes of a block that say where they belong. */
static uint8_t content(uint32_t i)
{
    return (uint8_t)(i * 3 + (i >> 8) + 1);
}

static void fill_drive(uint32_t blocks)
{
    uint64_t from = RIG_DATA + 0x400000;

    for (uint32_t i = 0; i < blocks * 512; i++)
        *rig_at(&rig, from + i) = content(i);
    ck_assert_uint_eq(rig_io_sgl(&rig, 1, 0, blocks, block(from, blocks * 512)), 0);
}

static void expect_at(uint64_t bus, uint32_t first, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++) {
        if (*rig_at(&rig, bus + i) != content(first + i))
            ck_abort_msg("byte %u of %u", i, bytes);
    }
}

/* PSDT (4.2): 01b with support; 10b never (SGLS bit 19 = 0), 11b is reserved; PRPs for admin
 * commands (4.4). */
START_TEST(what_may_use_them)
{
    struct rig_cmd cmd = rig_sgl_cmd(2, 0, 1, block(RIG_DATA, 512));
    struct rig_cmd flush = {.opcode = 0, .flags = 0x40, .nsid = 1};
    struct rig_cmd identify = {.opcode = 6, .flags = 0x40, .prp1 = RIG_DATA, .cdw10 = 1};

    params.ctrl.sgls = (uint64_t)_i;
    open_rig();
    ck_assert_uint_eq(rig_do(&rig, 1, &cmd, NULL), _i == OFF ? 0x002 : 0);
    ck_assert_uint_eq(rig_do(&rig, 1, &flush, NULL), _i == OFF ? 0x002 : 0);
    ck_assert_uint_eq(rig_do(&rig, 0, &identify, NULL), 0x002);
    cmd.flags = 0x80;
    ck_assert_uint_eq(rig_do(&rig, 1, &cmd, NULL), 0x002);
    cmd.flags = 0xc0;
    ck_assert_uint_eq(rig_do(&rig, 1, &cmd, NULL), 0x002);
}
END_TEST

/* SGLS, bytes 539:536 of Identify Controller (5.15.2.1). */
START_TEST(identify_says_what_works)
{
    static const uint32_t sgls[] = {0, 1, 2, 0x10001, 0x40002, 0x50001};

    params.ctrl.sgls = sgls[_i] & 3;
    params.ctrl.sgl_bit_bucket = sgls[_i] >> 16 & 1;
    params.ctrl.sgl_longer = sgls[_i] >> 18 & 1;
    open_rig();
    ck_assert_uint_eq(rig_admin(&rig, 6, 0, 1, 0, NULL), 0);
    for (unsigned i = 0; i < 4; i++)
        ck_assert_uint_eq(*rig_at(&rig, RIG_DATA + 536 + i), sgls[_i] >> 8 * i & 0xff);
}
END_TEST

START_TEST(block_in_the_command)
{
    open_rig();
    fill_drive(8);
    memset(rig_at(&rig, RIG_DATA), 0xee, 0x2000);
    ck_assert_uint_eq(read_blocks(8, block(RIG_DATA + 3, 4096)), 0);
    ck_assert_uint_eq(*rig_at(&rig, RIG_DATA + 2), 0xee);
    expect_at(RIG_DATA + 3, 0, 4096);
    ck_assert_uint_eq(*rig_at(&rig, RIG_DATA + 3 + 4096), 0xee);
}
END_TEST

/* SGLS bits 1:0 = 10b: address and length of data blocks in dwords; status 1Eh (4.6.1.2.1). */
START_TEST(dwords_where_only_dwords_work)
{
    uint16_t odd = _i == BYTE ? 0 : 0x01e;

    params.ctrl.sgls = (uint64_t)_i;
    open_rig();
    ck_assert_uint_eq(read_blocks(1, block(RIG_DATA + 4, 512)), 0);
    for (unsigned low = 1; low < 4; low++) {
        ck_assert_uint_eq(read_blocks(1, block(RIG_DATA + low, 512)), odd);
        ck_assert_uint_eq(read_blocks(1, block(RIG_DATA, 512 + low)), odd);
    }
}
END_TEST

/* Data SGL Length Invalid (0Fh): too short always, too long without SGLS bit 18. */
START_TEST(length_against_the_data)
{
    uint16_t longer = _i != 0 ? 0 : 0x00f;

    params.ctrl.sgl_longer = (uint64_t)_i;
    open_rig();
    ck_assert_uint_eq(read_blocks(8, block(RIG_DATA, 4096)), 0);
    ck_assert_uint_eq(read_blocks(8, block(RIG_DATA, 4095)), 0x00f);
    ck_assert_uint_eq(read_blocks(8, block(RIG_DATA, 0)), 0x00f);
    ck_assert_uint_eq(read_blocks(8, block(RIG_DATA, 4097)), longer);
    ck_assert_uint_eq(read_blocks(8, block(RIG_DATA, UINT32_MAX)), longer);
    /* behind the end: a block of something, a block of nothing */
    rig_put_sgl(&rig, rig_put_sgl(&rig, LIST(0), 0, RIG_DATA, 4096), 0, RIG_DATA, 1);
    ck_assert_uint_eq(read_blocks(8, last(LIST(0), 2)), longer);
    rig_put_sgl(&rig, LIST(0) + 16, 0, RIG_DATA, 0);
    ck_assert_uint_eq(read_blocks(8, last(LIST(0), 2)), 0);
    ck_assert_uint_eq(read_blocks(9, last(LIST(0), 2)), 0x00f);
    /* too long by a bit bucket */
    rig_put_sgl(&rig, LIST(0) + 16, RIG_BIT_BUCKET, 0, 1);
    ck_assert_uint_eq(read_blocks(8, last(LIST(0), 2)), longer);
}
END_TEST

/* 4.4: bytes of a bit bucket are discarded, and count, on the way to the host. */
START_TEST(bit_buckets_of_a_read)
{
    uint64_t writes;

    open_rig();
    fill_drive(2);
    memset(rig_at(&rig, RIG_DATA), 0xee, 0x1000);
    writes = rig.dma_writes;
    ck_assert_uint_eq(read_blocks(2, (struct rig_sgl){0, 1024, RIG_BIT_BUCKET}), 0);
    ck_assert_uint_eq(rig.dma_writes, writes + 1); /* the completion entry */
    /* 100 bytes, 200 discarded, the rest; the bucket's address means nothing */
    rig_put_sgl(&rig, LIST(0), 0, RIG_DATA, 100);
    rig_put_sgl(&rig, LIST(0) + 16, RIG_BIT_BUCKET, UINT64_MAX, 200);
    rig_put_sgl(&rig, LIST(0) + 32, 0, RIG_DATA + 100, 724);
    ck_assert_uint_eq(read_blocks(2, last(LIST(0), 3)), 0);
    expect_at(RIG_DATA, 0, 100);
    expect_at(RIG_DATA + 100, 300, 724);
    ck_assert_uint_eq(*rig_at(&rig, RIG_DATA + 824), 0xee);
    ck_assert_uint_eq(rig_stats(&rig).bytes_read, 2048);
}
END_TEST

/* 4.4: data from the host: as if the length of a bit bucket were zero. */
START_TEST(bit_buckets_of_a_write_are_nothing)
{
    open_rig();
    fill_drive(1);
    for (uint32_t i = 0; i < 512; i++)
        *rig_at(&rig, RIG_DATA + i) = content(i + 7);
    rig_put_sgl(&rig, LIST(0), 0, RIG_DATA, 100);
    rig_put_sgl(&rig, LIST(0) + 16, RIG_BIT_BUCKET, 0, 412);
    ck_assert_uint_eq(rig_io_sgl(&rig, 1, 0, 1, last(LIST(0), 2)), 0x00f);
    rig_put_sgl(&rig, LIST(0) + 32, 0, RIG_DATA + 100, 412);
    ck_assert_uint_eq(rig_io_sgl(&rig, 1, 0, 1, last(LIST(0), 3)), 0);
    ck_assert_uint_eq(read_blocks(1, block(RIG_DATA + 0x1000, 512)), 0);
    expect_at(RIG_DATA + 0x1000, 7, 512);
}
END_TEST

/* SGL Descriptor Type Invalid (11h): types and subtypes that this controller has not. */
START_TEST(types_that_are_not_supported)
{
    params.ctrl.sgl_bit_bucket = 0;
    open_rig();
    for (unsigned type = 0; type < 16; type++) {
        for (unsigned subtype = 0; subtype < 16; subtype++) {
            struct rig_sgl sgl = {RIG_DATA, 512, (uint8_t)(type << 4 | subtype)};
            bool known = subtype == 0 && (type == 0 || type == 2 || type == 3);

            if (known)
                continue;
            ck_assert_uint_eq(read_blocks(1, sgl), 0x011);
            rig_put_sgl(&rig, LIST(0), sgl.identifier, RIG_DATA, 512);
            ck_assert_uint_eq(read_blocks(1, last(LIST(0), 1)), 0x011);
        }
    }
}
END_TEST

START_TEST(segments_lead_to_segments)
{
    open_rig();
    fill_drive(16);
    memset(rig_at(&rig, RIG_DATA), 0xee, 0x4000);
    rig_put_sgl(&rig, LIST(0), 0, RIG_DATA + 1, 1000);
    rig_put_sgl(&rig, LIST(0) + 16, RIG_SEGMENT, LIST(1) + 8, 32);
    rig_put_sgl(&rig, LIST(1) + 8, 0, RIG_DATA + 5000, 0); /* nothing: not an error (4.4) */
    rig_put_sgl(&rig, LIST(1) + 24, RIG_LAST_SEGMENT, LIST(3) - 8, 32);
    rig_put_sgl(&rig, LIST(3) - 8, 0, RIG_DATA + 1001, 3000); /* across two pages */
    rig_put_sgl(&rig, LIST(3) + 8, 0, RIG_DATA + 8000, 4192);
    ck_assert_uint_eq(read_blocks(16, chain(LIST(0), 2)), 0);
    expect_at(RIG_DATA + 1, 0, 4000);
    ck_assert_uint_eq(*rig_at(&rig, RIG_DATA + 4001), 0xee);
    expect_at(RIG_DATA + 8000, 4000, 4192);
    ck_assert_uint_eq(rig_stats(&rig).sgl_lists, 1);
    ck_assert_uint_eq(rig_stats(&rig).list_reads, 4); /* the last segment in two pieces */
}
END_TEST

/* Invalid SGL Segment Descriptor (0Dh). */
START_TEST(segments_that_cannot_be)
{
    open_rig();
    rig_put_sgl(&rig, LIST(0), 0, RIG_DATA, 256);
    rig_put_sgl(&rig, LIST(0) + 16, 0, RIG_DATA, 256);
    ck_assert_uint_eq(read_blocks(1, last(LIST(0), 2)), 0);
    for (unsigned kind = RIG_SEGMENT; kind <= RIG_LAST_SEGMENT; kind += 16) {
        ck_assert_uint_eq(read_blocks(1, (struct rig_sgl){LIST(0), 0, (uint8_t)kind}), 0x00d);
        ck_assert_uint_eq(read_blocks(1, (struct rig_sgl){LIST(0), 31, (uint8_t)kind}), 0x00d);
        ck_assert_uint_eq(read_blocks(1, (struct rig_sgl){LIST(0), 33, (uint8_t)kind}), 0x00d);
        ck_assert_uint_eq(read_blocks(1, (struct rig_sgl){LIST(0) + 4, 32, (uint8_t)kind}), 0x00d);
        /* a segment descriptor in the last segment */
        rig_put_sgl(&rig, LIST(1), 0, RIG_DATA, 256);
        rig_put_sgl(&rig, LIST(1) + 16, (uint8_t)kind, LIST(0), 32);
        ck_assert_uint_eq(read_blocks(1, last(LIST(1), 2)), 0x00d);
    }
    /* a segment that is not the last one ends in data that does not complete the command's */
    ck_assert_uint_eq(read_blocks(2, chain(LIST(0), 2)), 0x00d);
}
END_TEST

/* Invalid Number of SGL Descriptors (0Eh): a segment descriptor that is not at the end. */
START_TEST(segment_descriptor_before_the_end)
{
    open_rig();
    rig_put_sgl(&rig, LIST(0), (uint8_t)_i, LIST(1), 16);
    rig_put_sgl(&rig, LIST(0) + 16, RIG_LAST_SEGMENT, LIST(1), 16);
    rig_put_sgl(&rig, LIST(1), 0, RIG_DATA, 512);
    ck_assert_uint_eq(read_blocks(1, chain(LIST(0), 2)), 0x00e);
    ck_assert_uint_eq(read_blocks(1, chain(LIST(0) + 16, 1)), 0);
}
END_TEST

/* Chains without end, and lengths without measure, end at ctrl.sgl_descriptors. */
START_TEST(descriptors_are_counted)
{
    params.ctrl.sgl_descriptors = 10;
    open_rig();
    for (unsigned i = 0; i < 11; i++)
        rig_put_sgl(&rig, LIST(0) + 16 * i, 0, RIG_DATA, i < 10 ? 51 : 2);
    ck_assert_uint_eq(read_blocks(1, last(LIST(0), 10)), 0x00f); /* 510 bytes: read, too short */
    ck_assert_uint_eq(read_blocks(1, last(LIST(0), 11)), 0x00e);
    ck_assert_uint_eq(read_blocks(1, (struct rig_sgl){LIST(0), 0xfffffff0, RIG_SEGMENT}), 0x00e);
    ck_assert_uint_eq(rig_stats(&rig).list_reads, 1);
    rig_put_sgl(&rig, LIST(1), RIG_SEGMENT, LIST(1), 16); /* leads to itself */
    ck_assert_uint_eq(read_blocks(1, chain(LIST(1), 1)), 0x00e);
    ck_assert_uint_eq(rig_stats(&rig).list_reads, 11);
}
END_TEST

/* Data Transfer Error (04h): memory that is not there, addresses that run over the end. */
START_TEST(memory_that_is_not_there)
{
    open_rig();
    ck_assert_uint_eq(read_blocks(1, block(0x1000, 512)), 0x004);
    ck_assert_uint_eq(read_blocks(1, block(UINT64_MAX, 512)), 0x004);
    ck_assert_uint_eq(read_blocks(1, block(UINT64_MAX - 511, 512)), 0x004);
    ck_assert_uint_eq(read_blocks(1, block(UINT64_MAX - 512, 512)), 0x004);
    ck_assert_uint_eq(read_blocks(1, last(0x1000, 1)), 0x004);
    ck_assert_uint_eq(read_blocks(1, last(UINT64_MAX - 15, 2)), 0x004);
    ck_assert_uint_eq(read_blocks(1, last(UINT64_MAX - 7, 2)), 0x004);
    ck_assert_uint_eq(rig_io_sgl(&rig, 1, 0, 1, block(0x1000, 512)), 0x004);
    /* the second block is not there: what was written to the first may stay */
    rig_put_sgl(&rig, rig_put_sgl(&rig, LIST(0), 0, RIG_DATA, 256), 0, 0x1000, 256);
    ck_assert_uint_eq(read_blocks(1, last(LIST(0), 2)), 0x004);
}
END_TEST

/* Overlapping blocks are written in their order. */
START_TEST(later_blocks_win)
{
    open_rig();
    fill_drive(1);
    rig_put_sgl(&rig, rig_put_sgl(&rig, LIST(0), 0, RIG_DATA, 256), 0, RIG_DATA, 256);
    ck_assert_uint_eq(read_blocks(1, last(LIST(0), 2)), 0);
    expect_at(RIG_DATA, 256, 256);
}
END_TEST

/* Blocks of whole units keep contents as tags; one byte off, they go as bytes. Both are right. */
START_TEST(tags_where_units_fit)
{
    params.tags = true;
    open_rig();
    ck_assert_uint_eq(rig_io(&rig, 2, 0, 2, RIG_DATA, 0), 0); /* fresh blocks have tags */
    ck_assert_uint_eq(rig.tag_moves, 1);
    rig_put_sgl(&rig, rig_put_sgl(&rig, LIST(0), 0, RIG_DATA, 512), 0, RIG_DATA + 4096, 512);
    ck_assert_uint_eq(read_blocks(2, last(LIST(0), 2)), 0);
    ck_assert_uint_eq(rig.tag_moves, 2);
    rig_put_sgl(&rig, rig_put_sgl(&rig, LIST(0), 0, RIG_DATA, 511), 0, RIG_DATA + 4095, 513);
    ck_assert_uint_eq(read_blocks(2, last(LIST(0), 2)), 0);
    ck_assert_uint_eq(rig.tag_moves, 2);
    ck_assert_uint_eq(read_blocks(2, (struct rig_sgl){0, 1024, RIG_BIT_BUCKET}), 0);
    ck_assert_uint_eq(rig.tag_moves, 2);
}
END_TEST

Suite *suite_sgl(void)
{
    Suite *suite = suite_create("nvme sgl");
    TCase *tc = tcase_create("sgl");

    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, what_may_use_them, OFF, DWORD + 1);
    tcase_add_loop_test(tc, identify_says_what_works, 0, 6);
    tcase_add_test(tc, block_in_the_command);
    tcase_add_loop_test(tc, dwords_where_only_dwords_work, BYTE, DWORD + 1);
    tcase_add_loop_test(tc, length_against_the_data, 0, 2);
    tcase_add_test(tc, bit_buckets_of_a_read);
    tcase_add_test(tc, bit_buckets_of_a_write_are_nothing);
    tcase_add_test(tc, types_that_are_not_supported);
    tcase_add_test(tc, segments_lead_to_segments);
    tcase_add_test(tc, segments_that_cannot_be);
    tcase_add_loop_test(tc, segment_descriptor_before_the_end, RIG_SEGMENT, RIG_SEGMENT + 1);
    tcase_add_loop_test(tc, segment_descriptor_before_the_end, RIG_LAST_SEGMENT,
                        RIG_LAST_SEGMENT + 1);
    tcase_add_test(tc, descriptors_are_counted);
    tcase_add_test(tc, memory_that_is_not_there);
    tcase_add_test(tc, later_blocks_win);
    tcase_add_test(tc, tags_where_units_fit);
    suite_add_tcase(suite, tc);
    return suite;
}
