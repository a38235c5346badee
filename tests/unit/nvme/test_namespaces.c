/* SPDX-License-Identifier: BSD-2-Clause
 * Several namespaces (NVMe 1.4 section 6.1): how they are configured, and that each has its own
 * blocks. */
#include <string.h>

#include "unit/nvme/rig_namespace.h"

static struct rig_params params;

enum { MIB = 1 << 20 };

static void setup(void)
{
    rig_defaults(&params);
}

/* more_namespaces, NN, capacity, granularity; the beginning of the message, NULL if good */
static const struct {
    const char *more;
    uint64_t max, capacity, granularity;
    const char *message;
} configurations[] = {
    {"", 0, 0, MIB, NULL},
    {"  ", 0, 0, MIB, NULL},
    {"4 GiB/4096", 0, 0, MIB, NULL},
    {"4GiB/4096,1GiB/512", 0, 0, MIB, NULL},
    {" 2 x 512 B/512 , 1024 kB / 512 ", 0, 0, MIB, NULL},
    {"16 TiB/512", 0, 0, MIB, NULL},
    {"3 x 16 TiB/512, 15 TiB/512", 0, 0, MIB, NULL},
    {"4 x 16 TiB/512", 0, 0, MIB, "ctrl.more_namespaces must not bring"},
    {"4096 x 16 TiB/512", 0, 0, MIB, "ctrl.more_namespaces must not bring"},
    {"17 TiB/512", 0, 0, MIB, "ctrl.more_namespaces must be like"},
    {"4 GiB", 0, 0, MIB, "ctrl.more_namespaces must be like"},
    {"4 GiB/1024", 0, 0, MIB, "ctrl.more_namespaces must be like"},
    {"4 GiB/512/512", 0, 0, MIB, "ctrl.more_namespaces must be like"},
    {"x 4 GiB/512", 0, 0, MIB, "ctrl.more_namespaces must be like"},
    {"4/512", 0, 0, MIB, "ctrl.more_namespaces must be like"},
    {"4 GiB/512,", 0, 0, MIB, "ctrl.more_namespaces must be like"},
    {",4 GiB/512", 0, 0, MIB, "ctrl.more_namespaces must be like"},
    {"4 GiB/512 1 GiB/512", 0, 0, MIB, "ctrl.more_namespaces must be like"},
    {"0 x 4 GiB/512", 0, 0, MIB, "ctrl.more_namespaces must be like"},
    {"4097 x 512 B/512", 0, 0, MIB, "ctrl.more_namespaces must be like"},
    {"99999999999999999999 B/512", 0, 0, MIB, "ctrl.more_namespaces must be like"},
    {"-4 GiB/512", 0, 0, MIB, "ctrl.more_namespaces must be like"},
    {"0 B/512", 0, 0, MIB, "ctrl.more_namespaces: a size"},
    {"513 B/512", 0, 0, MIB, "ctrl.more_namespaces: a size"},
    {"512 B/4096", 0, 0, MIB, "ctrl.more_namespaces: a size"},
    {"4095 x 512 B/512", 0, 0, 4096, NULL},
    {"4096 x 512 B/512", 0, 0, 4096, "ctrl.more_namespaces must not bring"},
    {"1B/512,1B/512,1B/512,1B/512", 0, 0, MIB, "ctrl.more_namespaces: a size"},
    {"2 x 1 MiB/512", 3, 0, MIB, NULL},
    {"2 x 1 MiB/512", 2, 0, MIB, "ctrl.namespaces_max must not be smaller"},
    {"2 x 1 MiB/512", 0, 66 * MIB, MIB, NULL},
    {"2 x 1 MiB/512", 0, 65 * MIB, MIB, "ctrl.capacity must not be smaller"},
    {"2 x 512 B/512", 0, 65 * MIB, MIB, "ctrl.capacity must not be smaller"},
    {"", 0, 65 * MIB + 4096, MIB, "ctrl.capacity must be a multiple"},
    {"", 0, 65 * MIB + 4096, 4096, NULL},
    {"", 0, 0, 2048, "ctrl.namespace_granularity must be"},
    {"", 0, 0, 12288, "ctrl.namespace_granularity must be"},
    {"", 0, 0, 0, "ctrl.namespace_granularity must be"},
};

START_TEST(configuration)
{
    const char *message;

    strcpy(params.ctrl.more_namespaces, configurations[_i].more);
    params.ctrl.namespaces_max = configurations[_i].max;
    params.ctrl.capacity = configurations[_i].capacity;
    params.ctrl.namespace_granularity = configurations[_i].granularity;
    message = ctrl_params_check(&params.ctrl);
    if (configurations[_i].message == NULL) {
        ck_assert_pstr_eq(message, NULL);
    } else {
        ck_assert_ptr_nonnull(message);
        ck_assert_mem_eq(message, configurations[_i].message, strlen(configurations[_i].message));
    }
}
END_TEST

/* Whole blocks, as for the others. */
START_TEST(size_of_namespace_1)
{
    params.ctrl.namespace_size = 64 * MIB + 512;
    ck_assert_ptr_null(ctrl_params_check(&params.ctrl));
    params.ctrl.block_bytes = 1;
    ck_assert_str_eq(ctrl_params_check(&params.ctrl),
                     "ctrl.namespace_size must be a multiple of ctrl.block_bytes");
}
END_TEST

/* Sum of what the namespaces take, each rounded up, unless it is given. */
START_TEST(capacity)
{
    ck_assert_uint_eq(ctrl_params_capacity(&params.ctrl), 64 * MIB);
    strcpy(params.ctrl.more_namespaces, "2 x 512 B/512, 3 MiB/4096");
    ck_assert_uint_eq(ctrl_params_capacity(&params.ctrl), 69 * MIB);
    params.ctrl.capacity = 128 * MIB;
    ck_assert_uint_eq(ctrl_params_capacity(&params.ctrl), 128 * MIB);
}
END_TEST

/* Given namespaces of 512 and 4096 byte blocks, when the same LBA of each is written, then each
 * reads its own data, in its own length, and has its own end (6.9, LBA Out of Range). */
START_TEST(each_has_its_own_blocks)
{
    struct rig rig;

    strcpy(params.ctrl.more_namespaces, "1 MiB/4096, 1 MiB/512");
    rig_open(&rig, &params);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 8, 0);
    for (uint32_t nsid = 1; nsid <= 3; nsid++) {
        memset(rig_at(&rig, RIG_DATA), (int)(0x10 * nsid), 4096);
        ck_assert_uint_eq(rig_block(&rig, 1, nsid, 5, RIG_DATA), 0);
    }
    for (uint32_t nsid = 1; nsid <= 3; nsid++) {
        uint32_t bytes = nsid == 2 ? 4096 : 512;

        memset(rig_at(&rig, RIG_DATA), 0xee, 8192);
        ck_assert_uint_eq(rig_block(&rig, 2, nsid, 5, RIG_DATA), 0);
        ck_assert_uint_eq(*rig_at(&rig, RIG_DATA), 0x10 * nsid);
        ck_assert_uint_eq(*rig_at(&rig, RIG_DATA + bytes - 1), 0x10 * nsid);
        ck_assert_uint_eq(*rig_at(&rig, RIG_DATA + bytes), 0xee);
        ck_assert_uint_eq(rig_block(&rig, 2, nsid, 4, RIG_DATA), 0);
        ck_assert_uint_eq(*rig_at(&rig, RIG_DATA), 0);
    }
    ck_assert_uint_eq(rig_block(&rig, 2, 2, 255, RIG_DATA), 0);
    ck_assert_uint_eq(rig_block(&rig, 2, 2, 256, RIG_DATA), 0x080);
    ck_assert_uint_eq(rig_block(&rig, 2, 3, 2047, RIG_DATA), 0);
    ck_assert_uint_eq(rig_block(&rig, 2, 3, 2048, RIG_DATA), 0x080);
    rig_close(&rig);
}
END_TEST

/* 6.1.5: an NSID that is not valid is another error than one that is inactive. */
START_TEST(io_to_what_is_not_there)
{
    static const uint32_t nsids[] = {0, 1, 2, 3, 4, 0xfffffffe, 0xffffffff};
    static const uint16_t statuses[] = {0x00b, 0, 0x002, 0x002, 0x00b, 0x00b, 0x00b};
    struct rig rig;

    params.ctrl.namespaces_max = 3;
    rig_open(&rig, &params);
    rig_enable(&rig);
    rig_create_queue(&rig, 1, 8, 0);
    for (unsigned i = 0; i < sizeof nsids / sizeof nsids[0]; i++) {
        ck_assert_uint_eq(rig_block(&rig, 2, nsids[i], 0, RIG_DATA), statuses[i]);
        ck_assert_uint_eq(rig_block(&rig, 0, nsids[i], 0, 0), /* Flush takes all (6.8) */
                          nsids[i] == RIG_ALL ? 0 : statuses[i]);
    }
    rig_close(&rig);
}
END_TEST

/* For whoever looks from outside: all in one store, one namespace behind the other. */
START_TEST(places)
{
    uint64_t first_unit = 99;
    struct store *store;
    struct rig rig;

    strcpy(params.ctrl.more_namespaces, "512 B/512, 1 MiB/4096");
    params.ctrl.namespaces_max = 4;
    rig_open(&rig, &params);
    store = ctrl_contents(rig.ctrl, 1, &first_unit);
    ck_assert_ptr_nonnull(store);
    ck_assert_uint_eq(first_unit, 0);
    ck_assert_ptr_eq(ctrl_contents(rig.ctrl, 2, &first_unit), store);
    ck_assert_uint_eq(first_unit, 64 * MIB / 512);
    ck_assert_ptr_eq(ctrl_contents(rig.ctrl, 3, &first_unit), store);
    ck_assert_uint_eq(first_unit, 65 * MIB / 512);
    ck_assert_ptr_null(ctrl_contents(rig.ctrl, 4, &first_unit));
    ck_assert_ptr_null(ctrl_contents(rig.ctrl, RIG_ALL, &first_unit));
    rig_close(&rig);
}
END_TEST

/* What Linux asks for when it looks for namespaces (nvme_scan_work): given three namespaces of
 * which two are attached, it finds those two, and when the third was attached, all. */
START_TEST(a_host_scans_and_scans_again)
{
    struct rig rig;
    uint32_t first, last, nsid;

    strcpy(params.ctrl.more_namespaces, "8 MiB/4096");
    params.ctrl.oacs_ns_management = 1;
    params.ctrl.namespaces_max = 8;
    params.ctrl.capacity = 128 * MIB;
    rig_open(&rig, &params);
    rig_enable(&rig);
    ck_assert_uint_eq(
        rig_ns_create(&rig, &(struct rig_ns){.nsze = 1000, .ncap = 1000, .flbas = 1}, &nsid), 0);
    ck_assert_uint_eq(nsid, 3);
    for (unsigned scan = 0; scan < 2; scan++) {
        ck_assert_uint_eq(rig_identify(&rig, 0x01, 0), 0);
        ck_assert_uint_eq(rig_field(&rig, 516, 4), 8); /* NN: where a host of 1.0 would end */
        ck_assert_uint_eq(rig_list(&rig, 0x02, 0, &first, &last), 2 + scan);
        ck_assert_uint_eq(first, 1);
        ck_assert_uint_eq(rig_list(&rig, 0x02, last, &first, &last), 0);
        for (uint32_t each = 1; each <= 8; each++) {
            bool active = each <= 2 + scan;

            ck_assert_uint_eq(rig_identify(&rig, 0x03, each), active ? 0 : 0x002);
            ck_assert_uint_eq(rig_identify(&rig, 0x00, each), 0);
            ck_assert_uint_eq(rig_field(&rig, 0, 8) != 0, active);
        }
        if (scan == 0)
            ck_assert_uint_eq(rig_ns_attach(&rig, nsid, 0), 0);
    }
    rig_close(&rig);
}
END_TEST

Suite *suite_namespaces(void)
{
    Suite *suite = suite_create("nvme namespaces");
    TCase *tc = tcase_create("namespaces");

    tcase_add_checked_fixture(tc, setup, NULL);
    tcase_add_loop_test(tc, configuration, 0, sizeof configurations / sizeof configurations[0]);
    tcase_add_test(tc, size_of_namespace_1);
    tcase_add_test(tc, capacity);
    tcase_add_test(tc, each_has_its_own_blocks);
    tcase_add_test(tc, io_to_what_is_not_there);
    tcase_add_test(tc, places);
    tcase_add_test(tc, a_host_scans_and_scans_again);
    suite_add_tcase(suite, tc);
    return suite;
}
