/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The driver core's operations and data paths against the controller model: every path carries
 * every size to the medium and back, by contents; scattered buffers by whatever can carry them;
 * operations without data; two namespaces (NVMe 1.4
 * sections 4.3, 4.4, 6.6, 6.7, 6.9, 6.14, 6.15, 6.17).
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "engine/pattern.h"
#include "scenario/fixture.h"

#define KIB             1024u
#define MIB             (KIB * KIB)
#define COUNT(array)    (sizeof(array) / sizeof((array)[0]))
#define COMPARE_FAILURE 0x285u /* 4.6.1.2.3 */

struct rig {
    struct fixture f;
    struct machine *machine;
    struct memory *memory;
    uint32_t nsid, block_bytes;
};

static void rig_start(struct rig *rig)
{
    const char *why = "";
    rig->machine = machine_create(&rig->f.params.machine, &rig->f.spec.options);
    ck_assert_msg(machine_start(rig->machine, &why) == NVME_OK, "%s", why);
    rig->memory = host_memory(machine_host(rig->machine));
    rig->nsid = 1;
    rig->block_bytes = nvme_get_namespace(machine_nvme(rig->machine), 0)->block_bytes;
}

static void rig_open(struct rig *rig, const char *settings)
{
    char text[256];
    fixture_open(&rig->f, NULL, "doorbell", "fixed-latency", "ideal");
    fixture_set(&rig->f, "ctrl.namespace_size=64 MiB");
    snprintf(text, sizeof text, "%s", settings);
    for (char *one = strtok(text, ";"); one != NULL; one = strtok(NULL, ";"))
        fixture_set(&rig->f, one);
    rig_start(rig);
}

static void rig_close(struct rig *rig)
{
    ck_assert_uint_eq(memory_refused(rig->memory), 0);
    ck_assert_int_eq(machine_stop(rig->machine), NVME_OK);
    machine_destroy(rig->machine);
    fixture_close(&rig->f);
}

static struct memory_area *area_of(struct rig *rig, uint32_t bytes, uint32_t align)
{
    return memory_alloc(rig->memory, bytes, align, true, false);
}

static struct nvme_request request_of(const struct rig *rig, enum nvme_op op, uint64_t lba,
                                      uint32_t blocks, struct memory_area *area)
{
    return (struct nvme_request){.op = op,
                                 .nsid = rig->nsid,
                                 .lba = lba,
                                 .blocks = blocks,
                                 .buffer = area != NULL ? memory_pointer(area) : NULL};
}

static int run(struct rig *rig, struct nvme_request request)
{
    return os_io(machine_os(rig->machine), &request);
}

static void stamp(struct memory_area *area, uint32_t bytes, uint32_t generation)
{
    for (uint32_t at = 0; at < bytes; at += PATTERN_BYTES)
        memory_set_tag(area, at, pattern_tag(generation, at / PATTERN_BYTES));
}

static void expect(struct memory_area *area, uint32_t from, uint32_t bytes, uint32_t generation)
{
    for (uint32_t at = from; at < from + bytes; at += PATTERN_BYTES) {
        uint64_t tag = UINT64_MAX;
        ck_assert_msg(memory_get_tag(area, at, &tag), "no pattern at byte %u", at);
        ck_assert_uint_eq(tag,
                          generation ? pattern_tag(generation, at / PATTERN_BYTES) : PATTERN_ZERO);
    }
}

static struct nvme_queue_stats stats_of(const struct rig *rig)
{
    struct nvme_queue_stats stats;
    nvme_get_queue_stats(machine_queue(rig->machine), &stats);
    return stats;
}

/* ---- one buffer ---- */

static const struct path {
    const char *settings;
    bool bounced, sgl, lists;
} paths[] = {
    {"driver.list_pages=1", false, false, true},
    {"driver.list_pages=4;ctrl.mdts=0", false, false, true}, /* chained */
    {"driver.bounce_bytes=2 MiB;driver.read_direct_min=1 GiB;driver.write_direct_min=1 GiB", true,
     false, true},
    {"driver.bounce_bytes=16 KiB;driver.read_direct_align=4 KiB;driver.write_direct_min=8 KiB",
     true, false, true},
    {"ctrl.sgls=dword;driver.sgl=by-size;driver.sgl_min=0 B;ctrl.mdts=0;driver.list_pages=4", false,
     true, false},
    {"ctrl.sgls=byte;driver.sgl=where-needed;ctrl.mdts=0;driver.list_pages=4", false, true, true},
    {"driver.transfer_cap=64 KiB;driver.split=serial", false, false, true},
    {"ctrl.block_bytes=4096;driver.list_pages=2", false, false, true},
};

static const uint32_t sizes[] = {512,      4 * KIB,      8 * KIB,         8 * KIB + 512,
                                 64 * KIB, 128 * KIB,    128 * KIB + 512, MIB - 512,
                                 2 * MIB,  2 * MIB + 512};
static const uint32_t aligns[] = {4096, 512, 4};

/* Given a path, when blocks are written from a buffer, read into another and compared, then every
 * block is the one that was written, at every size and alignment. */
START_TEST(every_path_carries_every_size)
{
    struct rig rig;
    uint32_t generation = 0;
    rig_open(&rig, paths[_i].settings);
    for (size_t s = 0; s < COUNT(sizes); s++) {
        for (size_t a = 0; a < COUNT(aligns); a++) {
            uint32_t bytes = (sizes[s] + rig.block_bytes - 1) / rig.block_bytes * rig.block_bytes;
            uint32_t blocks = bytes / rig.block_bytes;
            struct memory_area *from = area_of(&rig, bytes, aligns[a]);
            struct memory_area *to = area_of(&rig, bytes, aligns[a]);
            stamp(from, bytes, ++generation);
            ck_assert_int_eq(run(&rig, request_of(&rig, NVME_OP_WRITE, 3 + s, blocks, from)), 0);
            ck_assert_int_eq(run(&rig, request_of(&rig, NVME_OP_READ, 3 + s, blocks, to)), 0);
            expect(to, 0, bytes, generation);
            struct nvme_request compare = request_of(&rig, NVME_OP_COMPARE, 3 + s, blocks, from);
            ck_assert_int_eq(run(&rig, compare), 0);
            memory_set_tag(from, bytes - PATTERN_BYTES, pattern_tag(generation, 0x7fffffff));
            compare = request_of(&rig, NVME_OP_COMPARE, 3 + s, blocks, from);
            ck_assert_int_eq(os_io(machine_os(rig.machine), &compare), NVME_E_STATUS);
            ck_assert_uint_eq(compare.status & 0x7ff, COMPARE_FAILURE);
            memory_free(rig.memory, from);
            memory_free(rig.memory, to);
        }
    }
    struct nvme_queue_stats stats = stats_of(&rig);
    ck_assert_int_eq(stats.bounced != 0, paths[_i].bounced);
    ck_assert_int_eq(stats.prp_lists != 0, paths[_i].lists);
    ck_assert(paths[_i].sgl || stats.sgls == 0);
    ck_assert_uint_eq(stats.protocol_errors, 0);
    rig_close(&rig);
}
END_TEST

/* ---- scattered ---- */

static const struct carrier {
    const char *settings;
    uint32_t grain;
    bool sgl, bounced, split;
} carriers[] = {
    {"ctrl.sgls=byte;driver.sgl=where-needed", 1, true, false, false},
    {"ctrl.sgls=dword;driver.sgl=where-needed;driver.list_pages=2;ctrl.mdts=0", 4, true, false,
     false},
    {"ctrl.sgls=dword;driver.sgl=by-size;driver.sgl_min=1 KiB;driver.bounce_bytes=64 KiB", 1, false,
     true, true},
    {"driver.bounce_bytes=1 MiB", 1, false, true, false},
    {"driver.bounce_bytes=4 KiB", 1, false, true, true},
    {"driver.list_pages=1", 512, false, false, true},
};
#define PARTS 400u

/* Given a buffer in pieces of any length at any place, when it is written and read, then contents
 * arrive, by what the configuration has for that. */
START_TEST(pieces_arrive_by_what_can_carry_them)
{
    static struct nvme_vector parts[PARTS];
    static uint32_t offsets[PARTS];
    const struct carrier *c = &carriers[_i];
    const uint32_t bytes = 192 * KIB;
    struct rig rig;
    rig_open(&rig, c->settings);
    struct memory_area *whole = area_of(&rig, bytes, 4096);
    struct memory_area *pieces = area_of(&rig, 8 * MIB, 4096);
    uint8_t *at = memory_pointer(pieces);
    uint32_t count = 0, random = 12345, place = 0;
    for (uint32_t left = bytes; left != 0; count++) {
        random = random * 1664525u + 1013904223u;
        uint32_t length = c->grain * (1 + (random >> 16) % (2048 / c->grain));
        length = length < left && count + 1 < PARTS ? length : left;
        offsets[count] = place + c->grain * ((random >> 8) % (4096 / c->grain));
        parts[count] = (struct nvme_vector){at + offsets[count], 0, length};
        place = (offsets[count] + length + 8191) / 4096 * 4096;
        left -= length;
        ck_assert_uint_lt(place, 8 * MIB);
    }
    struct nvme_request request = request_of(&rig, NVME_OP_WRITE, 77, bytes / 512, NULL);
    request.flags = NVME_REQ_VECTOR;
    request.vector = parts;
    request.vector_count = (uint16_t)count;
    stamp(whole, bytes, 9);
    for (uint32_t i = 0, from = 0; i < count; from += parts[i++].bytes)
        memory_copy(pieces, offsets[i], whole, from, parts[i].bytes);
    ck_assert_int_eq(run(&rig, request), 0);
    struct memory_area *back = area_of(&rig, bytes, 4096);
    ck_assert_int_eq(run(&rig, request_of(&rig, NVME_OP_READ, 77, bytes / 512, back)), 0);
    expect(back, 0, bytes, 9);
    /* The other way round: written whole, read in pieces. */
    stamp(whole, bytes, 10);
    ck_assert_int_eq(run(&rig, request_of(&rig, NVME_OP_WRITE, 77, bytes / 512, whole)), 0);
    request.op = NVME_OP_READ;
    ck_assert_int_eq(run(&rig, request), 0);
    for (uint32_t i = 0, to = 0; i < count; to += parts[i++].bytes)
        memory_copy(back, to, pieces, offsets[i], parts[i].bytes);
    expect(back, 0, bytes, 10);
    struct nvme_queue_stats stats = stats_of(&rig);
    ck_assert(!c->sgl || stats.sgls > 0);
    ck_assert_int_eq(stats.bounced != 0, c->bounced);
    ck_assert(!c->split || stats.splits > 0);
    rig_close(&rig);
}
END_TEST

/* ---- without data ---- */

/* Given written blocks, when 300 ranges are deallocated, then these read as zeroes and their
 * neighbours as before. */
START_TEST(deallocated_ranges_read_as_zeroes)
{
    static struct nvme_range ranges[300];
    struct rig rig;
    rig_open(&rig, "driver.list_pages=4");
    struct memory_area *area = area_of(&rig, MIB, 4096);
    stamp(area, MIB, 5);
    ck_assert_int_eq(run(&rig, request_of(&rig, NVME_OP_WRITE, 0, 2048, area)), 0);
    for (uint32_t i = 0; i < 300; i++)
        ranges[i] = (struct nvme_range){1 + i * 5, 1 + i % 4};
    struct nvme_request request = request_of(&rig, NVME_OP_DEALLOCATE, 0, 0, NULL);
    request.ranges = ranges;
    request.vector_count = 300;
    uint64_t commands = stats_of(&rig).commands;
    ck_assert_int_eq(run(&rig, request), 0);
    ck_assert_uint_eq(stats_of(&rig).commands - commands, 2); /* 256 and 44 (6.7) */
    ck_assert_int_eq(run(&rig, request_of(&rig, NVME_OP_READ, 0, 2048, area)), 0);
    for (uint32_t block = 0; block < 2048; block++) {
        uint32_t i = block == 0 ? 300 : (block - 1) / 5;
        bool gone = i < 300 && (block - 1) % 5 < ranges[i].blocks;
        expect(area, block * 512, 512, gone ? 0 : 5);
    }
    rig_close(&rig);
}
END_TEST

/* Given written blocks, when some are zeroed, with and without deallocating, then these are zeroes;
 * verify, flush and a raw read go through. */
START_TEST(operations_without_data_do_what_they_say)
{
    struct rig rig;
    rig_open(&rig, "driver.list_pages=4");
    struct memory_area *area = area_of(&rig, 64 * KIB, 4096);
    stamp(area, 64 * KIB, 6);
    ck_assert_int_eq(run(&rig, request_of(&rig, NVME_OP_WRITE, 0, 128, area)), 0);
    struct nvme_request request = request_of(&rig, NVME_OP_WRITE_ZEROES, 8, 8, NULL);
    ck_assert_int_eq(run(&rig, request), 0);
    request = request_of(&rig, NVME_OP_WRITE_ZEROES, 32, 1, NULL);
    request.flags = NVME_REQ_NO_DEALLOCATE | NVME_REQ_FUA;
    ck_assert_int_eq(run(&rig, request), 0);
    ck_assert_int_eq(run(&rig, request_of(&rig, NVME_OP_VERIFY, 0, 128, NULL)), 0);
    ck_assert_int_eq(run(&rig, request_of(&rig, NVME_OP_FLUSH, 0, 0, NULL)), 0);
    struct nvme_raw raw = {.command = {.opcode = 2, .nsid = 1, .cdw12 = 127},
                           .bytes = 64 * KIB,
                           .dir = NVME_FROM_DEVICE};
    request = request_of(&rig, NVME_OP_RAW, 0, 0, area);
    request.raw = &raw;
    stamp(area, 64 * KIB, 7);
    ck_assert_int_eq(run(&rig, request), 0);
    for (uint32_t block = 0; block < 128; block++)
        expect(area, block * 512, 512, (block >= 8 && block < 16) || block == 32 ? 0 : 6);
    raw = (struct nvme_raw){.command = {.opcode = 0x7c, .nsid = 1}}; /* no such command */
    request = request_of(&rig, NVME_OP_RAW, 0, 0, NULL);
    request.raw = &raw;
    ck_assert_int_eq(os_io(machine_os(rig.machine), &request), NVME_E_STATUS);
    ck_assert_uint_eq(request.status & 0x7ff, 1); /* Invalid Command Opcode (4.6.1.2.1) */
    rig_close(&rig);
}
END_TEST

/* Given a controller without an optional command, when it is asked for, then it is not sent. */
START_TEST(what_the_controller_lacks_is_not_sent)
{
    static const struct {
        const char *setting;
        enum nvme_op op;
    } ops[] = {{"ctrl.compare=no", NVME_OP_COMPARE},
               {"ctrl.verify=no", NVME_OP_VERIFY},
               {"ctrl.write_zeroes=no", NVME_OP_WRITE_ZEROES},
               {"ctrl.dataset_management=no", NVME_OP_DEALLOCATE}};
    struct rig rig;
    rig_open(&rig, ops[_i].setting);
    struct memory_area *area = area_of(&rig, 512, 4096);
    ck_assert_int_eq(run(&rig, request_of(&rig, ops[_i].op, 0, 1, area)), NVME_E_UNSUPPORTED);
    ck_assert_uint_eq(stats_of(&rig).commands, 0);
    rig_close(&rig);
}
END_TEST

/* ---- boundaries ---- */

/* Given a namespace with an optimal boundary every 100 blocks, when 1,000 blocks from block 30 on
 * are written and read, then that takes 11 commands each, and the contents arrive (5.15.2.1). */
START_TEST(commands_end_at_the_boundaries_that_a_namespace_states)
{
    struct rig rig;
    rig_open(&rig, "ctrl.optimal_boundary=100;driver.split_at_boundary=yes;driver.list_pages=4");
    ck_assert_uint_eq(nvme_get_namespace(machine_nvme(rig.machine), 0)->optimal_boundary, 100);
    struct memory_area *area = area_of(&rig, 512000, 4096);
    stamp(area, 512000, 4);
    ck_assert_int_eq(run(&rig, request_of(&rig, NVME_OP_WRITE, 30, 1000, area)), 0);
    ck_assert_uint_eq(stats_of(&rig).commands, 11);
    stamp(area, 512000, 5);
    ck_assert_int_eq(run(&rig, request_of(&rig, NVME_OP_READ, 30, 1000, area)), 0);
    ck_assert_uint_eq(stats_of(&rig).commands, 22);
    expect(area, 0, 512000, 4);
    rig_close(&rig);
}
END_TEST

/* ---- namespaces ---- */

/* Given two namespaces with blocks of 512 and 4096 bytes, when the same blocks of both are written
 * in turns, then each keeps its own, and deallocating in one leaves the other. */
START_TEST(two_namespaces_keep_apart)
{
    struct rig rig;
    rig_open(&rig, "ctrl.more_namespaces=32 MiB/4096");
    struct memory_area *areas[2] = {area_of(&rig, 32 * KIB, 4096), area_of(&rig, 256 * KIB, 4096)};
    const uint32_t block_bytes[2] = {512, 4096};
    ck_assert_uint_eq(nvme_namespace_count(machine_nvme(rig.machine)), 2);
    for (uint32_t round = 0; round < 4; round++)
        for (rig.nsid = 1; rig.nsid <= 2; rig.nsid++) {
            struct memory_area *area = areas[rig.nsid - 1];
            uint32_t bytes = 64 * block_bytes[rig.nsid - 1];
            stamp(area, bytes, 10 * round + rig.nsid);
            ck_assert_int_eq(run(&rig, request_of(&rig, NVME_OP_WRITE, 16, 64, area)), 0);
        }
    rig.nsid = 1;
    ck_assert_int_eq(run(&rig, request_of(&rig, NVME_OP_DEALLOCATE, 16, 64, NULL)), 0);
    for (rig.nsid = 1; rig.nsid <= 2; rig.nsid++) {
        struct memory_area *area = areas[rig.nsid - 1];
        uint32_t bytes = 64 * block_bytes[rig.nsid - 1];
        stamp(area, bytes, 99);
        ck_assert_int_eq(run(&rig, request_of(&rig, NVME_OP_READ, 16, 64, area)), 0);
        expect(area, 0, bytes, rig.nsid == 1 ? 0 : 32);
    }
    rig_close(&rig);
}
END_TEST

Suite *driver_data_suite(void);

Suite *driver_data_suite(void)
{
    Suite *suite = suite_create("driver data on the model");
    TCase *data = tcase_create("data");
    tcase_set_timeout(data, 300);
    tcase_add_loop_test(data, every_path_carries_every_size, 0, COUNT(paths));
    tcase_add_loop_test(data, pieces_arrive_by_what_can_carry_them, 0, COUNT(carriers));
    tcase_add_test(data, deallocated_ranges_read_as_zeroes);
    tcase_add_test(data, operations_without_data_do_what_they_say);
    tcase_add_loop_test(data, what_the_controller_lacks_is_not_sent, 0, 4);
    tcase_add_test(data, commands_end_at_the_boundaries_that_a_namespace_states);
    tcase_add_test(data, two_namespaces_keep_apart);
    suite_add_tcase(suite, data);
    return suite;
}
