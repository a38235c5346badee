/* SPDX-License-Identifier: BSD-2-Clause
 * Identify (NVMe 1.4 section 5.15): each data structure, each CNS value, each NSID rule. Three
 * namespaces are configured, 64 MiB/512, 32 MiB/4096, 1 MiB/512, and five can be. */
#include <string.h>

#include "unit/nvme/rig_namespace.h"

static struct rig rig;
static struct rig_params params;

enum { MIB = 1 << 20 };

static void open_rig(void)
{
    rig_open(&rig, &params);
    rig_enable(&rig);
}

static void setup(void)
{
    rig_defaults(&params);
    strcpy(params.ctrl.more_namespaces, "32 MiB/4096, 1 MiB/512");
    params.ctrl.namespaces_max = 5;
    open_rig();
}

static void teardown(void)
{
    rig_close(&rig);
}

static void again(void)
{
    rig_close(&rig);
    open_rig();
}

/* 5.15.2.1, figure 245: size, capacity, use, formats; nothing else is claimed. */
START_TEST(namespace_structure)
{
    static const struct {
        uint32_t nsid, flbas;
        uint64_t blocks;
    } expected[] = {{1, 0, 131072}, {2, 1, 8192}, {3, 0, 2048}};

    for (unsigned i = 0; i < 3; i++) {
        ck_assert_uint_eq(rig_identify(&rig, 0x00, expected[i].nsid), 0);
        ck_assert_uint_eq(rig_field(&rig, 0, 8), expected[i].blocks);  /* NSZE */
        ck_assert_uint_eq(rig_field(&rig, 8, 8), expected[i].blocks);  /* NCAP */
        ck_assert_uint_eq(rig_field(&rig, 16, 8), expected[i].blocks); /* NUSE: not thin */
        ck_assert_uint_eq(rig_field(&rig, 24, 1), 0);                  /* NSFEAT */
        ck_assert_uint_eq(rig_field(&rig, 25, 1), 1);                  /* NLBAF, 0's based */
        ck_assert_uint_eq(rig_field(&rig, 26, 1), expected[i].flbas);
        ck_assert_uint_eq(rig_field(&rig, 27, 3), 0); /* MC, DPC, DPS */
        ck_assert_uint_eq(rig_field(&rig, 30, 3), 0); /* NMIC, RESCAP, FPI */
        ck_assert_uint_eq(rig_field(&rig, 33, 1), 9); /* DLFEAT: zeroes; DEAC of Write Zeroes */
        ck_assert_uint_eq(rig_field(&rig, 34, 8) | rig_field(&rig, 40, 8),
                          0);                         /* no atomicity of its own, no NOIOB */
        ck_assert_uint_eq(rig_field(&rig, 48, 8), 0); /* NVMCAP: no Namespace Management */
        ck_assert_uint_eq(rig_field(&rig, 104, 8) | rig_field(&rig, 112, 8), 0); /* NGUID */
        ck_assert_uint_eq(rig_field(&rig, 120, 8), 0);                           /* EUI64 */
        ck_assert_uint_eq(rig_field(&rig, 128, 4), 9u << 16);
        ck_assert_uint_eq(rig_field(&rig, 132, 4), 12u << 16);
        ck_assert(rig_rest_is_zero(&rig, 136));
    }
}
END_TEST

/* DLFEAT says what of deallocation there is (5.15.2.1). */
START_TEST(deallocation_is_claimed_with_its_commands)
{
    for (unsigned i = 0; i < 4; i++) {
        rig_close(&rig);
        params.ctrl.dataset_management = i & 1;
        params.ctrl.write_zeroes = i >> 1;
        rig_open(&rig, &params);
        rig_enable(&rig);
        ck_assert_uint_eq(rig_identify(&rig, 0x00, 1), 0);
        ck_assert_uint_eq(rig_field(&rig, 33, 1), (i != 0 ? 1 : 0) | (i >> 1 ? 8 : 0));
    }
}
END_TEST

/* NOIOB, both of its bytes; and none by default (5.15.2.1). */
START_TEST(the_optimal_boundary_is_told)
{
    ck_assert_uint_eq(rig_identify(&rig, 0x00, 1), 0);
    ck_assert_uint_eq(rig_field(&rig, 46, 2), 0);
    rig_close(&rig);
    params.ctrl.optimal_boundary = 0x1234;
    rig_open(&rig, &params);
    rig_enable(&rig);
    ck_assert_uint_eq(rig_identify(&rig, 0x00, 1), 0);
    ck_assert_uint_eq(rig_field(&rig, 46, 2), 0x1234);
}
END_TEST

/* CNS, NSID, status; 6.1.5 and the sections of the structures. NSIDs 4 and 5 are inactive. */
static const struct {
    uint32_t cns, nsid;
    uint16_t status;
} rules[] = {
    {0x00, 0, 0x00b},       {0x00, 4, 0}, /* inactive: zeroes */
    {0x00, 6, 0x00b},       {0x00, 0xfffffffe, 0x00b},
    {0x00, RIG_ALL, 0x00b}, /* without Namespace Management (5.15.2.1) */
    {0x01, 77, 0},          /* does not use the NSID */
    {0x02, 0xfffffffd, 0},  {0x02, 0xfffffffe, 0x00b},
    {0x02, RIG_ALL, 0x00b}, {0x03, 0, 0x00b},
    {0x03, 4, 0x002},       {0x03, 6, 0x00b},
    {0x03, RIG_ALL, 0x00b}, {0x04, 1, 0x002}, /* NVM sets */
    {0x10, 0xfffffffd, 0},  {0x10, 0xfffffffe, 0x00b},
    {0x10, RIG_ALL, 0x00b}, {0x11, 0, 0x00b},
    {0x11, 4, 0}, /* unallocated: zeroes */
    {0x11, 6, 0x00b},       {0x11, RIG_ALL, 0x00b},
    {0x12, 0, 0x00b},       {0x12, 4, 0x002},
    {0x12, 6, 0x00b},       {0x12, RIG_ALL, 0x00b},
    {0x13, 6, 0},                             /* does not use the NSID */
    {0x14, 0, 0x002},                         /* virtualization */
    {0x15, 0, 0x002},       {0x16, 0, 0x002}, /* granularity, without Namespace Management */
    {0x17, 0, 0x002},                         /* UUID list */
};

START_TEST(nsid_rules)
{
    ck_assert_uint_eq(rig_identify(&rig, rules[_i].cns, rules[_i].nsid), rules[_i].status);
}
END_TEST

/* Figure 244: what is not there is Invalid Field, for every value. */
START_TEST(cns_values)
{
    for (uint32_t cns = 0; cns < 256; cns++) {
        bool exists = cns <= 0x03 || (cns >= 0x10 && cns <= 0x13);

        ck_assert_uint_eq(rig_identify(&rig, cns, 1), exists ? 0 : 0x002);
    }
}
END_TEST

/* 5.15.2.1, 5.15.2.7: an NSID that names nothing has a structure of zeroes. */
START_TEST(inactive_is_all_zeroes)
{
    ck_assert_uint_eq(rig_identify(&rig, 0x00, 5), 0);
    ck_assert(rig_rest_is_zero(&rig, 0));
    ck_assert_uint_eq(rig_identify(&rig, 0x11, 5), 0);
    ck_assert(rig_rest_is_zero(&rig, 0));
}
END_TEST

/* 5.15.2.3, 5.15.2.6: ascending, larger than the NSID given. */
START_TEST(lists_of_namespaces)
{
    uint32_t first, last;

    for (uint32_t cns = 0x02; cns <= 0x10; cns += 0x0e) {
        ck_assert_uint_eq(rig_list(&rig, cns, 0, &first, &last), 3);
        ck_assert_uint_eq(first, 1);
        ck_assert_uint_eq(last, 3);
        ck_assert_uint_eq(rig_list(&rig, cns, 1, &first, &last), 2);
        ck_assert_uint_eq(first, 2);
        ck_assert_uint_eq(rig_list(&rig, cns, 3, &first, &last), 0);
        ck_assert_uint_eq(rig_list(&rig, cns, 0xfffffffd, &first, &last), 0);
    }
}
END_TEST

/* A list has room for 1024 (5.15.2.3): 1 + 1030 namespaces need two. */
START_TEST(lists_longer_than_a_page)
{
    uint32_t first, last;

    strcpy(params.ctrl.more_namespaces, "1030 x 512 B/512");
    params.ctrl.namespaces_max = 0;
    params.ctrl.namespace_granularity = 4096;
    again();
    ck_assert_uint_eq(rig_identify(&rig, 0x01, 0), 0);
    ck_assert_uint_eq(rig_field(&rig, 516, 4), 1031); /* NN */
    ck_assert_uint_eq(rig_list(&rig, 0x02, 0, &first, &last), 1024);
    ck_assert_uint_eq(last, 1024);
    ck_assert_uint_eq(rig_list(&rig, 0x02, 1024, &first, &last), 7);
    ck_assert_uint_eq(first, 1025);
    ck_assert_uint_eq(last, 1031);
    ck_assert_uint_eq(rig_list(&rig, 0x10, 7, &first, &last), 1024);
    ck_assert_uint_eq(first, 8);
    ck_assert_uint_eq(last, 1031);
}
END_TEST

/* 5.15.2.4, figure 249: a UUID alone, different for each namespace, the same in each run. */
START_TEST(descriptors_without_oui)
{
    uint8_t uuid[4][16];

    for (uint32_t nsid = 1; nsid <= 3; nsid++) {
        ck_assert_uint_eq(rig_identify(&rig, 0x03, nsid), 0);
        ck_assert_uint_eq(rig_field(&rig, 0, 4), 0x1003); /* NIDT 3, NIDL 16 */
        memcpy(uuid[nsid], rig_at(&rig, RIG_DATA + 4), 16);
        ck_assert_uint_eq(uuid[nsid][6] >> 4, 8); /* version and variant (RFC 9562) */
        ck_assert_uint_eq(uuid[nsid][8] >> 6, 2);
        ck_assert(rig_rest_is_zero(&rig, 20));
    }
    ck_assert_mem_ne(uuid[1], uuid[2], 16);
    ck_assert_mem_ne(uuid[2], uuid[3], 16);
    again();
    ck_assert_uint_eq(rig_identify(&rig, 0x03, 2), 0);
    ck_assert_mem_eq(rig_at(&rig, RIG_DATA + 4), uuid[2], 16);
}
END_TEST

/* With an OUI: EUI64 and NGUID too, big endian, in descriptors and structure alike (5.15.2.1). */
START_TEST(descriptors_with_oui)
{
    static const uint8_t oui[3] = {0x52, 0x54, 0x00};
    uint8_t eui64[8], nguid[16];

    params.ctrl.ieee_oui = 0x525400;
    again();
    ck_assert_uint_eq(rig_identify(&rig, 0x01, 0), 0);
    ck_assert_uint_eq(rig_field(&rig, 73, 3), 0x525400); /* IEEE */
    ck_assert_uint_eq(rig_identify(&rig, 0x03, 2), 0);
    ck_assert_uint_eq(rig_field(&rig, 0, 4), 0x0801); /* NIDT 1, NIDL 8 */
    memcpy(eui64, rig_at(&rig, RIG_DATA + 4), 8);
    ck_assert_uint_eq(rig_field(&rig, 12, 4), 0x1002); /* NIDT 2, NIDL 16 */
    memcpy(nguid, rig_at(&rig, RIG_DATA + 16), 16);
    ck_assert_uint_eq(rig_field(&rig, 32, 4), 0x1003);
    ck_assert(rig_rest_is_zero(&rig, 52));
    ck_assert_mem_eq(eui64, oui, 3);
    ck_assert_mem_eq(nguid + 8, oui, 3);
    ck_assert_uint_eq(rig_identify(&rig, 0x00, 2), 0);
    ck_assert_mem_eq(rig_at(&rig, RIG_DATA + 104), nguid, 16);
    ck_assert_mem_eq(rig_at(&rig, RIG_DATA + 120), eui64, 8);
    ck_assert_uint_eq(rig_field(&rig, 24, 1), 0x08); /* NSFEAT: never used again */
    ck_assert_uint_eq(rig_identify(&rig, 0x00, 1), 0);
    ck_assert_mem_ne(rig_at(&rig, RIG_DATA + 104), nguid, 16);
    ck_assert_mem_ne(rig_at(&rig, RIG_DATA + 120), eui64, 8);
}
END_TEST

/* 5.15.2.8, 5.15.2.9: identifiers equal to or above CNTID; this is controller 7. */
START_TEST(controller_lists)
{
    struct engine *engine;

    rig_close(&rig);
    engine = engine_create(1);
    rig_open_on(&rig, &params, engine, 7);
    rig_enable(&rig);
    for (uint32_t cns = 0x12; cns <= 0x13; cns++) {
        ck_assert_uint_eq(rig_identify(&rig, cns, 1), 0);
        ck_assert_uint_eq(rig_field(&rig, 0, 4), 7u << 16 | 1);
        ck_assert(rig_rest_is_zero(&rig, 4));
        ck_assert_uint_eq(rig_identify(&rig, 7u << 16 | cns, 1), 0);
        ck_assert_uint_eq(rig_field(&rig, 0, 2), 1);
        ck_assert_uint_eq(rig_identify(&rig, 8u << 16 | cns, 1), 0);
        ck_assert(rig_rest_is_zero(&rig, 0));
    }
    rig.owns_engine = true;
}
END_TEST

/* 5.15.2.2, figure 247: nothing optional is claimed by default... */
START_TEST(controller_claims_nothing_by_default)
{
    ck_assert_uint_eq(rig_identify(&rig, 0x01, 0), 0);
    ck_assert_uint_eq(rig_field(&rig, 96, 4), 1);  /* CTRATT */
    ck_assert_uint_eq(rig_field(&rig, 256, 2), 0); /* OACS */
    ck_assert_uint_eq(rig_field(&rig, 280, 8), 0); /* TNVMCAP */
    ck_assert_uint_eq(rig_field(&rig, 296, 8), 0); /* UNVMCAP */
    ck_assert_uint_eq(rig_field(&rig, 516, 4), 5); /* NN */
    ck_assert_uint_eq(rig_field(&rig, 524, 1), 0); /* FNA */
    ck_assert_uint_eq(rig_admin(&rig, 0x0d, 1, 1, 0, NULL), 0x001);
    ck_assert_uint_eq(rig_admin(&rig, 0x15, 1, 0, 0, NULL), 0x001);
    ck_assert_uint_eq(rig_admin(&rig, 0x80, 1, 0, 0, NULL), 0x001);
}
END_TEST

/* ... and what is configured is claimed. */
START_TEST(controller_claims_what_is_configured)
{
    params.ctrl.oacs_ns_management = params.ctrl.oacs_format = 1;
    params.ctrl.format_scope = 1;
    params.ctrl.capacity = 100 * MIB;
    again();
    ck_assert_uint_eq(rig_identify(&rig, 0x01, 0), 0);
    ck_assert_uint_eq(rig_field(&rig, 96, 4), 0x81);              /* granularity list */
    ck_assert_uint_eq(rig_field(&rig, 256, 2), 0x0a);             /* Format, Namespace Management */
    ck_assert_uint_eq(rig_field(&rig, 280, 8), 100 * MIB);        /* TNVMCAP */
    ck_assert_uint_eq(rig_field(&rig, 296, 8), (100 - 97) * MIB); /* UNVMCAP */
    ck_assert_uint_eq(rig_field(&rig, 524, 1), 0x03);             /* FNA: all namespaces */
    ck_assert_uint_eq(rig_identify(&rig, 0x00, 2), 0);
    ck_assert_uint_eq(rig_field(&rig, 32, 1), 0x80);     /* FPI: supported, none running */
    ck_assert_uint_eq(rig_field(&rig, 48, 8), 32 * MIB); /* NVMCAP */
}
END_TEST

/* 5.15.2.1: NSID FFFFFFFFh has what is common to all, where namespaces can be created. */
START_TEST(common_structure)
{
    params.ctrl.oacs_ns_management = 1;
    again();
    ck_assert_uint_eq(rig_identify(&rig, 0x00, RIG_ALL), 0);
    ck_assert_uint_eq(rig_field(&rig, 0, 8), 0);
    ck_assert_uint_eq(rig_field(&rig, 25, 2), 1); /* NLBAF; no FLBAS */
    ck_assert_uint_eq(rig_field(&rig, 128, 8), (uint64_t)(12u << 16) << 32 | 9u << 16);
    ck_assert(rig_rest_is_zero(&rig, 136));
}
END_TEST

/* 5.15.2.12: one descriptor for all formats, in bytes. New in 1.4. */
START_TEST(granularity_list)
{
    params.ctrl.oacs_ns_management = 1;
    params.ctrl.namespace_granularity = 8 * MIB;
    again();
    ck_assert_uint_eq(rig_identify(&rig, 0x16, 0), 0);
    ck_assert_uint_eq(rig_field(&rig, 0, 8), 0);
    ck_assert_uint_eq(rig_field(&rig, 32, 8), 8 * MIB);
    ck_assert_uint_eq(rig_field(&rig, 40, 8), 8 * MIB);
    ck_assert(rig_rest_is_zero(&rig, 48));
    ck_assert_uint_eq(rig_identify(&rig, 0x00, 3), 0);
    ck_assert_uint_eq(rig_field(&rig, 48, 8), 8 * MIB); /* 1 MiB takes 8 */
    params.ctrl.version = 0;
    again();
    ck_assert_uint_eq(rig_identify(&rig, 0x16, 0), 0x002);
    ck_assert_uint_eq(rig_identify(&rig, 0x01, 0), 0);
    ck_assert_uint_eq(rig_field(&rig, 96, 4), 1);
}
END_TEST

Suite *suite_identify(void)
{
    Suite *suite = suite_create("nvme identify");
    TCase *tc = tcase_create("identify");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, namespace_structure);
    tcase_add_test(tc, deallocation_is_claimed_with_its_commands);
    tcase_add_test(tc, the_optimal_boundary_is_told);
    tcase_add_loop_test(tc, nsid_rules, 0, sizeof rules / sizeof rules[0]);
    tcase_add_test(tc, cns_values);
    tcase_add_test(tc, inactive_is_all_zeroes);
    tcase_add_test(tc, lists_of_namespaces);
    tcase_add_test(tc, lists_longer_than_a_page);
    tcase_add_test(tc, descriptors_without_oui);
    tcase_add_test(tc, descriptors_with_oui);
    tcase_add_test(tc, controller_lists);
    tcase_add_test(tc, controller_claims_nothing_by_default);
    tcase_add_test(tc, controller_claims_what_is_configured);
    tcase_add_test(tc, common_structure);
    tcase_add_test(tc, granularity_list);
    suite_add_tcase(suite, tc);
    return suite;
}
