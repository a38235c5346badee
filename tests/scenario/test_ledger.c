/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Given one request on a machine that does nothing else, when it is over, then the ledger's lines
 * add up to its latency exactly, the latency is the one that the program measured, and the lines
 * are those of the path that the request took.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "report/ledger.h"
#include "scenario/fixture.h"

static uint64_t line_of(const struct ledger *ledger, const char *name)
{
    for (unsigned i = 0; i < ledger->count; i++)
        if (strcmp(ledger->lines[i].name, name) == 0)
            return ledger->lines[i].ps;
    return 0;
}

/* Start a machine, do one request of every kind before the one that counts, and make its ledger. */
static struct ledger ledger_of(struct fixture *f, enum block_op op, uint32_t bytes,
                               uint64_t *measured_ps)
{
    struct ledger ledger;
    const char *why = "";
    struct machine *machine = machine_create(&f->params.machine, &f->spec.options);
    ck_assert_msg(machine_start(machine, &why) == NVME_OK, "%s", why);
    struct block_device *device = machine_device(machine);
    struct block_buffer *buffer = device->ops->buffer_alloc(
        device->ctx, bytes, (uint32_t)f->params.workload.buffer_alignment);
    ck_assert_int_eq(device->ops->io(device->ctx, BLOCK_WRITE, 0, bytes, buffer, 0), 0);
    ck_assert_int_eq(device->ops->io(device->ctx, BLOCK_READ, 0, bytes, buffer, 0), 0);

    struct ledger_reader *reader =
        ledger_attach(engine_stream(machine_engine(machine)), 3, device->block_bytes);
    uint64_t from = device->ops->now(device->ctx);
    bool data = op == BLOCK_READ || op == BLOCK_WRITE;
    ck_assert_int_eq(device->ops->io(device->ctx, op, bytes, op == BLOCK_FLUSH ? 0 : bytes,
                                     data ? buffer : NULL, 0),
                     0);
    *measured_ps = device->ops->now(device->ctx) - from;
    ledger_detach(reader, &ledger);

    ck_assert_uint_eq(machine_verdict(machine)->blocks_mismatched, 0);
    device->ops->buffer_free(device->ctx, buffer);
    ck_assert_int_eq(machine_stop(machine), NVME_OK);
    machine_destroy(machine);
    return ledger;
}

static void check_sum(struct fixture *f, enum block_op op, uint32_t bytes, struct ledger *ledger)
{
    uint64_t measured;
    *ledger = ledger_of(f, op, bytes, &measured);
    ck_assert(ledger->complete);
    ck_assert_uint_eq(ledger->latency_ps, measured);
    ck_assert_uint_eq(ledger->total_ps, measured);
    uint64_t sum = 0;
    for (unsigned i = 0; i < ledger->count; i++)
        sum += ledger->lines[i].ps;
    ck_assert_uint_eq(sum, measured);
    ck_assert_uint_gt(line_of(ledger, "media"), 0);
}

static const uint32_t sizes[] = {512, 4096, 8192, 65536, 131072, 524288, 1048576, 2097152};
#define SIZES (sizeof sizes / sizeof sizes[0])

static const struct {
    const char *setup, *driver, *drive, *host, *detail;
} machines[] = {
    {"amiga-pegasos2", "amiga-1.61", NULL, NULL, "link.detail=line"},
    {"amiga-pegasos2", "amiga-1.65", NULL, NULL, "link.detail=line"},
    {"amiga-pegasos2", "amiga-1.65", NULL, "pegasos2-cached", "link.detail=line"},
    {NULL, "doorbell", "fixed-latency", "generic", "link.detail=line"},
    {NULL, "amiga-1.61", "fixed-latency", "generic", "link.detail=line"},
    {NULL, "doorbell", "fixed-latency", "generic", "link.detail=tlp"},
    {NULL, "amiga-1.61", "fixed-latency", "generic", "link.detail=tlp"},
    {NULL, "doorbell", "worst-case", "ideal", "link.detail=tlp"},
};
#define MACHINES (sizeof machines / sizeof machines[0])

START_TEST(sums_equal_latency_for_every_size_and_direction)
{
    struct fixture f;
    struct ledger ledger;
    const unsigned m = (unsigned)_i;
    fixture_open(&f, machines[m].setup, machines[m].driver, machines[m].drive, machines[m].host);
    fixture_set(&f, machines[m].detail);
    for (unsigned i = 0; i < SIZES; i++) {
        check_sum(&f, BLOCK_READ, sizes[i], &ledger);
        check_sum(&f, BLOCK_WRITE, sizes[i], &ledger);
    }
    check_sum(&f, BLOCK_FLUSH, 4096, &ledger);
    fixture_close(&f);
}
END_TEST

START_TEST(a_bounced_request_copies_and_does_not_map)
{
    struct fixture f;
    struct ledger ledger;
    fixture_open(&f, "amiga-pegasos2", "amiga-1.61", NULL, NULL);
    check_sum(&f, BLOCK_READ, 65536, &ledger);
    /* 65,536 bytes at 345 MB/s and 500 ns for the call, in ps, rounded up. */
    ck_assert_uint_eq(line_of(&ledger, "copy"), UINT64_C(189959421) + 500000);
    ck_assert_uint_eq(line_of(&ledger, "map"), 0);
    ck_assert_uint_eq(line_of(&ledger, "cache"), 0);
    ck_assert_uint_eq(ledger.commands, 1);
    fixture_close(&f);
}
END_TEST

START_TEST(a_direct_read_maps_and_maintains_every_line_twice)
{
    struct fixture f;
    struct ledger ledger;
    fixture_open(&f, "amiga-pegasos2", "amiga-1.65", NULL, NULL);
    fixture_set(&f, "workload.buffer_alignment=4 KiB");
    check_sum(&f, BLOCK_READ, 65536, &ledger);
    ck_assert_uint_eq(line_of(&ledger, "copy"), 0);
    ck_assert_uint_eq(line_of(&ledger, "map"), UINT64_C(28000000)); /* 18 us and 10 us */
    /* 2,048 lines at 9.3 ns, flushed before and invalidated after, 500 ns each call. */
    ck_assert_uint_eq(line_of(&ledger, "cache"), UINT64_C(2) * (2048 * 9300 + 500000));
    check_sum(&f, BLOCK_WRITE, 65536, &ledger);
    ck_assert_uint_eq(line_of(&ledger, "cache"), UINT64_C(2048) * 9300 + 500000);
    fixture_close(&f);
}
END_TEST

START_TEST(a_split_request_goes_through_its_commands)
{
    struct fixture f;
    struct ledger ledger;
    fixture_open(&f, "amiga-pegasos2", "amiga-1.65", NULL, NULL);
    check_sum(&f, BLOCK_WRITE, 1048576, &ledger);
    ck_assert_uint_eq(ledger.commands, 2); /* MDTS 512 KiB, one after the other */
    fixture_close(&f);
}
END_TEST

START_TEST(a_ledger_of_a_request_that_never_came_is_not_complete)
{
    struct stream stream = {0, NULL};
    struct ledger ledger;
    ledger_detach(ledger_attach(&stream, 1, 512), &ledger);
    ck_assert(!ledger.complete);
    ck_assert_uint_eq(stream.wanted, 0);
}
END_TEST

Suite *ledger_suite(void);
Suite *ledger_suite(void)
{
    Suite *suite = suite_create("ledger");
    TCase *tcase = tcase_create("one request");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, sums_equal_latency_for_every_size_and_direction, 0, MACHINES);
    tcase_add_test(tcase, a_bounced_request_copies_and_does_not_map);
    tcase_add_test(tcase, a_direct_read_maps_and_maintains_every_line_twice);
    tcase_add_test(tcase, a_split_request_goes_through_its_commands);
    tcase_add_test(tcase, a_ledger_of_a_request_that_never_came_is_not_complete);
    suite_add_tcase(suite, tcase);
    return suite;
}
