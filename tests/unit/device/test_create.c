/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Creation of controllers: profiles, settings, and what is refused with which words.
 */
#include "unit/device/suites.h"

#include <string.h>

#include "raw/host.h"

static struct doorbell_world *world;
static struct doorbell_device *device;
static struct doorbell_device_config config;

static int no_memory(void *ctx, uint64_t bus, void *to, uint32_t bytes)
{
    (void)ctx, (void)bus, (void)to, (void)bytes;
    return -1;
}

static int no_memory_write(void *ctx, uint64_t bus, const void *from, uint32_t bytes)
{
    (void)ctx, (void)bus, (void)from, (void)bytes;
    return -1;
}

static void no_msi(void *ctx, uint64_t address, uint32_t data)
{
    (void)ctx, (void)address, (void)data;
}

static void no_intx(void *ctx, bool asserted)
{
    (void)ctx, (void)asserted;
}

static void setup(void)
{
    world = doorbell_world_create(1);
    device = NULL;
    config = (struct doorbell_device_config){
        .profiles = DEVICE_PROFILES,
        .host = {no_memory, no_memory_write, no_msi, no_intx},
    };
}

static void teardown(void)
{
    doorbell_world_destroy(world);
}

static void refused(int error, const char *text)
{
    ck_assert_int_eq(doorbell_device_create(world, &config, &device), error);
    ck_assert_msg(strstr(doorbell_error_text(world), text) != NULL, "it says: %s",
                  doorbell_error_text(world));
    ck_assert_ptr_null(device);
}

static uint64_t cap(void)
{
    uint64_t value;

    ck_assert_msg(doorbell_device_create(world, &config, &device) == DOORBELL_OK, "%s",
                  doorbell_error_text(world));
    ck_assert_int_eq(doorbell_config_write(device, 4, 2, 6), DOORBELL_OK);
    ck_assert_int_eq(doorbell_bar_peek(device, 0, 0, 8, &value), DOORBELL_OK);
    return value;
}

START_TEST(a_profile_is_found_by_name_and_by_path)
{
    uint64_t by_name, by_path, built_in = cap();

    config.drive = "qemu-nvme";
    by_name = cap();
    config.profiles = NULL;
    config.drive = DEVICE_PROFILES "/drives/qemu-nvme.ini";
    by_path = cap();
    ck_assert_uint_eq(built_in & 0xffff, 1023);
    ck_assert_uint_eq(by_name & 0xffff, 2047); /* CAP.MQES of that profile (3.1.1) */
    ck_assert_uint_eq(by_path, by_name);
}
END_TEST

START_TEST(a_setting_beats_the_profile_and_the_last_one_wins)
{
    static const char *const settings[] = {"ctrl.cap_mqes=7", "ctrl.cap_mqes = 15"};

    config.drive = "qemu-nvme";
    config.settings = settings;
    config.setting_count = 2;
    ck_assert_uint_eq(cap() & 0xffff, 15);
}
END_TEST

START_TEST(what_is_wrong_is_said)
{
    const char *setting = "ctrl.cap_mqs=7";

    config.drive = "qemu-nvm";
    refused(DOORBELL_E_CONFIG, "did you mean 'qemu-nvme'?");
    config.drive = "/nowhere/x.ini";
    refused(DOORBELL_E_CONFIG, "/nowhere/x.ini");
    config.drive = NULL;
    config.settings = &setting;
    config.setting_count = 1;
    refused(DOORBELL_E_CONFIG, "ctrl.cap_mqes");
    setting = "driver.io_depth=7"; /* a driver's parameters mean nothing here */
    refused(DOORBELL_E_CONFIG, "driver");
    setting = "link.lanes=17";
    refused(DOORBELL_E_CONFIG, "17 is above the maximum");
    setting = "link.lanes=3"; /* within limits, but no such link */
    refused(DOORBELL_E_CONFIG, "link.lanes must be 1, 2, 4, 8 or 16");
    setting = "ctrl.cap_mpsmin=5";
    refused(DOORBELL_E_CONFIG, "ctrl.cap_mpsmin must not be larger than ctrl.cap_mpsmax");
    setting = "media.read_latency_table=0:80us";
    refused(DOORBELL_E_CONFIG, "media.read_latency_table must end with percentile 100");
}
END_TEST

/* The medium is checked against the capacity of this controller, and together with its cache. */
START_TEST(a_medium_that_does_not_fit_is_refused)
{
    static const char *const flash[] = {"media.kind=nand", "media.nand_blocks=8"};
    static const char *const cache[] = {"ctrl.vwc=no", "media.capacitor=no"};

    config.settings = flash;
    config.setting_count = 2;
    refused(DOORBELL_E_CONFIG, "media.nand_blocks must be at least");
    config.settings = cache;
    refused(DOORBELL_E_CONFIG, "ctrl.vwc = no needs media.capacitor = yes");
}
END_TEST

START_TEST(several_mistakes_are_found_at_once)
{
    static const char *const settings[] = {"link.lanes=17", "ctrl.mdts=99"};

    config.settings = settings;
    config.setting_count = 2;
    refused(DOORBELL_E_CONFIG, "link.lanes");
    refused(DOORBELL_E_CONFIG, "ctrl.mdts");
}
END_TEST

START_TEST(missing_arguments_are_refused)
{
    struct doorbell_host whole = config.host;

    ck_assert_int_eq(doorbell_device_create(world, NULL, &device), DOORBELL_E_INVAL);
    ck_assert_int_eq(doorbell_device_create(world, &config, NULL), DOORBELL_E_INVAL);
    config.host.dma_read = NULL;
    refused(DOORBELL_E_INVAL, "all four functions");
    config.host = whole;
    config.host.dma_write = NULL;
    refused(DOORBELL_E_INVAL, "all four functions");
    config.host = whole;
    config.host.msi = NULL;
    refused(DOORBELL_E_INVAL, "all four functions");
    config.host = whole;
    config.host.intx = NULL;
    refused(DOORBELL_E_INVAL, "all four functions");
    config.host = whole;
    config.setting_count = 1;
    refused(DOORBELL_E_INVAL, "setting 1 of 1 is not there");
}
END_TEST

START_TEST(the_thirty_third_controller_is_refused)
{
    for (unsigned i = 0; i < DOORBELL_DEVICES_MAX; i++) {
        ck_assert_int_eq(doorbell_device_create(world, &config, &device), DOORBELL_OK);
        ck_assert_uint_eq(doorbell_device_index(device), i);
    }
    device = NULL;
    refused(DOORBELL_E_FULL, "there are 32 controllers already");
}
END_TEST

/* Time has passed: a fault at a time before that does not happen, one from then on does. */
START_TEST(a_controller_that_is_made_late)
{
    const char *past[] = {"ctrl.faults=at=1ms : link-down; at=2ms : link-down"};

    config.settings = past;
    config.setting_count = 1;
    doorbell_run_until(world, 1000000001);
    ck_assert_int_eq(doorbell_device_create(world, &config, &device), DOORBELL_OK);
    ck_assert_uint_eq(doorbell_next_event(world), 2000000000);
}
END_TEST

START_TEST(destroying_nothing_is_let_pass)
{
    doorbell_world_destroy(NULL);
}
END_TEST

Suite *suite_create_device(void)
{
    Suite *suite = suite_create("creation");
    TCase *tc = tcase_create("creation");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_profile_is_found_by_name_and_by_path);
    tcase_add_test(tc, a_setting_beats_the_profile_and_the_last_one_wins);
    tcase_add_test(tc, what_is_wrong_is_said);
    tcase_add_test(tc, a_medium_that_does_not_fit_is_refused);
    tcase_add_test(tc, several_mistakes_are_found_at_once);
    tcase_add_test(tc, missing_arguments_are_refused);
    tcase_add_test(tc, the_thirty_third_controller_is_refused);
    tcase_add_test(tc, a_controller_that_is_made_late);
    tcase_add_test(tc, destroying_nothing_is_let_pass);
    suite_add_tcase(suite, tc);
    return suite;
}
