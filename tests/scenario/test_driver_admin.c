/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The driver core's admin side and the services beside it on the real controller model: format,
 * namespace management, logs, features, the host memory buffer, an event. Two readings of NVMe 1.4
 * meet here: driver/ and sim/nvme share no definition.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <nvme/nvme.h>
#include <nvme/services.h>

#include "host/host.h"
#include "host/memory.h"
#include "scenario/fixture.h"

#define DATA_BYTES 65536u

/* A driver of the test's own on the machine's host, with a configuration that no profile has. */
static struct {
    struct fixture fixture;
    struct machine *machine;
    struct nvme_config config;
    struct nvme *nvme;
    void *memory;
    uint8_t *page, *data; /* of the host's memory */
    struct nvme_admin_request request;
} rig;

static uint8_t *host_bytes(size_t bytes)
{
    return memory_pointer(
        memory_alloc(host_memory(machine_host(rig.machine)), bytes, 4096, false, false));
}

static void start(void)
{
    const char *why = "";
    size_t bytes;

    rig.machine = machine_create(&rig.fixture.params.machine, &rig.fixture.spec.options);
    ck_assert_msg(host_enumerate(machine_host(rig.machine), &why) == NVME_OK, "%s", why);
    bytes = nvme_memory_size(&rig.config);
    rig.memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    rig.nvme = nvme_init(rig.memory, bytes, host_platform(machine_host(rig.machine)), &rig.config);
    ck_assert_ptr_nonnull(rig.nvme);
    ck_assert_int_eq(nvme_start_blocking(rig.nvme), NVME_OK);
    rig.page = host_bytes(4096);
    rig.data = host_bytes(DATA_BYTES);
}

static void open_rig(void)
{
    fixture_open(&rig.fixture, NULL, "doorbell", "fixed-latency", "generic");
    nvme_config_defaults(&rig.config);
    rig.config.io_depth = 16;
    rig.config.slots = 15;
}

static void close_rig(void)
{
    ck_assert_int_eq(nvme_stop_blocking(rig.nvme), NVME_OK);
    machine_destroy(rig.machine);
    free(rig.memory);
    fixture_close(&rig.fixture);
}

static void good(void)
{
    int error = nvme_admin_blocking(rig.nvme, &rig.request);

    ck_assert_msg(error == NVME_OK, "%s, status %03x", nvme_error_text(error), rig.request.status);
}

static void ended(struct nvme_request *request)
{
    request->user = request;
}

/* One request of the first queue, and its error. */
static int io(enum nvme_op op, uint32_t nsid, uint64_t lba, uint32_t blocks)
{
    struct nvme_queue *queue = nvme_get_queue(rig.nvme, 0);
    struct nvme_request request = {
        .op = op, .nsid = nsid, .lba = lba, .blocks = blocks, .buffer = rig.data, .done = ended};
    int error = nvme_submit(queue, &request);

    if (error != NVME_OK)
        return error;
    nvme_ring(queue);
    while (!request.user)
        nvme_poll(queue, 0);
    return request.error;
}

static const struct nvme_namespace *find(uint32_t nsid)
{
    for (unsigned i = 0; i < nvme_namespace_count(rig.nvme); i++) {
        const struct nvme_namespace *ns = nvme_get_namespace(rig.nvme, i);

        if (ns && ns->nsid == nsid)
            return ns;
    }
    return NULL;
}

static void write_and_read(uint32_t nsid, uint64_t lba, uint32_t blocks, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++)
        rig.data[i] = (uint8_t)(i * 7 + lba);
    ck_assert_int_eq(io(NVME_OP_WRITE, nsid, lba, blocks), NVME_OK);
    memset(rig.data, 0, bytes);
    ck_assert_int_eq(io(NVME_OP_READ, nsid, lba, blocks), NVME_OK);
    for (uint32_t i = 0; i < bytes; i++)
        ck_assert_uint_eq(rig.data[i], (uint8_t)(i * 7 + lba));
}

/* Format NVM (5.23) to blocks of 4096 bytes: half the size in no respect but the number of blocks.
 */
START_TEST(a_formatted_namespace_has_its_new_blocks)
{
    struct nvme_namespace_page ns;
    uint64_t bytes;
    unsigned format;

    fixture_set(&rig.fixture, "ctrl.oacs_format=yes");
    fixture_set(&rig.fixture, "ctrl.namespace_size=64 MiB");
    start();
    write_and_read(1, 8, 8, 4096);
    bytes = find(1)->blocks * find(1)->block_bytes;
    nvme_fill_identify(&rig.request, NVME_CNS_IDENTIFY_NAMESPACE, 1, 0, rig.page);
    good();
    nvme_read_namespace(rig.page, &ns);
    for (format = 0; ns.format[format].block_log2 != 12; format++)
        ck_assert_uint_lt(format + 1, ns.formats);
    nvme_fill_format(&rig.request, 1, (uint8_t)format, NVME_ERASE_USER_DATA);
    rig.request.timeout_ms = 600000;
    good();
    ck_assert_int_eq(nvme_refresh_namespace(rig.nvme, &rig.request, 1, rig.page), NVME_OK);
    ck_assert_uint_eq(find(1)->block_bytes, 4096);
    ck_assert_uint_eq(find(1)->format, format);
    ck_assert_uint_eq(find(1)->blocks * 4096, bytes);
    memset(rig.data, 1, 4096);
    ck_assert_int_eq(io(NVME_OP_READ, 1, 1, 1), NVME_OK); /* what was at 512-byte block 8 */
    ck_assert_uint_eq(rig.data[0], 0);
    write_and_read(1, find(1)->blocks - 2, 2, 8192);
    ck_assert_int_eq(io(NVME_OP_READ, 1, find(1)->blocks, 1), NVME_E_RANGE);
}
END_TEST

/* Create, attach, use, detach, delete (5.19, 5.20). */
START_TEST(a_namespace_lives_and_goes)
{
    struct nvme_controller_page controller;
    uint32_t nsids[4];
    uint32_t nsid;

    fixture_set(&rig.fixture, "ctrl.oacs_ns_management=yes");
    fixture_set(&rig.fixture, "ctrl.namespace_size=64 MiB");
    fixture_set(&rig.fixture, "ctrl.capacity=256 MiB");
    fixture_set(&rig.fixture, "ctrl.namespaces_max=4");
    start();
    nvme_fill_identify(&rig.request, NVME_CNS_IDENTIFY_CONTROLLER, 0, 0, rig.page);
    good();
    nvme_read_controller(rig.page, &controller);
    ck_assert_uint_eq(controller.nn, 4);
    ck_assert_uint_eq(controller.tnvmcap.low, 256u << 20);
    ck_assert_uint_eq(controller.unvmcap.low, 192u << 20);
    nvme_fill_create_namespace(&rig.request, rig.page, 2048, 2048, 0);
    good();
    nsid = rig.request.result;
    ck_assert_uint_eq(nsid, 2);
    ck_assert_int_eq(nvme_refresh_namespace(rig.nvme, &rig.request, nsid, rig.page),
                     NVME_E_UNSUPPORTED); /* not attached: inactive */
    ck_assert_ptr_null(find(nsid));
    nvme_fill_attach_namespace(&rig.request, rig.page, nsid, true, &controller.cntlid, 1);
    good();
    ck_assert_int_eq(nvme_refresh_namespace(rig.nvme, &rig.request, nsid, rig.page), NVME_OK);
    ck_assert_uint_eq(find(nsid)->blocks, 2048);
    write_and_read(nsid, 2040, 8, 4096);
    nvme_fill_identify(&rig.request, NVME_CNS_ACTIVE_NAMESPACES, 0, 0, rig.page);
    good();
    ck_assert_uint_eq(nvme_read_namespace_list(rig.page, nsids, 4), 2);
    nvme_fill_attach_namespace(&rig.request, rig.page, nsid, false, &controller.cntlid, 1);
    good();
    nvme_fill_delete_namespace(&rig.request, nsid);
    good();
    ck_assert_int_eq(nvme_refresh_namespace(rig.nvme, &rig.request, nsid, rig.page),
                     NVME_E_UNSUPPORTED);
    ck_assert_int_eq(io(NVME_OP_READ, nsid, 0, 1), NVME_E_INVAL);
    ck_assert_int_eq(io(NVME_OP_READ, 1, 0, 1), NVME_OK);
}
END_TEST

/* SMART counts what was read and written (5.14.1.2); the firmware log names the revision
 * (5.14.1.3). */
START_TEST(health_and_firmware)
{
    struct nvme_firmware_slots slots;
    struct nvme_smart smart;

    fixture_set(&rig.fixture, "ctrl.temperature=321");
    start();
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(io(NVME_OP_READ, 1, 0, 8), NVME_OK);
    ck_assert_int_eq(io(NVME_OP_WRITE, 1, 0, 8), NVME_OK);
    nvme_fill_get_log(&rig.request, NVME_LOG_SMART, UINT32_MAX, 0, false, rig.page,
                      NVME_SMART_BYTES);
    good();
    nvme_read_smart(rig.page, &smart);
    ck_assert_uint_eq(smart.critical_warning, 0);
    ck_assert_uint_eq(smart.temperature_k, 321);
    ck_assert_uint_eq(smart.host_reads.low, 3);
    ck_assert_uint_eq(smart.host_writes.low, 1);
    ck_assert_uint_eq(smart.host_writes.high, 0);
    nvme_fill_get_log(&rig.request, NVME_LOG_FIRMWARE, UINT32_MAX, 0, false, rig.page, 512);
    good();
    nvme_read_firmware_slots(rig.page, &slots);
    ck_assert_uint_eq(slots.active, 1);
    ck_assert_str_eq(slots.revision[0], nvme_get_info(rig.nvme)->firmware);
    nvme_fill_get_log(&rig.request, NVME_LOG_COMMANDS, UINT32_MAX, 0, false, rig.page, 4096);
    good();
    ck_assert_uint_eq(nvme_read_command_effects(rig.page, true, 0x01) & 3, 3); /* Write */
    ck_assert_uint_eq(nvme_read_command_effects(rig.page, true, 0x02) & 3, 1); /* Read */
    ck_assert_uint_eq(nvme_read_command_effects(rig.page, false, 0x80), 0);    /* no format */
}
END_TEST

/* Several at a time, on a controller that takes its time, all in flight together. */
static unsigned admin_ended_count;

static void admin_ended(struct nvme_admin_request *request)
{
    ck_assert_int_eq(request->error, NVME_OK);
    admin_ended_count++;
}

START_TEST(several_admin_commands_at_a_time)
{
    struct nvme_admin_request requests[4], more;

    start();
    admin_ended_count = 0;
    for (unsigned i = 0; i < 4; i++) {
        nvme_fill_identify(&requests[i], NVME_CNS_IDENTIFY_CONTROLLER, 0, 0,
                           rig.data + 4096 * i + (i == 3)); /* the last one is bounced */
        requests[i].done = admin_ended;
        ck_assert_int_eq(nvme_admin_submit(rig.nvme, &requests[i]), NVME_OK);
    }
    nvme_fill_identify(&more, NVME_CNS_IDENTIFY_CONTROLLER, 0, 0, rig.page);
    more.done = admin_ended;
    ck_assert_int_eq(nvme_admin_submit(rig.nvme, &more), NVME_E_BUSY);
    while (admin_ended_count < 4)
        ck_assert_int_eq(nvme_step(rig.nvme, host_platform(machine_host(rig.machine))
                                                 ->ops->now_ns(machine_host(rig.machine))),
                         NVME_STATE_READY);
    ck_assert_mem_eq(rig.data, rig.data + 4096, 4096);
    ck_assert_mem_eq(rig.data, rig.data + 3 * 4096 + 1, 4096);
}
END_TEST

/* 5.21, 5.9: current, saved and default value of the temperature threshold. */
START_TEST(features_are_set_saved_and_read)
{
    start();
    nvme_fill_get_feature(&rig.request, 0x04, NVME_SELECT_CAPABILITIES, 0, NULL, 0);
    good();
    ck_assert_uint_eq(rig.request.result & 5, 5); /* saveable, changeable */
    nvme_fill_set_feature(&rig.request, 0x04, true, 0, 350, NULL, 0);
    good();
    nvme_fill_set_feature(&rig.request, 0x04, false, 0, 351, NULL, 0);
    good();
    nvme_fill_get_feature(&rig.request, 0x04, NVME_SELECT_CURRENT, 0, NULL, 0);
    good();
    ck_assert_uint_eq(rig.request.result & 0xFFFF, 351);
    nvme_fill_get_feature(&rig.request, 0x04, NVME_SELECT_SAVED, 0, NULL, 0);
    good();
    ck_assert_uint_eq(rig.request.result & 0xFFFF, 350);
    nvme_fill_get_feature(&rig.request, 0x04, NVME_SELECT_DEFAULT, 0, NULL, 0);
    good();
    ck_assert_uint_eq(rig.request.result & 0xFFFF, 343);
}
END_TEST

/* A failed command is in the error log, newest first (5.14.1.1), with the status that the request
 * got. */
START_TEST(the_error_log_tells_of_a_failure)
{
    struct nvme_error_entry entry;
    uint16_t status;

    start();
    nvme_fill_get_log(&rig.request, (enum nvme_log)0x7F, UINT32_MAX, 0, false, rig.page, 512);
    ck_assert_int_eq(nvme_admin_blocking(rig.nvme, &rig.request), NVME_E_STATUS);
    status = rig.request.status;
    ck_assert_uint_eq(status & 0x7FF, 0x109); /* Invalid Log Page */
    nvme_fill_get_log(&rig.request, NVME_LOG_ERRORS, UINT32_MAX, 0, false, rig.page,
                      NVME_ERROR_ENTRY_BYTES);
    good();
    nvme_read_error_entry(rig.page, 0, &entry);
    ck_assert_uint_eq(entry.count, 1);
    ck_assert_uint_eq(entry.queue, 0);
    ck_assert_uint_eq(entry.status & 0x7FF, 0x109);
    ck_assert_int_eq(nvme_failure(rig.nvme, NULL), NVME_OK);
}
END_TEST

/* 8.9: lent at bring-up, visible to Get Features, the same memory after a reset, and taken back. */
START_TEST(host_memory_is_lent_and_taken_back)
{
    fixture_set(&rig.fixture, "ctrl.hmb_preferred=1 MiB");
    fixture_set(&rig.fixture, "ctrl.hmb_min=64 KiB");
    rig.config.host_memory_bytes = _i == 0 ? 1u << 20 : 60u << 10; /* less than it needs */
    start();
    ck_assert_uint_eq(nvme_get_info(rig.nvme)->host_memory_bytes, _i == 0 ? 1u << 20 : 0);
    nvme_fill_get_feature(&rig.request, 0x0D, NVME_SELECT_CURRENT, 0, rig.page, 4096);
    good();
    ck_assert_uint_eq(rig.request.result & 1, _i == 0);
    ck_assert_int_eq(nvme_reset_blocking(rig.nvme), NVME_OK);
    ck_assert_uint_eq(nvme_get_info(rig.nvme)->host_memory_bytes, _i == 0 ? 1u << 20 : 0);
    write_and_read(1, 0, 8, 4096);
}
END_TEST

/* 5.21.1.22 and 4.13: what the controller has is used. */
START_TEST(retry_delays_and_weights)
{
    fixture_set(&rig.fixture, "ctrl.retry_delay2=300 ms");
    fixture_set(&rig.fixture, "ctrl.cap_ams=weighted");
    rig.config.host_behavior = true;
    rig.config.weighted = true;
    rig.config.weights[0] = 15;
    rig.config.io_queues = 2;
    start();
    ck_assert(nvme_get_info(rig.nvme)->retry_delays);
    ck_assert_uint_eq(nvme_get_info(rig.nvme)->retry_delay_100ms[1], 3);
    nvme_fill_get_feature(&rig.request, 0x01, NVME_SELECT_CURRENT, 0, NULL, 0);
    good();
    ck_assert_uint_eq(rig.request.result, 0x0F000003);
    write_and_read(1, 0, 8, 4096);
}
END_TEST

static struct {
    uint32_t count, result;
    struct nvme_smart smart;
} heard;

static void hear(void *ctx, uint32_t result, const void *log, uint32_t bytes)
{
    (void)ctx;
    heard.count++;
    heard.result = result;
    ck_assert_uint_eq(bytes, NVME_SMART_BYTES);
    nvme_read_smart(log, &heard.smart);
}

/* 5.2.1: the threshold falls below the temperature; the event comes with its log page, and another
 * one can come afterwards. */
START_TEST(a_temperature_event_is_heard_and_can_come_again)
{
    const struct nvme_platform *platform;

    start();
    platform = host_platform(machine_host(rig.machine));
    nvme_set_event_handler(rig.nvme, hear, NULL);
    nvme_fill_set_feature(&rig.request, 0x0B, false, 0, 1u << 1, NULL, 0); /* 5.21.1.11 */
    good();
    for (uint32_t times = 1; times <= 2; times++) {
        nvme_fill_set_feature(&rig.request, 0x04, false, 0, 300, NULL, 0);
        good();
        for (int i = 0; i < 1000; i++) {
            nvme_step(rig.nvme, platform->ops->now_ns(platform->ctx));
            platform->ops->relax(platform->ctx);
        }
        ck_assert_uint_eq(heard.count, times);
        ck_assert_uint_eq(heard.result & 0xFF00FF, 0x020001); /* SMART; log page 02h */
        ck_assert_uint_eq(heard.smart.critical_warning, 2);
        nvme_fill_set_feature(&rig.request, 0x04, false, 0, 400, NULL, 0);
        good();
    }
}
END_TEST

Suite *driver_admin_suite(void);
Suite *driver_admin_suite(void)
{
    Suite *suite = suite_create("driver admin on the controller");
    TCase *tcase = tcase_create("admin");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, open_rig, close_rig);
    tcase_add_test(tcase, a_formatted_namespace_has_its_new_blocks);
    tcase_add_test(tcase, a_namespace_lives_and_goes);
    tcase_add_test(tcase, health_and_firmware);
    tcase_add_test(tcase, several_admin_commands_at_a_time);
    tcase_add_test(tcase, features_are_set_saved_and_read);
    tcase_add_test(tcase, the_error_log_tells_of_a_failure);
    tcase_add_loop_test(tcase, host_memory_is_lent_and_taken_back, 0, 2);
    tcase_add_test(tcase, retry_delays_and_weights);
    tcase_add_test(tcase, a_temperature_event_is_heard_and_can_come_again);
    suite_add_tcase(suite, tcase);
    return suite;
}
