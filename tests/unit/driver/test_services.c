/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Services beside the core: the commands that they spell (NVMe 1.4 section 5) and the pages that
 * they read, byte by byte.
 */
#include "fake.h"
#include "suites.h"

#include <nvme/services.h>

static uint8_t page[4096];

static void zero(void)
{
    memset(page, 0, sizeof(page));
}

static void put(uint32_t offset, unsigned bytes, uint64_t value)
{
    for (unsigned i = 0; i < bytes; i++)
        page[offset + i] = (uint8_t)(value >> 8 * i);
}

/* What a filled request must be: nothing but command, data and time-out was touched. */
static void expect(const struct nvme_admin_request *request, struct nvme_command command,
                   void *buffer, uint32_t bytes, enum nvme_dir dir)
{
    ck_assert_uint_eq(request->command.opcode, command.opcode);
    ck_assert_mem_eq(&request->command.nsid, &command.nsid, 9 * sizeof(uint32_t));
    ck_assert_ptr_eq(request->buffer, buffer);
    ck_assert_uint_eq(request->bytes, bytes);
    if (bytes != 0)
        ck_assert_int_eq(request->dir, dir);
    ck_assert_uint_eq(request->timeout_ms, 0);
    ck_assert_ptr_eq(request->user, page);
}

START_TEST(commands_are_spelled_right)
{
    struct nvme_admin_request r;
    const uint16_t controllers[] = {1, 0x1234};

    memset(&r, 0xEE, sizeof(r));
    r.user = page;
    nvme_fill_identify(&r, NVME_CNS_ATTACHED_CONTROLLERS, 7, 0x1234, page);
    expect(&r, (struct nvme_command){.opcode = 0x06, .nsid = 7, .cdw10 = 0x12340012}, page, 4096,
           NVME_FROM_DEVICE);
    nvme_fill_get_log(&r, NVME_LOG_ERRORS, UINT32_MAX, 0x123456780ull, true, page, 0x40004);
    expect(&r,
           (struct nvme_command){.opcode = 0x02,
                                 .nsid = UINT32_MAX,
                                 .cdw10 = 0x00008001,
                                 .cdw11 = 1,
                                 .cdw12 = 0x23456780,
                                 .cdw13 = 1},
           page, 0x40004, NVME_FROM_DEVICE);
    nvme_fill_get_feature(&r, 0x0E, NVME_SELECT_SAVED, 3, page, 8);
    expect(&r, (struct nvme_command){.opcode = 0x0A, .nsid = 3, .cdw10 = 0x20E}, page, 8,
           NVME_FROM_DEVICE);
    nvme_fill_set_feature(&r, 0x04, true, 0, 350, NULL, 0);
    expect(&r, (struct nvme_command){.opcode = 0x09, .cdw10 = 0x80000004, .cdw11 = 350}, NULL, 0,
           NVME_TO_DEVICE);
    nvme_fill_set_power_state(&r, 4);
    expect(&r, (struct nvme_command){.opcode = 0x09, .cdw10 = 2, .cdw11 = 4}, NULL, 0, 0);
    nvme_fill_format(&r, 2, 1, NVME_ERASE_CRYPTOGRAPHIC);
    expect(&r, (struct nvme_command){.opcode = 0x80, .nsid = 2, .cdw10 = 0x401}, NULL, 0, 0);
    nvme_fill_create_namespace(&r, page, 0x1122334455667788ull, 5, 1);
    expect(&r, (struct nvme_command){.opcode = 0x0D}, page, 4096, NVME_TO_DEVICE);
    ck_assert_uint_eq(page[0], 0x88);
    ck_assert_uint_eq(page[7], 0x11);
    ck_assert_uint_eq(page[8], 5);
    ck_assert_uint_eq(page[26], 1);
    nvme_fill_delete_namespace(&r, 9);
    expect(&r, (struct nvme_command){.opcode = 0x0D, .nsid = 9, .cdw10 = 1}, NULL, 0, 0);
    nvme_fill_attach_namespace(&r, page, 9, false, controllers, 2);
    expect(&r, (struct nvme_command){.opcode = 0x15, .nsid = 9, .cdw10 = 1}, page, 4096,
           NVME_TO_DEVICE);
    ck_assert_mem_eq(page, "\2\0\1\0\x34\x12\0", 7);
    nvme_fill_firmware_download(&r, 8192, page, 4096);
    expect(&r, (struct nvme_command){.opcode = 0x11, .cdw10 = 1023, .cdw11 = 2048}, page, 4096,
           NVME_TO_DEVICE);
    nvme_fill_firmware_commit(&r, 2, NVME_COMMIT_ACTIVATE_AT_ONCE);
    expect(&r, (struct nvme_command){.opcode = 0x10, .cdw10 = 0x1A}, NULL, 0, 0);
    nvme_fill_self_test(&r, UINT32_MAX, NVME_SELF_TEST_ABORT);
    expect(&r, (struct nvme_command){.opcode = 0x14, .nsid = UINT32_MAX, .cdw10 = 15}, NULL, 0, 0);
}
END_TEST

START_TEST(smart_page)
{
    struct nvme_smart smart;

    zero();
    put(0, 1, 0x02);
    put(1, 2, 358);
    put(3, 3, 0x0A0B0C);
    for (unsigned i = 0; i < 10; i++) {
        put(32 + 16 * i, 8, 100 + i);
        put(40 + 16 * i, 8, 200 + i);
    }
    put(192, 4, 7);
    put(196, 4, 8);
    put(214, 2, 300);
    nvme_read_smart(page, &smart);
    ck_assert_uint_eq(smart.critical_warning, 2);
    ck_assert_uint_eq(smart.temperature_k, 358);
    ck_assert_uint_eq(smart.available_spare, 0x0C);
    ck_assert_uint_eq(smart.spare_threshold, 0x0B);
    ck_assert_uint_eq(smart.percentage_used, 0x0A);
    ck_assert_uint_eq(smart.units_read.low, 100);
    ck_assert_uint_eq(smart.units_read.high, 200);
    ck_assert_uint_eq(smart.units_written.low, 101);
    ck_assert_uint_eq(smart.host_reads.low, 102);
    ck_assert_uint_eq(smart.host_writes.low, 103);
    ck_assert_uint_eq(smart.busy_minutes.low, 104);
    ck_assert_uint_eq(smart.power_cycles.low, 105);
    ck_assert_uint_eq(smart.power_on_hours.low, 106);
    ck_assert_uint_eq(smart.unsafe_shutdowns.low, 107);
    ck_assert_uint_eq(smart.media_errors.high, 208);
    ck_assert_uint_eq(smart.error_entries.low, 109);
    ck_assert_uint_eq(smart.warning_minutes, 7);
    ck_assert_uint_eq(smart.critical_minutes, 8);
    ck_assert_uint_eq(smart.sensors_k[0], 0);
    ck_assert_uint_eq(smart.sensors_k[7], 300);
}
END_TEST

START_TEST(error_entries)
{
    struct nvme_error_entry entry;

    zero();
    put(64, 8, 0x100000002ull);
    put(72, 2, 3);
    put(74, 2, 0xFFFF);
    put(76, 2, 0x4002 << 1 | 1);
    put(78, 2, 0x0128);
    put(80, 8, 0x123456789AULL);
    put(88, 4, 1);
    put(96, 8, 42);
    nvme_read_error_entry(page, 1, &entry);
    ck_assert_uint_eq(entry.count, 0x100000002ull);
    ck_assert_uint_eq(entry.queue, 3);
    ck_assert_uint_eq(entry.command, 0xFFFF);
    ck_assert_uint_eq(entry.status, 0x4002);
    ck_assert_uint_eq(entry.parameter, 0x0128);
    ck_assert_uint_eq(entry.lba, 0x123456789AULL);
    ck_assert_uint_eq(entry.nsid, 1);
    ck_assert_uint_eq(entry.command_specific, 42);
    nvme_read_error_entry(page, 0, &entry);
    ck_assert_uint_eq(entry.count, 0);
}
END_TEST

START_TEST(firmware_slots)
{
    struct nvme_firmware_slots slots;

    zero();
    page[0] = 0x31;
    memcpy(page + 8, "1.0     ", 8);
    memcpy(page + 24, "12345678", 8);
    memcpy(page + 56, "7\0garbage", 8);
    nvme_read_firmware_slots(page, &slots);
    ck_assert_uint_eq(slots.active, 1);
    ck_assert_uint_eq(slots.next, 3);
    ck_assert_str_eq(slots.revision[0], "1.0");
    ck_assert_str_eq(slots.revision[1], "");
    ck_assert_str_eq(slots.revision[2], "12345678");
    ck_assert_str_eq(slots.revision[6], "7");
}
END_TEST

START_TEST(lists)
{
    uint32_t nsids[1025];
    uint16_t ids[2048];

    zero();
    ck_assert_uint_eq(nvme_read_namespace_list(page, nsids, 1025), 0);
    put(0, 4, 1);
    put(4, 4, 0x01020304);
    ck_assert_uint_eq(nvme_read_changed_namespaces(page, nsids, 1025), 2);
    ck_assert_uint_eq(nsids[1], 0x01020304);
    ck_assert_uint_eq(nvme_read_namespace_list(page, nsids, 1), 1);
    memset(page, 1, sizeof(page)); /* full: no 0 at the end */
    ck_assert_uint_eq(nvme_read_namespace_list(page, nsids, 1025), 1024);
    put(0, 2, 2);
    ck_assert_uint_eq(nvme_read_controller_list(page, ids, 2048), 2);
    ck_assert_uint_eq(ids[1], 0x0101);
    put(0, 2, 0xFFFF); /* more than a page holds */
    ck_assert_uint_eq(nvme_read_controller_list(page, ids, 2048), 2047);
    zero();
    put(4 * 0x80, 4, 3);
    put(1024 + 4 * 0xFF, 4, 5);
    ck_assert_uint_eq(nvme_read_command_effects(page, false, 0x80), 3);
    ck_assert_uint_eq(nvme_read_command_effects(page, true, 0xFF), 5);
    ck_assert_uint_eq(nvme_read_command_effects(page, true, 0), 0);
}
END_TEST

START_TEST(descriptors)
{
    struct nvme_namespace_ids ids;

    zero();
    ck_assert_int_eq(nvme_read_descriptors(page, &ids), NVME_OK);
    ck_assert(!ids.has_eui64 && !ids.has_nguid && !ids.has_uuid);
    page[0] = 9; /* a type that nobody knows is passed over */
    page[1] = 1;
    page[5] = 1;
    page[6] = 8;
    memcpy(page + 9, "ABCDEFGH", 8);
    page[17] = 3;
    page[18] = 16;
    memcpy(page + 21, "0123456789abcdef", 16);
    ck_assert_int_eq(nvme_read_descriptors(page, &ids), NVME_OK);
    ck_assert(ids.has_eui64 && !ids.has_nguid && ids.has_uuid);
    ck_assert_mem_eq(ids.eui64, "ABCDEFGH", 8);
    ck_assert_mem_eq(ids.uuid, "0123456789abcdef", 16);
    page[18] = 15;
    ck_assert_int_eq(nvme_read_descriptors(page, &ids), NVME_E_DEVICE);
    memset(page, 0, sizeof(page));
    for (uint32_t at = 0; at < 4096; at += 256) { /* 16 of 252 bytes fill the page */
        page[at] = 9;
        page[at + 1] = 252;
    }
    ck_assert_int_eq(nvme_read_descriptors(page, &ids), NVME_OK);
    page[15 * 256 + 1] = 253;
    ck_assert_int_eq(nvme_read_descriptors(page, &ids), NVME_E_DEVICE);
}
END_TEST

START_TEST(identify_pages)
{
    struct nvme_controller_page controller;
    struct nvme_namespace_page ns;

    zero();
    put(0, 2, 0x1B36);
    memcpy(page + 4, "S 1                 ", 20);
    put(77, 1, 5);
    put(78, 2, 0x0102);
    put(80, 4, 0x10400);
    put(266, 2, 343);
    put(280, 8, 1);
    put(288, 8, 2);
    put(516, 4, 1024);
    nvme_read_controller(page, &controller);
    ck_assert_uint_eq(controller.vid, 0x1B36);
    ck_assert_str_eq(controller.serial, "S 1");
    ck_assert_str_eq(controller.firmware, "");
    ck_assert_uint_eq(controller.mdts, 5);
    ck_assert_uint_eq(controller.cntlid, 0x0102);
    ck_assert_uint_eq(controller.version, 0x10400);
    ck_assert_uint_eq(controller.wctemp, 343);
    ck_assert_uint_eq(controller.tnvmcap.low, 1);
    ck_assert_uint_eq(controller.tnvmcap.high, 2);
    ck_assert_uint_eq(controller.nn, 1024);
    zero();
    put(0, 8, 1ull << 40);
    put(16, 8, 77);
    put(25, 1, 1);
    put(128, 4, 0x00090000);
    put(132, 4, 0x020C0008);
    put(136, 4, 0x00FF0000); /* beyond NLBAF */
    memset(page + 104, 0xAB, 16);
    nvme_read_namespace(page, &ns);
    ck_assert_uint_eq(ns.nsze, 1ull << 40);
    ck_assert_uint_eq(ns.nuse, 77);
    ck_assert_uint_eq(ns.formats, 2);
    ck_assert_uint_eq(ns.format[0].block_log2, 9);
    ck_assert_uint_eq(ns.format[1].block_log2, 12);
    ck_assert_uint_eq(ns.format[1].metadata_bytes, 8);
    ck_assert_uint_eq(ns.format[1].relative_performance, 2);
    ck_assert_uint_eq(ns.format[2].block_log2, 0);
    ck_assert_uint_eq(ns.nguid[15], 0xAB);
}
END_TEST

/* The device has formatted namespace 1, and then forgotten it. */
START_TEST(refresh_asks_and_takes_over)
{
    struct nvme_admin_request request;
    uint8_t *buffer;

    fake_start();
    buffer = fake_buffer(4096, 4096, 0);
    fake->ns[0].lba_shift = 12;
    fake->ns[0].blocks = 99;
    ck_assert_int_eq(nvme_refresh_namespace(fake->nvme, &request, 1, buffer), NVME_OK);
    ck_assert_uint_eq(nvme_get_namespace(fake->nvme, 0)->blocks, 99);
    ck_assert_uint_eq(nvme_get_namespace(fake->nvme, 0)->block_bytes, 4096);
    fake->refuse_nsid = 1;
    fake->admin_fail_status = 0x400B; /* Invalid Namespace or Format, Do Not Retry */
    ck_assert_int_eq(nvme_refresh_namespace(fake->nvme, &request, 1, buffer), NVME_E_UNSUPPORTED);
    ck_assert_ptr_null(nvme_get_namespace(fake->nvme, 0));
    fake->admin_fail_status = 0x4006; /* Internal Error says nothing of the namespace */
    ck_assert_int_eq(nvme_refresh_namespace(fake->nvme, &request, 1, buffer), NVME_E_STATUS);
}
END_TEST

Suite *suite_services(void)
{
    Suite *suite = suite_create("driver services");
    TCase *tcase = tcase_create("services");

    tcase_add_checked_fixture(tcase, fake_create, fake_destroy);
    tcase_add_test(tcase, commands_are_spelled_right);
    tcase_add_test(tcase, smart_page);
    tcase_add_test(tcase, error_entries);
    tcase_add_test(tcase, firmware_slots);
    tcase_add_test(tcase, lists);
    tcase_add_test(tcase, descriptors);
    tcase_add_test(tcase, identify_pages);
    tcase_add_test(tcase, refresh_asks_and_takes_over);
    suite_add_tcase(suite, tcase);
    return suite;
}
