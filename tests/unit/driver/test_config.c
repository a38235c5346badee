/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Configuration: every limit at its edge, memory size, nvme_init's refusals, and the texts.
 */
#include "fake.h"
#include "suites.h"

static struct nvme_config config;

static void setup(void)
{
    nvme_config_defaults(&config);
}

/* The configuration is refused, and the field is named. */
#define REFUSED(name, value)                                                                       \
    do {                                                                                           \
        const char *field = NULL;                                                                  \
        setup();                                                                                   \
        config.name = (value);                                                                     \
        ck_assert_int_eq(nvme_config_check(&config, &field), NVME_E_INVAL);                        \
        ck_assert_str_eq(field, #name);                                                            \
        ck_assert_uint_eq(nvme_memory_size(&config), 0);                                           \
    } while (0)

#define ACCEPTED(name, value)                                                                      \
    do {                                                                                           \
        setup();                                                                                   \
        config.name = (value);                                                                     \
        ck_assert_int_eq(nvme_config_check(&config, NULL), NVME_OK);                               \
    } while (0)

START_TEST(defaults_are_valid)
{
    const char *field = "unset";

    ck_assert_int_eq(nvme_config_check(&config, &field), NVME_OK);
    ck_assert_ptr_null(field);
    ck_assert_uint_gt(nvme_memory_size(&config), 0);
}
END_TEST

START_TEST(every_limit_at_its_edge)
{
    REFUSED(admin_depth, 1);
    ACCEPTED(admin_depth, 2);
    ACCEPTED(admin_depth, 4096);
    REFUSED(admin_depth, 4097);
    REFUSED(io_queues, 0);
    ACCEPTED(io_queues, 64);
    REFUSED(io_queues, 65);
    REFUSED(io_depth, 1);
    ACCEPTED(io_depth, 65535);
    REFUSED(slots, 0);
    REFUSED(slots, 256);
    ACCEPTED(slots, 255);
    REFUSED(cid_base, 1); /* with generations; without: see below */
    REFUSED(cid, (enum nvme_cid_policy)2);
    REFUSED(sq_priority, 4);
    REFUSED(full, (enum nvme_full_policy)2);
    REFUSED(bounce_bytes, 4095);
    ACCEPTED(bounce_bytes, 65536);
    REFUSED(read.direct_align_bytes, 0);
    REFUSED(read.direct_align_bytes, 3);
    REFUSED(write.direct_align_bytes, 4095);
    ACCEPTED(write.direct_align_bytes, 4096);
    REFUSED(copy, (enum nvme_copy_routine)2);
    REFUSED(dma_list, (enum nvme_dma_list_policy)2);
    REFUSED(list_pages, 0);
    ACCEPTED(list_pages, 64);
    REFUSED(list_pages, 65);
    REFUSED(transfer_cap, 4095);
    ACCEPTED(transfer_cap, 4096);
    REFUSED(transfer_no_mdts, 1);
    REFUSED(split, (enum nvme_split_policy)2);
    REFUSED(ring, (enum nvme_ring_policy)4);
    REFUSED(cq_ring, (enum nvme_cq_ring_policy)2);
    REFUSED(completion, (enum nvme_completion_policy)2);
    REFUSED(irq, (enum nvme_irq_mode)4);
    REFUSED(aer_count, 17);
    ACCEPTED(aer_count, 16);
    REFUSED(admin_timeout_ms, 0);
    REFUSED(admin_timeout_ms, 600001);
    ACCEPTED(ready_min_ms, 600000);
    REFUSED(ready_min_ms, 600001);
    REFUSED(shutdown_timeout_ms, 0);
}
END_TEST

START_TEST(first_identifier)
{
    config.cid_generation = false;
    config.cid_base = 1023;
    ck_assert_int_eq(nvme_config_check(&config, NULL), NVME_OK);
    config.cid_base = 1024;
    ck_assert_int_eq(nvme_config_check(&config, NULL), NVME_E_INVAL);
}
END_TEST

START_TEST(identifier_ffff_is_never_used)
{
    const char *field = NULL;

    config.io_depth = 65535;
    config.slots = 65534;
    config.cid_generation = false;
    config.cid_base = 1; /* 1..65534 */
    ck_assert_int_eq(nvme_config_check(&config, &field), NVME_OK);
    config.cid_base = 2;
    ck_assert_int_eq(nvme_config_check(&config, &field), NVME_E_INVAL);
    ck_assert_str_eq(field, "slots");
}
END_TEST

START_TEST(interrupts_need_a_mode)
{
    const char *field = NULL;

    config.completion = NVME_COMPLETION_INTERRUPT;
    ck_assert_int_eq(nvme_config_check(&config, &field), NVME_E_INVAL);
    ck_assert_str_eq(field, "irq");
}
END_TEST

START_TEST(init_refuses_bad_memory)
{
    static const struct nvme_platform_ops none;
    const struct nvme_platform platform = {.ops = &none};
    size_t bytes = nvme_memory_size(&config);
    uint8_t *memory = aligned_alloc(64, (bytes + 127) / 64 * 64);

    ck_assert_ptr_null(nvme_init(NULL, bytes, &platform, &config));
    ck_assert_ptr_null(nvme_init(memory, bytes - 1, &platform, &config));
    ck_assert_ptr_null(nvme_init(memory + 32, bytes, &platform, &config));
    ck_assert_ptr_nonnull(nvme_init(memory, bytes, &platform, &config));
    config.completion = NVME_COMPLETION_INTERRUPT;
    config.irq = NVME_IRQ_MSIX; /* but the platform has no irq_setup */
    ck_assert_ptr_null(nvme_init(memory, bytes, &platform, &config));
    free(memory);
}
END_TEST

START_TEST(texts_are_complete)
{
    for (int error = 0; error >= NVME_E_RANGE; error--)
        ck_assert_str_ne(nvme_error_text(error), "unknown error");
    ck_assert_str_eq(nvme_error_text(1), "unknown error");
    ck_assert_str_eq(nvme_error_text(-11), "unknown error");
    ck_assert_str_eq(nvme_status_text(0x0000), "successful completion");
    ck_assert_str_eq(nvme_status_text(0x4080),
                     "LBA out of range"); /* do not retry is no part of it */
    ck_assert_str_eq(nvme_status_text(0x0101), "invalid queue identifier");
    ck_assert_str_eq(nvme_status_text(0x0281), "unrecovered read error");
    ck_assert_str_eq(nvme_status_text(0x0371), "command aborted by host");
    ck_assert_str_eq(nvme_status_text(0x0717), "vendor specific status");
    ck_assert_str_eq(nvme_status_text(0x0017), "unknown status");
    for (uint32_t status = 0; status <= 0xFFFF; status++)
        ck_assert_ptr_nonnull(nvme_status_text((uint16_t)status));
}
END_TEST

Suite *suite_config(void)
{
    Suite *suite = suite_create("driver config");
    TCase *tcase = tcase_create("config");

    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, defaults_are_valid);
    tcase_add_test(tcase, every_limit_at_its_edge);
    tcase_add_test(tcase, first_identifier);
    tcase_add_test(tcase, identifier_ffff_is_never_used);
    tcase_add_test(tcase, interrupts_need_a_mode);
    tcase_add_test(tcase, init_refuses_bad_memory);
    tcase_add_test(tcase, texts_are_complete);
    suite_add_tcase(suite, tcase);
    return suite;
}
